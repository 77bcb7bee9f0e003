import { corsHeaders } from '../../model/routes/cors';
import { HostModel } from '../../model/proxy';
import { RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node, quote } from '../directive';
import { Plan } from '../plan';
import { literal } from './conditions-section';

/** What a browser is told in every answer of a route, by the variables that its locations set: empty ones are not sent. */
const answered = [
  ['Access-Control-Allow-Origin', '$allowed_origin'],
  ['Access-Control-Allow-Credentials', '$allowed_credentials'],
  ['Access-Control-Expose-Headers', '$exposed_headers'],
  ['Vary', '$varies_by'],
] as const;

/** Which origins may ask what, for each choice of a route once. */
export function corsSection(plan: Plan): Node[] {
  const all = plan.routes.filter((route) => route.cors !== undefined && plan.first.cors(route) === route);
  if (all.length === 0) return [];
  return [
    heading('Pages of other origins (CORS): an origin that is not listed is told nothing'),
    block(
      'map "$request_method $http_access_control_request_method $http_origin" $preflight_request',
      [directive('default 0'), directive('"~^OPTIONS [\\w-]+ [^ ]+$" 1')],
      'a browser asks whether a page may ask',
    ),
    ...all.flatMap((route) => originMaps(plan, route)),
  ];
}

function originMaps(plan: Plan, route: RouteModel): Directive[] {
  const { origins = [], credentials = false, exposeHeaders = [] } = route.cors ?? {};
  if (origins.includes('*')) return [];
  const { origin, allowed, exposed } = variables(plan, route);
  const sorted = [...origins].sort();
  return [
    block(`map $http_origin ${origin}`, [
      ...sorted
        .filter((text) => !text.includes('*'))
        .map((text) => directive(`${quote('cors', text)} ${quote('cors', text)}`)),
      ...sorted
        .filter((text) => text.includes('*'))
        .map((text) => {
          const [scheme = '', rest = ''] = text.split('*.');
          return directive(`${quote('cors', `~^${literal(scheme)}(?:[a-z0-9_-]+\\.)+${literal(rest)}$`)} $http_origin`);
        }),
    ]),
    ...(credentials ? [block(`map ${origin} ${allowed}`, [directive('default true'), directive('"" ""')])] : []),
    ...(exposeHeaders.length === 0
      ? []
      : [
          block(`map ${origin} ${exposed}`, [
            directive(`default ${quote('exposeHeaders', exposeHeaders.join(', '))}`),
            directive('"" ""'),
          ]),
        ]),
  ];
}

/** In a location that a request enters, before all that answers: what follows it, an error too, has the headers of the server. */
export function allowOrigins(plan: Plan, route: RouteModel): Directive[] {
  const { cors } = route;
  if (cors === undefined) return [];
  const isAny = cors.origins.includes('*');
  const { origin, allowed, exposed } = variables(plan, route);
  return [
    directive(`set $allowed_origin ${isAny ? '*' : origin}`, 'said in headers of every answer'),
    ...(cors.credentials ? [directive(`set $allowed_credentials ${allowed}`)] : []),
    ...(cors.exposeHeaders.length === 0
      ? []
      : [directive(`set $exposed_headers ${isAny ? quote('exposeHeaders', cors.exposeHeaders.join(', ')) : exposed}`)]),
    directive('set $varies_by Origin', 'no cache gives the answer for one origin to another'),
  ];
}

function variables(plan: Plan, route: RouteModel): { origin: string; allowed: string; exposed: string } {
  const suffix = plan.variableOf(plan.first.cors(route));
  return { origin: `$origin_of_${suffix}`, allowed: `$credentials_of_${suffix}`, exposed: `$exposed_of_${suffix}` };
}

/** In a location that a request enters. The answer needs its own, as `return` would come before limits of rates. */
export function leadPreflightsAway(route: RouteModel): Directive[] {
  if (route.cors === undefined) return [];
  return [
    directive(`error_page 418 = ${preflightLocation(route)}`, 'no error: what a browser asks before a page may'),
    block('if ($preflight_request)', [directive('return 418')]),
  ];
}

/** Answers them, with the rules of the route but those that look at who the user is: no credentials come with a preflight. */
export function preflights(route: RouteModel, rules: readonly Node[]): Directive[] {
  const { cors, name } = route;
  if (cors === undefined) return [];
  const list = (header: string, words: readonly string[]): Directive[] =>
    words.length === 0 ? [] : [directive(`add_header ${header} ${quote(header, words.join(', '))}`)];
  return [
    block(`location ${preflightLocation({ name })}`, [
      ...rules,
      block('if ($allowed_origin = "")', [directive('return 403')], 'an origin that is not listed'),
      ...list('Access-Control-Allow-Methods', cors.methods),
      ...list('Access-Control-Allow-Headers', cors.headers),
      directive(`add_header Access-Control-Max-Age ${cors.maxAge}`, 'in seconds: a browser does not ask again'),
      directive('root /dev/null', 'where no file is'),
      directive('try_files /none =204', 'an answer after limits have counted the request, which "return" is not'),
    ]),
  ];
}

function preflightLocation({ name }: Pick<RouteModel, 'name'>): string {
  return `@preflight_${name}`;
}

/** In the server of a host, and where its headers are replaced by others: names and values of headers, as nginx writes them. */
export function corsAnswerHeaders({ routes }: HostModel): readonly (readonly [name: string, value: string])[] {
  const all = routes.flatMap(({ cors }) => cors ?? []);
  if (all.length === 0) return [];
  const isSent: Readonly<Record<string, boolean>> = {
    'Access-Control-Allow-Credentials': all.some(({ credentials }) => credentials),
    'Access-Control-Expose-Headers': all.some(({ exposeHeaders }) => exposeHeaders.length > 0),
  };
  return answered.filter(([name]) => isSent[name] ?? true);
}

/** What the API itself says of it. */
export function hiddenByCors({ cors }: RouteModel): readonly string[] {
  return cors === undefined ? [] : corsHeaders;
}
