import { cachesOf } from '../../model/routes/route';
import { block, directive, heading, Node, quote } from '../directive';
import { Plan } from '../plan';

/** What nginx finds a part of a request by; it has header names with underscores for hyphens. */
export function requestVariable(
  part:
    | { readonly kind: 'clientAddress' | 'uri' | 'method' }
    | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string },
): string {
  switch (part.kind) {
    case 'clientAddress':
      return '$binary_remote_addr';
    case 'uri':
      return '$request_uri';
    case 'method':
      return '$request_method';
    case 'header':
      return `$http_${part.name.toLowerCase().replaceAll('-', '_')}`;
    case 'cookie':
      return `$cookie_${part.name}`;
    case 'query':
      return `$arg_${part.name}`;
  }
}

/** A cookie or an argument. */
interface Named {
  readonly kind: 'cookie' | 'query';
  readonly name: string;
}

/**
 * What keys of caches and rates, and the log, find a part of a request by: cookies and arguments by their letters alone. nginx's own variables find them
 * without case, and would see `a` of `Session=a; session=b`, where an API sees `b`.
 */
export function keyVariable(part: Parameters<typeof requestVariable>[0]): string {
  return isNamed(part) ? exactVariable(part) : requestVariable(part);
}

function isNamed(part: { readonly kind: string }): part is Named {
  return part.kind === 'cookie' || part.kind === 'query';
}

/** Each name has one of its own: nginx's names of variables have no capitals. */
function exactVariable({ kind, name }: Named): string {
  return `$exact_${kind}_${name.replaceAll(/[A-Z_]/g, (letter) => `_${letter.toLowerCase()}`)}`;
}

/** Gives them, each the first of its name, as APIs do. */
export function keyVariablesSection({ proxy, routes }: Plan): Node[] {
  const logged = proxy.accessLog.add.map(({ source }) => source).filter(isNamed);
  const parts = [
    ...cachesOf(routes).flatMap(({ key }) => key),
    ...routes.flatMap(({ rateLimits = [] }) => rateLimits.map(({ key: { source } }) => source)),
    ...logged,
  ].filter(isNamed);
  const all = [...new Map(parts.map((part) => [exactVariable(part), part]))].sort(([a], [b]) => (a < b ? -1 : 1));
  if (all.length === 0) return [];
  return [
    heading(
      `Cookies and arguments that keys ${logged.length === 0 ? '' : 'or the log '}go by, by their letters alone: nginx itself finds them without case`,
    ),
    ...all.map(([variable, { kind, name }]) =>
      kind === 'cookie'
        ? block(`map $http_cookie ${variable}`, [
            directive(
              `${quote('key', `~(?:^|;)[ \\t]*${name}[ \\t]*=[ \\t]*(?<cookie_as_sent>[^;]*)`)} $cookie_as_sent`,
            ),
          ])
        : block(`map $args ${variable}`, [
            directive(`${quote('key', `~(?:^|&)${name}=(?<argument_as_sent>[^&]*)`)} $argument_as_sent`),
          ]),
    ),
  ];
}
