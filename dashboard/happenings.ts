import type { Instance, SystemState } from './system';

/** Something that people look for on a time line. */
export interface Happening {
  /** As Date.now gives it. */
  readonly time: number;
  readonly tone: 'good' | 'plain' | 'warning' | 'bad';
  readonly text: string;
}

/** How it was at a time. */
export interface Observation {
  readonly time: number;
  readonly state: SystemState;
  /** Why the proxy has no figures. */
  readonly problem: string | undefined;
}

/** In milliseconds: for how long one that is gone is shown. */
const goneShown = 20_000;

/** The instances that are there, and those that went lately. */
export function withGone(shown: readonly Instance[], there: readonly Instance[], now: number): readonly Instance[] {
  const names = new Set(there.map(({ name }) => name));
  const gone = shown
    .filter(({ name }) => !names.has(name))
    .map((instance): Instance => (instance.health === 'gone' ? instance : { ...instance, health: 'gone', since: now }))
    .filter(({ since }) => now - since < goneShown);
  return gone.length === 0 ? there : [...there, ...gone].sort(byBackendAndNumber(there));
}

/** Backends as they were; within one by number. */
function byBackendAndNumber(there: readonly Instance[]): (one: Instance, other: Instance) => number {
  const order = [...new Set(there.map(({ backend }) => backend))];
  const place = ({ backend }: Instance): number => {
    const index = order.indexOf(backend);
    return index < 0 ? order.length : index;
  };
  return (one, other) => place(one) - place(other) || one.name.localeCompare(other.name, 'en', { numeric: true });
}

/** What happened between two observations, in which these proxies were started again. */
export function happenings(before: Observation, after: Observation, restarted: readonly string[]): Happening[] {
  const { time, state, problem } = after;
  const found: Omit<Happening, 'time'>[] = [];
  if (problem !== undefined && problem !== before.problem) found.push({ tone: 'bad', text: problem });
  if (problem === undefined && before.problem !== undefined) {
    found.push({ tone: 'good', text: 'The proxy answers again' });
  }
  for (const name of restarted) {
    const proxy = state.proxies.length === 0 ? 'The proxy' : `proxy ${name}`;
    found.push({ tone: 'warning', text: `${proxy} was started again, and counts from 0` });
  }
  const earlier = new Map(before.state.instances.map((instance) => [instance.name, instance]));
  for (const instance of state.instances) {
    const said = ofInstance(earlier.get(instance.name), instance);
    if (said !== undefined) found.push(said);
  }
  for (const proxy of state.proxies.filter((name) => !before.state.proxies.includes(name))) {
    found.push({ tone: 'good', text: `proxy ${proxy} came` });
  }
  for (const proxy of before.state.proxies.filter((name) => !state.proxies.includes(name))) {
    found.push({ tone: 'warning', text: `proxy ${proxy} is gone` });
  }
  for (const [backend, count] of Object.entries(state.wanted)) {
    const had = before.state.wanted[backend] ?? count;
    if (had !== count) found.push({ tone: 'plain', text: `${backend}: scaled from ${had} to ${count}` });
  }
  for (const [route, weights] of Object.entries(state.weights)) {
    if (JSON.stringify(before.state.weights[route] ?? weights) === JSON.stringify(weights)) continue;
    const shares = Object.entries(weights).map(([backend, weight]) => `${backend} ${weight} %`);
    found.push({ tone: 'plain', text: `Weights of ${route}: ${shares.join(', ')}` });
  }
  if (before.state.load !== state.load) {
    found.push({
      tone: 'plain',
      text: state.load === 0 ? 'No load is sent any more' : `${state.load} requests a second are sent`,
    });
  }
  return found.map((each) => ({ time, ...each }));
}

function ofInstance(before: Instance | undefined, after: Instance): Omit<Happening, 'time'> | undefined {
  const { name, health, reason } = after;
  // One that failed and was started again in between.
  if (before?.health === health && before.since === after.since) return undefined;
  switch (health) {
    case 'starting':
      return before === undefined ? { tone: 'plain', text: `${name} came, and starts` } : undefined;
    case 'ready':
      return { tone: 'good', text: `${name} is ready, and gets requests` };
    case 'slow':
      return { tone: 'warning', text: `${name} is made slow` };
    case 'ending':
      return { tone: 'warning', text: `${name} is ending: it gets no new requests` };
    case 'failed':
      return { tone: 'bad', text: `${name} failed${reason === undefined ? '' : ` (${reason})`}: it is started again` };
    case 'gone':
      return { tone: 'warning', text: `${name} is gone` };
  }
}
