import { RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node } from '../directive';
import { Plan } from '../plan';

/** Who may not ask, for each list of networks once. `geo` finds an address in a tree, however long the list is. */
export function allowFromSection(plan: Plan): Node[] {
  const lists = plan.routes.filter((route) => route.allowFrom !== undefined && plan.first.allowFrom(route) === route);
  if (lists.length === 0) return [];
  return [
    heading('Who may ask, by the address of the client as trusted proxies name it'),
    ...lists.map((route) =>
      block(`geo ${stranger(plan, route)}`, [
        directive('default 1'),
        ...(route.allowFrom ?? []).map((network) => directive(`${network} 0`)),
      ]),
    ),
  ];
}

/** In every location of a route, before all that answers: `deny` would come after `return`, which runs in the rewrite phase. */
export function refuseStrangers(plan: Plan, route: RouteModel): Directive[] {
  if (route.allowFrom === undefined) return [];
  return [block(`if (${stranger(plan, route)})`, [directive('return 403')], 'not one of those that may ask')];
}

function stranger(plan: Plan, route: RouteModel): string {
  return `$stranger_to_${plan.variableOf(plan.first.allowFrom(route))}`;
}
