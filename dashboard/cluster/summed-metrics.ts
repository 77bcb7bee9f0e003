import { eachProxy } from '../figures';
import { isRestarted, parsedScrape, type Scrape } from '../scrape';

/** What proxies count goes on; of what they hold at the moment, these can be added. */
const counter = /_(?:total|bucket|count|sum)$/;
const addable = /^fairlead_(?:connections|connections_limit|requests_limit)$/;

/** Counters of instances and of proxies, which come and go: there would be more of them with every rollout. */
const passing = /^fairlead_(?:peer|proxy)_/;

/** In milliseconds: a proxy that was not there for so long is forgotten, and whoever has its address then is another one. */
const remembered = 60_000;

/** Metrics of several proxies as those of one: what was counted stays when a proxy goes, or begins anew. */
export class SummedMetrics {
  /** What each proxy said last. */
  private readonly last = new Map<string, Scrape>();
  /** By name and labels, as they are written. */
  private readonly counters = new Map<string, number>();

  /** The sum, in Prometheus' text format, of what each proxy says now, by its name. */
  add(texts: ReadonlyMap<string, string>, time: number): string {
    const gauges = new Map<string, number>();
    const isFirst = this.counters.size === 0;
    for (const [proxy, text] of texts) {
      const scrape = parsedScrape(text, time);
      this.count(proxy, scrape, isFirst);
      addGauges(gauges, proxy, scrape);
    }
    this.forget(time);
    return [...this.counters, ...gauges].map(([series, value]) => `${series} ${value}\n`).join('');
  }

  private forget(time: number): void {
    for (const [proxy, { time: seen }] of this.last) if (time - seen > remembered) this.last.delete(proxy);
    const named = new Set(
      [...this.last].flatMap(([proxy, { metrics }]) => [
        ...[eachProxy.requests, eachProxy.errors].map((name) => written(name, labelOf(proxy))),
        ...[...metrics].flatMap(([name, ofName]) =>
          passing.test(name) ? [...ofName.keys()].map((labels) => written(name, labels)) : [],
        ),
      ]),
    );
    for (const series of this.counters.keys()) {
      if (passing.test(series) && !named.has(series)) this.counters.delete(series);
    }
  }

  private count(proxy: string, scrape: Scrape, isFirst: boolean): void {
    // What one that comes later has counted by then was not in the time since the last look.
    const last = this.last.get(proxy) ?? (isFirst ? undefined : scrape);
    const before = last === undefined || isRestarted(last, scrape) ? undefined : last.metrics;
    const ofProxy = labelOf(proxy);
    for (const [name, ofName] of scrape.metrics) {
      if (!counter.test(name)) continue;
      for (const [labels, { labels: own, value }] of ofName) {
        const had = before?.get(name)?.get(labels)?.value ?? 0;
        // A series that was left out for a while begins at 0 again.
        const grown = value >= had ? value - had : value;
        this.grow(written(name, labels), grown);
        if (name !== 'fairlead_http_requests_total') continue;
        this.grow(written(eachProxy.requests, ofProxy), grown);
        if (own.code?.startsWith('5') === true) this.grow(written(eachProxy.errors, ofProxy), grown);
      }
    }
    this.last.set(proxy, scrape);
  }

  private grow(series: string, grown: number): void {
    this.counters.set(series, (this.counters.get(series) ?? 0) + grown);
  }
}

function addGauges(gauges: Map<string, number>, proxy: string, { metrics }: Scrape): void {
  for (const [name, ofName] of metrics) {
    if (!addable.test(name)) continue;
    for (const [labels, { labels: own, value }] of ofName) {
      // Each was asked by a connection that is no client's. Whoever reads the sum takes off one: those of the others go here.
      const asked = own.state === 'active' || own.state === 'writing' ? 1 : 0;
      const key = written(name, labels);
      const before = gauges.get(key);
      gauges.set(key, before === undefined ? value : before + value - asked);
      if (own.state === 'active') gauges.set(written(eachProxy.connections, labelOf(proxy)), Math.max(0, value - 1));
    }
  }
}

function written(name: string, labels: string): string {
  return labels === '' ? name : `${name}{${labels}}`;
}

function labelOf(proxy: string): string {
  return `proxy="${proxy}"`;
}
