import { isGrpc, RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node, quote } from '../directive';
import { isForwarded, Plan } from '../plan';
import { literal } from './conditions-section';

/** What a route refuses, as a backend may read in it the path of another route, whose rules are others. */
interface Refusals {
  /** Whether a path may climb to any such route. */
  readonly climbing: boolean;
  /** Expressions for paths that nginx takes by this route, and that are those of others but for their spelling. */
  readonly spellings: readonly string[];
}

/**
 * Gives 1 for paths of other routes that are spelt otherwise, in other letters or with a slash more. Express takes both for one. "(?s)" and "\z" since a path may
 * have line breaks in it.
 */
export function spellingSection(plan: Plan): Node[] {
  const maps = new Map(
    plan.routes.flatMap((route) => {
      const { spellings } = refusalsOf(plan, route);
      return spellings.length === 0 ? [] : [[spelling(plan, route), spellings] as const];
    }),
  );
  if (maps.size === 0) return [];
  return [
    heading('Paths of other routes, spelt otherwise: a backend without case would answer them without those rules'),
    ...[...maps].map(([variable, spellings]) =>
      block(`map $uri ${variable}`, [
        directive('default ""'),
        ...spellings.map((expression) => directive(`${quote('path', expression)} 1`)),
      ]),
    ),
  ];
}

/** In a location that is entered, before it leads to a backend. */
export function refuseSpellings(plan: Plan, route: RouteModel): Directive[] {
  const { climbing, spellings } = refusalsOf(plan, route);
  return [
    ...(climbing
      ? [block('if ($straight_uri = "")', [directive('return 400')], 'it climbs, and a backend may not resolve it')]
      : []),
    ...(spellings.length > 0
      ? [
          block(
            `if (${spelling(plan, route)})`,
            [directive('return 404')],
            'the path of another route, which has rules',
          ),
        ]
      : []),
  ];
}

/** Whether any route refuses paths that climb to another one. */
export function refusesClimbing(plan: Plan): boolean {
  return plan.routes.some((route) => refusalsOf(plan, route).climbing);
}

/** They follow from all routes of a host, and are asked for once a location. */
const known = new WeakMap<Plan, ReadonlyMap<RouteModel, Refusals>>();

function refusalsOf(plan: Plan, route: RouteModel): Refusals {
  const all = known.get(plan) ?? new Map(plan.hosts.flatMap(({ host }) => refusalsOfHost(host.routes)));
  known.set(plan, all);
  return all.get(route) ?? { climbing: false, spellings: [] };
}

function refusalsOfHost(routes: readonly RouteModel[]): (readonly [RouteModel, Refusals])[] {
  // gRPC has case.
  const toBackends = routes.filter((route) => isForwarded(route) && !isGrpc(route));
  const all = toBackends.map((route) => ({ route, rules: rulesOf(route) }));
  const ruled = all.filter(({ rules }) => rules.some((rule) => rule !== ''));
  return all.map(({ route, rules }) => {
    const others = ruled.filter((other) => other.rules.some((rule, index) => rule !== '' && rule !== rules[index]));
    const spellings = new Set(others.flatMap((other) => spellingsOf(other.route, route)));
    return [route, { climbing: others.length > 0, spellings: [...spellings].sort() }];
  });
}

/** Each as text, to be compared by value; none is empty. */
function rulesOf({ auth, allowFrom, rateLimits = [], maxConnectionsPerClient }: RouteModel): string[] {
  return [
    auth === undefined ? '' : JSON.stringify(auth),
    allowFrom === undefined ? '' : JSON.stringify([...allowFrom].sort()),
    rateLimits.length === 0 ? '' : JSON.stringify(rateLimits),
    maxConnectionsPerClient === undefined ? '' : String(maxConnectionsPerClient),
  ];
}

/** What is the path of a route without case and slash, and not to the letter, where another one takes it that lies above. */
function spellingsOf({ path: { kind, path } }: RouteModel, { path: taking }: RouteModel): string[] {
  const [own, above] = [loosely(path), loosely(taking.path)];
  const liesBelow = own === above || own.startsWith(`${above}/`);
  // A route at the path but for its spelling is meant, as `/Admin` is beside `/admin`.
  if (taking.kind === 'exact' || !liesBelow || path === '/' || (kind === 'prefix' && own === above)) return [];
  const meant = new Set([path, ...(own === above ? [taking.path] : [])].map(literal));
  const below = kind === 'prefix' ? '(?:/.*)?' : '';
  return [
    `~(?s)^(?!(?:${[...meant].join('|')})${below}\\z)(?i:${literal(path.replace(/\/$/, ''))})${below || '/?'}\\z`,
  ];
}

function loosely(path: string): string {
  return path.replace(/\/$/, '').toLowerCase();
}

/** Routes that refuse the same share one. */
function spelling(plan: Plan, route: RouteModel): string {
  const { spellings } = refusalsOf(plan, route);
  const first = plan.routes.find((other) => String(refusalsOf(plan, other).spellings) === String(spellings));
  return `$spelt_otherwise_${plan.variableOf(first ?? route)}`;
}
