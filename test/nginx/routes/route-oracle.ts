import { ConditionModel } from '../../../model/routes/matching';
import { RouteModel } from '../../../model/routes/route';

/** A request as it stands on the line. */
export interface RawRequest {
  readonly method: string;
  /** With its query string, not normalised. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** The route that a request has to go by, said by the rules alone: nothing here is known of nginx.conf. */
export function expectedRoute(routes: readonly RouteModel[], request: RawRequest): RouteModel | undefined {
  const path = normalPath(request.target);
  return routes
    .map((route, order) => ({ route, order }))
    .filter(({ route }) => matchesPath(route, path))
    .sort(
      (a, b) =>
        Number(b.route.path.kind === 'exact') - Number(a.route.path.kind === 'exact') ||
        b.route.path.path.length - a.route.path.path.length ||
        Number(b.route.when.length > 0) - Number(a.route.when.length > 0) ||
        a.order - b.order,
    )
    .find(({ route }) => route.when.every((condition) => holds(condition, request)))?.route;
}

/** Decoded once, with one slash where there are several, and without dot segments. */
export function normalPath(target: string): string {
  const raw = target.split(/[?#]/)[0] ?? '';
  const decoded = raw.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  const segments = decoded.split('/').slice(1);
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(segment);
  }
  const isDirectory = ['', '.', '..'].includes(segments.at(-1) ?? '');
  return `/${kept.join('/')}${isDirectory && kept.length > 0 ? '/' : ''}`;
}

function matchesPath({ path }: RouteModel, requested: string): boolean {
  if (path.kind === 'exact') return requested === path.path;
  return path.path === '/' || requested === path.path || requested.startsWith(`${path.path}/`);
}

function holds(condition: ConditionModel, request: RawRequest): boolean {
  switch (condition.kind) {
    case 'method':
      return condition.methods.includes(request.method);
    case 'header': {
      const values = lines(request, condition.name);
      return values.join(', ') === condition.value;
    }
    case 'cookie': {
      const pairs = lines(request, 'cookie').flatMap((line) => line.split(/; */));
      return firstValue(pairs, condition.name) === condition.value;
    }
    case 'query': {
      const [, query = ''] = /^[^?#]*\?([^#]*)/.exec(request.target) ?? [];
      return firstValue(query.split('&'), condition.name) === condition.value;
    }
  }
}

function lines({ headers }: RawRequest, name: string): string[] {
  return headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** Names are compared without case, as nginx does with cookies and arguments; of several the first counts. */
function firstValue(pairs: readonly string[], name: string): string | undefined {
  const pair = pairs.find((text) => text.toLowerCase().startsWith(`${name.toLowerCase()}=`));
  return pair?.slice(name.length + 1);
}
