import { integer } from '../validation/amounts';
import { record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { oneOf } from '../validation/names';
import type { SystemActions } from './system';

/** The most requests a second that a page may have sent. */
const mostLoad = 500;

type Given = Readonly<Record<string, unknown>>;

/** What each button sends, and what comes of it. Whatever a name or number may not be, the system itself refuses. */
const run: Readonly<Record<keyof SystemActions, (actions: SystemActions, given: Given) => void>> = {
  scale: (actions, given) => {
    actions.scale(text('backend', given), integer('count', given.count, 0, Number.MAX_SAFE_INTEGER));
  },
  stop: (actions, given) => {
    actions.stop(text('instance', given));
  },
  kill: (actions, given) => {
    actions.kill(text('instance', given));
  },
  slow: (actions, given) => {
    if (typeof given.isSlow !== 'boolean') {
      throw new InvalidOption('isSlow', given.isSlow, 'is neither true nor false');
    }
    actions.slow(text('instance', given), given.isSlow);
  },
  weigh: (actions, given) => {
    actions.weigh(text('backend', given), integer('percent', given.percent, 0, 100));
  },
  load: (actions, given) => {
    actions.load(integer('rate', given.rate, 0, mostLoad));
  },
};

/** Does what a page has asked for: `{ "action": "stop", "instance": "api-1" }`. Throws an InvalidOption for what is none of it. */
export function runAction(actions: SystemActions, body: string): void {
  const given = record('action', parsed(body), '{ "action": "stop", "instance": "api-1" }');
  run[oneOf('action', given.action, Object.keys(run) as (keyof SystemActions)[])](actions, given);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new InvalidOption('action', body, 'is not JSON');
  }
}

function text(name: string, given: Given): string {
  const value = given[name];
  if (typeof value === 'string' && value.length <= 253) return value;
  throw new InvalidOption(name, value, 'is not a name');
}
