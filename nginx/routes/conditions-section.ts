import { ConditionModel } from '../../model/routes/matching';
import { RouteModel } from '../../model/routes/route';
import { block, Directive, directive, heading, Node, quote } from '../directive';
import { Plan } from '../plan';
import { requestVariable } from './request-variables';
import { Choice, ConditionalChoice, conditionalChoices, isConditional } from './routing';

/**
 * Maps that choose the location of a request by what it has beside its path. Values are regular expressions, since nginx
 * compares plain ones without case.
 */
export function conditionsSection(plan: Plan): Node[] {
  const choices = conditionalChoices(plan.hosts.flatMap(({ paths }) => paths));
  if (choices.length === 0) return [];
  return [
    heading('Routes that more than a path chooses: "~^…$" is the whole value, letter for letter'),
    ...choices.flatMap((choice) => choiceMaps(plan, choice)),
  ];
}

/** In a location that is entered by a path which does not decide alone: gives `$chosen` what error_page leads to. */
export function choose(plan: Plan, choice: ConditionalChoice): Directive[] {
  const variables = choiceVariables(plan, choice).reverse();
  // A variable that was asked for is not followed again.
  const steps = variables.filter((_, index) => (index + 1) % mostFollowed === 0 || index === variables.length - 1);
  return steps.map((name) => directive(`set $chosen ${name}`));
}

/** nginx follows no more than 100 variables that lead to one another. */
export const mostFollowed = 40;

/** Those of a choice, and of what it goes on to, in the order in which one leads to another. */
export function choiceVariables(plan: Plan, choice: Choice): string[] {
  if (!isConditional(choice)) return [];
  const { conditional, otherwise } = choice;
  const firstOfEach = isAboutOneVariable(choice)
    ? [conditional[0]]
    : conditional.filter((_, index) => index % mostTogether === 0);
  return [...firstOfEach.map((route) => `$choice_${plan.variableOf(route)}`), ...choiceVariables(plan, otherwise)];
}

/** A named location, or the variable that holds one. */
function chosenLocation(plan: Plan, choice: Choice): string {
  if (choice === undefined) return '@not_found';
  return isConditional(choice) ? `$choice_${plan.variableOf(choice.conditional[0])}` : routeLocation(choice);
}

export function routeLocation({ name }: RouteModel): string {
  return `@route_${name}`;
}

function choiceMaps(plan: Plan, choice: ConditionalChoice): Directive[] {
  const { conditional, otherwise } = choice;
  const name = chosenLocation(plan, choice);
  const last = directive(`default ${chosenLocation(plan, otherwise)}`);
  const [first] = conditional[0].when;
  if (first !== undefined && isAboutOneVariable(choice)) {
    const lines = conditional.flatMap((route) =>
      route.when.map((condition) => directive(`${expression(condition)} ${routeLocation(route)}`)),
    );
    return [block(`map ${requestVariable(first)} ${name}`, [last, ...lines])];
  }
  return [...conditional.flatMap((route) => holdsMaps(plan, route)), ...firstThatHolds(plan, conditional, name, last)];
}

/** Whether each route asks for a value of the same variable, and for nothing else. */
function isAboutOneVariable({ conditional }: ConditionalChoice): boolean {
  return (
    conditional.every(({ when }) => when.length === 1) &&
    new Set(conditional.flatMap(({ when }) => when.map(requestVariable))).size === 1
  );
}

/** So many variables surely fit into the 4096 bytes of a parameter. */
const mostTogether = 20;

/** By the first 1 in what the conditions of each route gave, some at a time. */
function firstThatHolds(plan: Plan, routes: readonly RouteModel[], name: string, otherwise: Directive): Directive[] {
  const [together, beyond] = [routes.slice(0, mostTogether), routes.slice(mostTogether)];
  const [next] = beyond;
  const rest = next === undefined ? undefined : `$choice_${plan.variableOf(next)}`;
  const source = together.map((route) => `$is_${plan.variableOf(route)}`).join('');
  return [
    block(`map ${together.length === 1 ? source : `"${source}"`} ${name}`, [
      rest === undefined ? otherwise : directive(`default ${rest}`),
      ...together.map((route, index) => directive(`"~^${'0'.repeat(index)}1" ${routeLocation(route)}`)),
    ]),
    ...(rest === undefined ? [] : firstThatHolds(plan, beyond, rest, otherwise)),
  ];
}

/** Gives 1 if all conditions of a route hold, and 0 if not: each is asked if those before it hold. */
function holdsMaps(plan: Plan, route: RouteModel): Directive[] {
  const name = (index: number): string => `$is${index === 0 ? '' : index + 1}_${plan.variableOf(route)}`;
  return route.when.map((condition, index) =>
    block(`map ${requestVariable(condition)} ${name(index)}`, [
      directive('default 0'),
      directive(`${expression(condition)} ${index + 1 < route.when.length ? name(index + 1) : '1'}`),
    ]),
  );
}

function expression(condition: ConditionModel): string {
  const whole =
    condition.kind === 'method'
      ? condition.methods.length === 1
        ? condition.methods.join()
        : `(?:${condition.methods.join('|')})`
      : literal(condition.value);
  return quote('when', `~^${whole}$`);
}

/** Text as a regular expression that stands for it alone. */
export function literal(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}
