import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Component } from '../cluster/workloads';
import { Load } from '../load/load';
import type { LoadRequest } from '../load/load-request';
import { byProtocol, type LoadResult, type ProtocolResult } from '../load/load-result';
import { standardReplicas } from './deployed-app';
import type { ReliabilityCluster } from './reliability-cluster';
import { count, plural } from './report/format';

/** Milliseconds between two rollouts, if there is time for that many: a short run has two. */
const longestInterval = 600_000;
/** How often what has ended is summed up and forgotten, in milliseconds: the load must not grow for hours. */
const summingInterval = 5000;
/** So many lost requests are kept to look at. */
const listed = 10_000;

/** When something is rolled out in a run of so many milliseconds, and what: the API and nginx in turn. */
export function rolloutsOf(milliseconds: number): readonly { readonly at: number; readonly component: Component }[] {
  const interval = Math.min(longestInterval, milliseconds / 3);
  // The last one has an interval as well, to end in.
  const number = Math.round(milliseconds / interval) - 1;
  return Array.from({ length: number }, (_, index) => ({
    at: (index + 1) * interval,
    component: index % 2 === 0 ? 'api' : 'proxy',
  }));
}

/** What a run amounts to so far, without its requests. */
export class SoakSum {
  readonly lostRequests: LoadRequest[] = [];
  private all: Counted = { sent: 0, lost: 0, repeated: 0 };
  private overHttp2: Counted = { sent: 0, lost: 0, repeated: 0 };

  add(result: LoadResult): void {
    this.all = plus(this.all, result);
    const http2 = byProtocol(result.requests)['HTTP/2'];
    if (http2 !== undefined) this.overHttp2 = plus(this.overHttp2, http2);
    this.lostRequests.push(...result.lost.slice(0, Math.max(0, listed - this.lostRequests.length)));
  }

  get counted(): Counted & Pick<SoakRun, 'http2'> {
    return { ...this.all, http2: this.overHttp2 };
  }
}

function plus(sum: Counted, { sent, ok, repeated }: ProtocolResult): Counted {
  return { sent: sum.sent + sent, lost: sum.lost + sent - ok, repeated: sum.repeated + repeated };
}

/** Mixed load for a long time, with rollouts in it. */
export async function soak(
  system: ReliabilityCluster,
  { milliseconds, rate }: { readonly milliseconds: number; readonly rate: number },
  doing: (detail: string) => void,
): Promise<SoakRun & Pick<SoakSum, 'lostRequests'>> {
  await system.settle(doing);
  const { workloads, signal, target, statuses, api } = system;
  const begin = Date.now();
  const load = new Load({
    ...{ ...target, rate, getPath: api.getPath, postPath: api.postPath, timeout: 70_000 },
    ...(statuses === undefined ? {} : { statuses }),
  });
  const sum = new SoakSum();
  const summing = setInterval(() => {
    sum.add(load.take());
    const { sent, lost, repeated } = sum.counted;
    doing(`${sent} sent, ${lost} lost, ${repeated} repeated`);
  }, summingInterval);
  const until = (moment: number) => delay(Math.max(0, begin + moment - Date.now()), undefined, { signal });
  const rollouts = rolloutsOf(milliseconds);
  try {
    for (const { at, component } of rollouts) {
      await until(at);
      doing(`rollout of ${component === 'api' ? 'the API' : 'nginx'}`);
      await workloads.restart(component);
      await workloads.rolledOut(component);
      await workloads.readyPods(component, standardReplicas[component]);
    }
    await until(milliseconds);
  } finally {
    clearInterval(summing);
    sum.add(await load.stop());
  }
  return {
    date: new Date(begin).toISOString(),
    seconds: Math.round((Date.now() - begin) / 1000),
    rollouts: rollouts.length,
    ...sum.counted,
    lostRequests: sum.lostRequests,
  };
}

/** What was sent, and what became of it. */
export interface Counted {
  readonly sent: number;
  readonly lost: number;
  /** Sent again, as an HTTP/2 server had said that it did not process it. */
  readonly repeated: number;
}

/** One run of `--soak`. */
export interface SoakRun extends Counted {
  /** When it began. */
  readonly date: string;
  readonly seconds: number;
  readonly rollouts: number;
  /** Of these, over HTTP/2. */
  readonly http2: Counted;
}

/** At most one of so many may be lost, in the sum over all runs: what one run sends is too little to show it. */
const sentForEachLost = 10_000_000;

/** The runs of `--soak` on this machine, a line each in a file. */
export class SoakRuns {
  constructor(private readonly file: string) {}

  add(run: SoakRun): void {
    mkdirSync(dirname(this.file), { recursive: true });
    appendFileSync(this.file, `${JSON.stringify(run)}\n`);
  }

  /** All of them together. */
  get sum(): Counted & { readonly runs: number; readonly reached: boolean } {
    const lines = existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n') : [];
    const runs = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as SoakRun);
    const total = (of: (run: SoakRun) => number) => runs.reduce((sum, run) => sum + of(run), 0);
    const [sent, lost, repeated] = [total((run) => run.sent), total((run) => run.lost), total((run) => run.repeated)];
    return { runs: runs.length, sent, lost, repeated, reached: lost * sentForEachLost <= sent };
  }

  /** What there is to say after a run. */
  text({ seconds, rollouts, http2, ...run }: SoakRun): string {
    const { runs, ...sum } = this.sum;
    return (
      `soak of ${count(seconds)} s with ${plural(rollouts, 'rollout')}: ${counted(run)}; of these over HTTP/2: ${counted(http2)}\n` +
      `in ${plural(runs, 'run')} altogether: ${counted(sum)} (at most 1 in ${count(sentForEachLost)} is asked for; ${this.file})\n`
    );
  }
}

function counted({ sent, lost, repeated }: Counted): string {
  return `${count(sent)} sent, ${count(lost)} lost, ${count(repeated)} repeated`;
}
