import { type Agent, get } from 'node:http';

export interface Series {
  /** As its labels were written. */
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a proxy had counted at a time: the series of each metric, by their labels as they were written. */
export interface Scrape {
  /** As Date.now gives it. */
  readonly time: number;
  readonly metrics: ReadonlyMap<string, ReadonlyMap<string, Series>>;
}

/**
 * Reads Prometheus' text format. What is no sample is left out. Labels that the scrape before has too are its own: thousands of series are
 * remembered for ten seconds.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parsedScrape(text: string, time: number, before?: Scrape): Scrape {
  const metrics = new Map<string, Map<string, Series>>();
  for (const line of text.split('\n')) {
    const [, name = '', written = '', number = ''] = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)/i.exec(line) ?? [];
    const value = Number(number);
    if (name === '' || number === '' || Number.isNaN(value)) continue;
    const ofName = metrics.get(name) ?? new Map<string, Series>();
    const { key, labels: own } = before?.metrics.get(name)?.get(written) ?? labelled(written);
    metrics.set(name, ofName.set(key, { key, labels: own, value }));
  }
  return { time, metrics };
}

/** What a proxy answers to whoever asks for its metrics, with those of each instance; rejects if it does not within so many milliseconds. */
export function metricsAt(host: string, port: number, agent: Agent, timeout: number): Promise<string> {
  const problem = 'The proxy does not answer: it has no figures now';
  return new Promise((resolve, reject) => {
    const request = get({ agent, host, port, path: '/metrics?peers', timeout }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(problem));
      });
    });
    request.once('timeout', () => request.destroy());
    request.on('error', () => {
      reject(new Error(problem));
    });
  });
}

function labelled(written: string): Pick<Series, 'key' | 'labels'> {
  // A copy: a part of a text keeps all of it in memory.
  const key = Buffer.from(written).toString();
  const pairs = [...key.matchAll(/([a-z_]\w*)="((?:[^"\\]|\\.)*)"/gi)];
  return { key, labels: Object.fromEntries(pairs.map(([, label = '', value = '']) => [label, unescaped(value)])) };
}

function unescaped(value: string): string {
  return value.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

/** Every series of a metric. */
export function seriesOf({ metrics }: Scrape, metric: string): readonly Series[] {
  return [...(metrics.get(metric)?.values() ?? [])];
}

/** What a gauge was; undefined if it is not there. */
export function gauge(scrape: Scrape, name: string, state?: string): number | undefined {
  return seriesOf(scrape, name).find(({ labels: own }) => state === undefined || own.state === state)?.value;
}

/** Whether the proxy began to count anew: a request that was counted is never forgotten otherwise. */
export function isRestarted(before: Scrape, after: Scrape): boolean {
  const now = after.metrics.get(requests);
  return [...(before.metrics.get(requests) ?? [])].some(([key, { value }]) => (now?.get(key)?.value ?? 0) < value);
}

const requests = 'fairlead_http_requests_total';

type Matches = (labels: Series['labels']) => boolean;

const all: Matches = () => true;

/** Two scrapes of one proxy. */
export type ScrapePair = readonly [before: Scrape, after: Scrape];

const nothing: Scrape['metrics'] = new Map();

/** Of a histogram: the count of all that is not greater, by the bound. */
export type Buckets = ReadonlyMap<number, number>;

/** What happened between two scrapes of a proxy, and how it was at the later one; of several proxies, all of them together. */
export class Growth {
  /** On average, if there are several. */
  readonly seconds: number;
  /** The later scrapes. */
  readonly after: readonly Scrape[];
  private readonly counts: readonly { readonly before: Scrape['metrics']; readonly after: Scrape['metrics'] }[];

  constructor(...pairs: readonly ScrapePair[]) {
    const milliseconds = pairs.reduce((sum, [before, after]) => sum + after.time - before.time, 0);
    this.seconds = milliseconds / 1000 / Math.max(1, pairs.length);
    this.after = pairs.map(([, after]) => after);
    this.counts = pairs.map(([before, after]) => ({
      before: isRestarted(before, after) ? nothing : before.metrics,
      after: after.metrics,
    }));
  }

  /** So many of something in this time, a second. */
  perSecond(count: number): number {
    return this.seconds > 0 ? count / this.seconds : 0;
  }

  /** How much counters grew. */
  of(metric: string, matches: Matches = all): number {
    let sum = 0;
    for (const { grown, labels: own } of this.series(metric)) if (matches(own)) sum += grown;
    return sum;
  }

  /** The same by what is made of their labels. */
  by(metric: string, key: (labels: Series['labels']) => string): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { grown, labels: own } of this.series(metric)) {
      const name = key(own);
      sums.set(name, (sums.get(name) ?? 0) + grown);
    }
    return sums;
  }

  /** Every series of a metric as it was at the later scrapes; one of several proxies is there several times. */
  latest(metric: string): readonly Series[] {
    return this.after.flatMap((scrape) => seriesOf(scrape, metric));
  }

  /** The value that this part of what a histogram observed does not exceed; null if it observed nothing. */
  quantile(part: number, histogram: string, matches: Matches = all): number | null {
    const matching = this.buckets(histogram, matches).get(true);
    return matching === undefined ? null : quantileOfAll(part, [matching]);
  }

  /** How much the buckets of a histogram grew, by what is made of their labels: one pass for the quantiles of each. */
  buckets<Key>(histogram: string, key: (labels: Series['labels']) => Key): ReadonlyMap<Key, Buckets> {
    const histograms = new Map<Key, Map<number, number>>();
    for (const { grown, labels: own } of this.series(`${histogram}_bucket`)) {
      const name = key(own);
      const bound = own.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(own.le);
      const counts = histograms.get(name) ?? new Map<number, number>();
      histograms.set(name, counts.set(bound, (counts.get(bound) ?? 0) + grown));
    }
    return histograms;
  }

  /** A series that is new, or that began anew, grew by all that it has. */
  private *series(metric: string): Iterable<{ readonly labels: Series['labels']; readonly grown: number }> {
    for (const { before, after } of this.counts) {
      for (const [key, { labels: own, value }] of after.get(metric) ?? []) {
        const had = before.get(metric)?.get(key)?.value ?? 0;
        yield { labels: own, grown: value >= had ? value - had : value };
      }
    }
  }
}

/** The value that this part of what several histograms observed together does not exceed; null if they observed nothing. */
export function quantileOfAll(part: number, histograms: readonly Buckets[]): number | null {
  const counts = new Map<number, number>();
  for (const [bound, count] of histograms.flatMap((buckets) => [...buckets])) {
    counts.set(bound, (counts.get(bound) ?? 0) + count);
  }
  return quantile(
    part,
    [...counts].sort(([one], [other]) => one - other),
  );
}

/**
 * As Prometheus has it: evenly spread within a bucket, and never more than the last finite bound. Buckets are upper bounds with the
 * count of all that is not greater, in order.
 * @see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export function quantile(part: number, buckets: readonly (readonly [bound: number, count: number])[]): number | null {
  const observed = buckets.at(-1)?.[1] ?? 0;
  if (observed <= 0) return null;
  const rank = part * observed;
  let [lower, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= rank && count > below) {
      return Number.isFinite(bound) ? lower + ((bound - lower) * (rank - below)) / (count - below) : lower;
    }
    if (Number.isFinite(bound)) lower = bound;
    below = count;
  }
  return lower;
}
