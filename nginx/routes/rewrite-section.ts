import { RouteModel, TargetModel } from '../../model/routes/route';
import { block, Directive, directive, heading, Node, quote, quoteWithVariables } from '../directive';
import { authority } from '../place';
import { Plan } from '../plan';
import { literal } from './conditions-section';
import { refusesClimbing } from './spelling-section';

/** What stands for the path of a route: before the rest of a longer path, and alone. As nginx writes it, in quotes. */
interface Replacement {
  readonly before: string;
  readonly alone: string;
}

/**
 * Maps that exchange the path of a route for another in what the client wrote, byte for byte. They give nothing, and the
 * answer is 400, where that does not begin with the path: it was encoded, doubled or walked to, as no client does by itself.
 */
export function rewriteSection(plan: Plan): Node[] {
  const rewritten = plan.routes.flatMap((route) => {
    const replacement = replacementOf(plan, route);
    return replacement === undefined ? [] : [rewriteMap(plan, route, replacement)];
  });
  if (rewritten.length === 0 && !refusesClimbing(plan)) return [];
  return [
    heading(
      rewritten.length === 0
        ? 'Paths that climb: a backend may read another route in them, whose rules are others'
        : 'Paths that are rewritten: the rest stays as the client wrote it',
    ),
    block(
      'map $request_uri $straight_uri',
      [directive('default $request_uri'), directive(`${quote('rewrite', climbing)} ""`)],
      rewritten.length === 0 ? undefined : 'none that climbs out of what is put before it',
    ),
    ...rewritten,
  ];
}

/** In every location of a route that rewrites. */
export function refuseOtherSpellings(plan: Plan, route: RouteModel): Directive[] {
  if (replacementOf(plan, route) === undefined) return [];
  return [block(`if (${rewrittenUri(plan, route)} = "")`, [directive('return 400')], 'the path is spelt otherwise')];
}

/** The URI that a route's backend is asked for, if it is not the client's. */
export function rewrittenUri(plan: Plan, route: RouteModel): string {
  return replacementOf(plan, route) === undefined ? '' : `$rewritten_${plan.variableOf(route)}`;
}

/** Where a redirect leads. */
export function redirectLocation(plan: Plan, route: RouteModel, location: string): string {
  return replacementOf(plan, route) === undefined ? `"${locationText(plan, location)}"` : rewrittenUri(plan, route);
}

/** A segment of two dots, however it is encoded and whatever a backend takes for the end of a segment. */
const climbing = '~*^[^?]*(?:[/\\\\]|%2f|%5c)(?:\\.|%2e){2}(?:[/\\\\;?#]|%2f|%5c|%3b|$)';

function rewriteMap(plan: Plan, route: RouteModel, { before, alone }: Replacement): Directive {
  const { path } = route;
  const prefix = path.path === '/' ? '' : literal(path.path);
  return block(`map $straight_uri ${rewrittenUri(plan, route)}`, [
    ...(path.kind === 'prefix'
      ? [directive(`${quote('path', `~^${prefix}(?<rest_of_path>/.*)$`)} "${before}$rest_of_path"`)]
      : []),
    ...(path.kind === 'prefix' && path.path === '/'
      ? []
      : [directive(`${quote('path', `~^${literal(path.path)}(?<query_alone>\\?.*)?$`)} "${alone}$query_alone"`)]),
  ]);
}

function replacementOf(plan: Plan, { path, target, rewrite }: RouteModel): Replacement | undefined {
  if (target.kind === 'redirect') {
    // A query of its own has no room for another path.
    if (/[?#]/.test(target.location)) return undefined;
    const location = locationText(plan, target.location);
    return { before: location.replace(/\/$/, ''), alone: location };
  }
  if (target.kind === 'response' || target.kind === 'files') return undefined;
  const stripped = rewrite ?? (isBelowPath(target) ? path.path.replace(/^\/$/, '') : undefined);
  if (stripped === undefined) return undefined;
  const prefix = inside('rewrite', `${isBelowPath(target) ? target.pathPrefix : ''}${stripped}`);
  return { before: prefix, alone: prefix === '' ? '/' : prefix };
}

/** Whether something stands before every path that its target is asked for. */
function isBelowPath(target: TargetModel): target is TargetModel & { readonly kind: 'external' } {
  return target.kind === 'external' && target.pathPrefix !== '';
}

/** Written out, since nginx itself would name the port that it listens on. */
function locationText({ place }: Plan, location: string): string {
  return `${location.startsWith('/') ? `https://${authority(place)}` : ''}${inside('location', location)}`;
}

/** What goes into quotes together with variables. */
function inside(option: string, text: string): string {
  return quoteWithVariables(option, text).slice(1, -1);
}
