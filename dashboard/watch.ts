import { figures, type Figures, type ProxyFigures, type RequestFigures } from './figures';
import { type Happening, happenings, type Observation, withGone } from './happenings';
import { isRestarted, parsedScrape, type Scrape, type ScrapePair } from './scrape';
import type { DashboardSystem, Instance, SystemDescription, SystemState } from './system';

/** A point of the plots: what happened in the second before it. Null where nobody looked, or the proxy did not answer. */
export interface Moment {
  readonly time: number;
  readonly figures: MomentFigures | null;
}

interface MomentFigures extends RequestFigures {
  readonly connections: number;
  readonly inProgress: number;
}

/** What a page is told first: of all proxies together, or of the one that it has chosen. */
export interface Beginning {
  readonly description: SystemDescription;
  /** Whether its buttons do anything. */
  readonly canAct: boolean;
  readonly moments: readonly Moment[];
  readonly happenings: readonly Happening[];
  /** What pages were told last; null if nobody looked until now. */
  readonly latest: Update | null;
}

/** What it is told every second. */
export interface Update {
  readonly moment: Moment;
  readonly state: SystemState;
  /** Of the last ten seconds, but that `proxies` are all of them; null before there is anything to compare. */
  readonly figures: Figures | null;
  readonly happenings: readonly Happening[];
  /** Why there are no figures. */
  readonly problem: string | null;
}

type Listener = (update: Update) => void;

/** A second as it is remembered, so that whoever chooses a proxy sees what it did until now. */
interface Second extends Moment {
  readonly proxies: ReadonlyMap<string, MomentFigures>;
}

/** What a look has found: updates are made of it. */
interface Found extends Omit<Update, 'moment'> {
  readonly second: Second;
  /** Undefined if there was no look. */
  readonly look: Look | undefined;
  /** What tables are about. */
  readonly pairs: Pairs;
}

/** In milliseconds: how often it looks, what it remembers, what tables are about, and how soon a page that is loaded again is back. */
const interval = 1000;
const remembered = 600_000;
const tabled = 10_000;
const absence = 5000;
const mostHappenings = 200;

/** Looks at a system every second, as long as anybody watches and for five seconds more: a page that is closed costs nothing. */
export class Watch {
  /** With the proxy that each has chosen; undefined of all together. */
  private readonly listeners = new Map<Listener, string | undefined>();
  private seconds: Second[] = [];
  private happened: Happening[] = [];
  /** Of the last ten seconds. */
  private looks: Look[] = [];
  private last: Observation | undefined;
  private latest: Found | null = null;
  private timer: NodeJS.Timeout | undefined;
  private leaving: NodeJS.Timeout | undefined;
  private isLooking = false;

  constructor(private readonly system: DashboardSystem) {}

  /** Of one proxy, or of all together. */
  beginning(proxy: string | undefined): Beginning {
    const { description, actions } = this.system;
    return {
      description,
      canAct: actions !== undefined,
      moments: this.seconds.map((second) => momentOf(second, proxy)),
      happenings: this.happened,
      latest: this.latest === null ? null : this.updateOf(this.latest, proxy),
    };
  }

  /** Tells a listener what is new of one proxy, or of all together, until the returned function is called. */
  watch(proxy: string | undefined, listener: Listener): () => void {
    this.listeners.set(listener, proxy);
    clearTimeout(this.leaving);
    if (this.timer === undefined) this.begin();
    return () => {
      if (!this.listeners.delete(listener) || this.listeners.size > 0) return;
      this.leaving = setTimeout(() => {
        this.end();
      }, absence);
    };
  }

  /** Looks no more. */
  end(): void {
    clearTimeout(this.leaving);
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
    this.looks = [];
    this.last = undefined;
    this.latest = null;
    this.system.unwatched();
  }

  private begin(): void {
    const before = this.seconds.at(-1);
    // What was between is not known: a line across it would be a lie.
    if (before?.figures != null) this.seconds.push({ time: before.time + 1, figures: null, proxies: new Map() });
    this.timer = setInterval(() => void this.look(), interval);
    void this.look();
  }

  /** One look at a time: a proxy that answers late is asked less often. */
  private async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      const asked = this.timer;
      const scraped = await this.scrape();
      if (this.timer === asked && asked !== undefined) this.tell(scraped);
    } finally {
      this.isLooking = false;
    }
  }

  private async scrape(): Promise<Look | { readonly problem: string }> {
    try {
      const texts = await this.system.scrape();
      const time = Date.now();
      const before = this.looks.at(-1);
      return new Map([...texts].map(([proxy, text]) => [proxy, parsedScrape(text, time, before?.get(proxy))]));
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }

  private tell(scraped: Look | { readonly problem: string }): void {
    const time = Date.now();
    const state = this.stateNow(time);
    const look = 'problem' in scraped ? undefined : scraped;
    const problem = 'problem' in scraped ? scraped.problem : undefined;
    const previous = this.looks.slice(-1);
    const observation: Observation = { time, state, problem };
    const restarted = [...pairsOf(previous, look)].flatMap(([proxy, pair]) => (isRestarted(...pair) ? [proxy] : []));
    const happened = this.last === undefined ? [] : happenings(this.last, observation, restarted);
    this.last = observation;
    if (restarted.length > 0) this.looks = [];

    const second = secondOf(time, this.figuresOf(pairsOf(previous, look), state));
    const pairs = pairsOf(this.looks.length === 0 ? previous : this.looks, look);
    const tables = this.figuresOf(pairs, state);
    if (look !== undefined) this.looks = [...this.looks, look].filter((each) => time - timeOf(each) <= tabled);

    this.seconds = [...this.seconds, second].filter((each) => time - each.time <= remembered);
    this.happened = [...this.happened, ...happened]
      .filter((each) => time - each.time <= remembered)
      .slice(-mostHappenings);
    const found = { second, look, pairs, state, figures: tables, happenings: happened, problem: problem ?? null };
    this.latest = found;
    const updates = new Map<string | undefined, Update>();
    for (const [listener, proxy] of this.listeners) {
      const update = updates.get(proxy) ?? this.updateOf(found, proxy);
      updates.set(proxy, update);
      listener(update);
    }
  }

  private updateOf({ second, look, pairs, ...all }: Found, proxy: string | undefined): Update {
    const moment = momentOf(second, proxy);
    if (proxy === undefined) return { moment, ...all };
    const pair = pairs.get(proxy);
    const own = pair === undefined ? null : this.figuresOf(new Map([[proxy, pair]]), all.state);
    return {
      ...all,
      moment,
      figures: own === null || all.figures === null ? null : { ...own, proxies: all.figures.proxies },
      problem:
        all.problem ?? (look?.has(proxy) === false ? `Proxy ${proxy} does not answer: it has no figures now` : null),
    };
  }

  private figuresOf(pairs: Pairs, state: SystemState): Figures | null {
    return pairs.size === 0 ? null : figures(pairs, this.system.description, state);
  }

  private stateNow(time: number): SystemState {
    const state = this.system.state();
    const shown: readonly Instance[] = this.last?.state.instances ?? [];
    return { ...state, instances: withGone(shown, state.instances, time) };
  }
}

/** What each proxy that answered said, by its name. */
type Look = ReadonlyMap<string, Scrape>;

/** By the name of a proxy. */
type Pairs = ReadonlyMap<string, ScrapePair>;

function secondOf(time: number, lately: Figures | null): Second {
  return {
    time,
    figures: lately === null ? null : momentFigures(lately.proxy),
    proxies: new Map(lately?.proxies.map((each) => [each.name, momentFigures(each)])),
  };
}

/** Of figures what plots show. */
function momentFigures({
  requests,
  errors,
  clientErrors,
  p50,
  p99,
  connections,
  inProgress,
}: ProxyFigures): MomentFigures {
  return { requests, errors, clientErrors, p50, p99, connections, inProgress };
}

function momentOf({ time, figures: all, proxies }: Second, proxy: string | undefined): Moment {
  return { time, figures: proxy === undefined ? all : (proxies.get(proxy) ?? null) };
}

function timeOf(look: Look): number {
  return look.values().next().value?.time ?? 0;
}

/** For each proxy that answers now: what it said first in these looks, and now. One that comes later counts from then on. */
function pairsOf(looks: readonly Look[], now: Look | undefined): Pairs {
  const pairs = new Map<string, ScrapePair>();
  for (const [proxy, after] of now ?? []) {
    const before = looks.find((look) => look.has(proxy))?.get(proxy);
    if (before !== undefined) pairs.set(proxy, [before, after]);
  }
  return pairs;
}
