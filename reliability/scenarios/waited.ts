import type { ScenarioContext } from '../scenario';

/** From this many milliseconds on an answer has waited for something that hung, and not only for its turn. */
const long = 1500;

/** Says how many requests waited for an instance that hung, how long, and what bound the timeline has for it. */
export function waited(context: ScenarioContext, since: number): void {
  const slow = context.load.requests.filter(
    ({ started, milliseconds }) => started >= since - 1000 && milliseconds >= long,
  );
  const gets = slow.filter(({ method }) => method === 'GET');
  const answered = gets.filter(({ error }) => error === undefined);
  const longest = Math.max(0, ...gets.map(({ milliseconds }) => milliseconds)) / 1000;
  const bound = context.system.deployed.route.timeline.longestWaitOnHungPods;
  context.waited = { sent: gets.length, answered: answered.length, longest, bound };
  context.note('POSTs that waited on what hung', String(slow.length - gets.length));
  context.judge('no GET waited longer than the bound of the timeline', longest <= bound);
}
