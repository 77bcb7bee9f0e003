import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Load } from '../load/load';
import type { LoadRequest } from '../load/load-request';
import { byProtocol, type LoadResult } from '../load/load-result';
import { asBeforeSince, isAsBefore, latency, perSecond, recent, shareDeviationSince, sortLost } from './analysis';
import { judgements, lossJudgement, recoveryBound, recoveryJudgement, sharesJudgement } from './judgements';
import { PodHistory } from './pod-history';
import type { ReliabilityCluster } from './reliability-cluster';
import type { RunOptions } from './run-options';
import { type Scenario, ScenarioContext } from './scenario';
import type { Latency, ScenarioResult } from './scenario-result';

/** Milliseconds of load before anything happens, and after everything is as before. */
const baselinePhase = 5000;
const tail = 4000;
/**
 * The same before a scenario that is held against nothing else: one with a rate of its own, and an attack, which the machine's
 * slow seconds may meet hours after the baseline. Its connections are opened before.
 */
const ownBaselinePhase = 15_000;
const beginOfLoad = 5000;
/** Milliseconds that a system may take to be as before until that counts as never. */
const patience = 90_000;
export interface ScenarioRun {
  readonly system: ReliabilityCluster;
  readonly options: RunOptions;
  /** Takes every request that was lost. */
  readonly listLost: (name: string, lost: readonly LoadRequest[]) => void;
  /** Latencies of the same run while nothing happened; undefined while they are measured. */
  readonly baseline: Latency | undefined;
}

/** Runs one scenario from the standard state, and says what became of every request. */
export async function runScenario(
  scenario: Scenario,
  { system, options, baseline, listLost }: ScenarioRun,
  doing: (detail: string) => void,
): Promise<ScenarioResult> {
  await system.settle(doing, scenario.changes);
  for (const changes of scenario.applies ?? []) await system.synthesize(changes);
  await scenario.prepare?.(system);
  const history = new PodHistory(system.workloads);
  const since = new Date();
  const rate = scenario.rate ?? options.rate;
  const hasOwnBaseline = scenario.rate !== undefined || scenario.group === 'attacks';
  const beforeBaseline = hasOwnBaseline ? beginOfLoad : 0;
  const load = new Load({
    ...system.target,
    ...(scenario.entry === 'workers' ? { nodes: system.workerNodes } : {}),
    ...(system.statuses === undefined ? {} : { statuses: system.statuses }),
    getPath: system.api.getPath,
    postPath: system.api.postPath,
    ...scenario.asks,
    rate,
    timeout: 70_000,
  });
  const busySeconds = new BusySeconds();
  const begin = Date.now();
  const context = new ScenarioContext(system, load, begin, history, doing);
  let instances: string[];
  const knowsInstances = system.statuses === undefined && scenario.asks === undefined;
  const notesShares = knowsInstances && scenario.notesShares === true;
  const judgesShares = knowsInstances && !notesShares;
  let result: LoadResult;
  try {
    await delay(beforeBaseline + (hasOwnBaseline ? ownBaselinePhase : baselinePhase), undefined, {
      signal: system.signal,
    });
    await scenario.act(context);
    // The latency of an operation is judged, that of a fault is not.
    const seconds = scenario.group === 'operations' ? options.seconds : options.seconds / 3;
    await waitUntilAsBefore(context, seconds * 1000, judgesShares);
    instances = (await system.workloads.pods('api')).map(({ metadata }) => metadata.name);
  } finally {
    context.note('seconds in which every core of this machine was busy', busySeconds.stop());
    result = await load.stop();
    await history.stop();
    await context.end();
  }
  listLost(scenario.name, result.lost);
  const lost = sortLost(result.lost, result.lost.length === 0 ? [] : await system.workloads.proxyLogs(since));
  // Pods that come and go as they should: a fault has its own times, and a scenario of another group may change some.
  for (const { name, ready, ended, gone, component } of scenario.group === 'operations' ? history.pods : []) {
    const first = result.firstRequest.get(name);
    if (ready !== undefined && ready > begin && first !== undefined) {
      context.measure('api-pod-starts.first-request', (first - ready) / 1000);
    }
    if (ended === undefined || ended < begin) continue;
    const last = Math.max(...result.requests.filter(({ hostname }) => hostname === name).map(({ started }) => started));
    if (Number.isFinite(last)) context.measure('api-pod-ends.last-request', (last - ended) / 1000);
    if (gone !== undefined)
      context.measure(component === 'api' ? 'api-pod-ends.gone' : 'proxy-ends.gone', (gone - ended) / 1000);
  }
  const disturbedFrom = begin + (context.events[0]?.second ?? 0) * 1000;
  const causeEnded = context.causeEnded ?? disturbedFrom;
  const named = judgesShares ? instances : undefined;
  const asBefore = asBeforeSince(result.requests, causeEnded, named);
  const recovery = asBefore === undefined ? undefined : (asBefore - causeEnded) / 1000;
  const disturbed = result.requests.filter(({ started }) => started >= disturbedFrom);
  const partial = {
    name: scenario.name,
    title: scenario.title,
    group: scenario.group,
    description: scenario.description,
    rate,
    sent: result.sent,
    answered: result.ok,
    lostGet: lost.get.length + lost.getHungTwice.length,
    lostPostSent: lost.postSent.length,
    lostPostNotSent: lost.postNotSent.length,
    protocols: byProtocol(result.requests),
    latency: latency(disturbed),
    baseline: latency(
      result.requests.filter(({ started }) => started >= begin + beforeBaseline && started < disturbedFrom),
    ),
    recovery,
    ...(context.waited === undefined ? {} : { waited: context.waited }),
    ...(context.attack === undefined
      ? {}
      : { attack: { ...context.attack, latency: latency(disturbed.filter(({ started }) => started < causeEnded)) } }),
    events: context.events,
    seconds: perSecond(result.requests, begin),
    notes: [
      ...context.notes,
      ...(notesShares ? [deviationNote(shareDeviationSince(causeEnded, result.requests, instances))] : []),
      ...whyLost(result),
      { name: 'p99 of how late the load itself was', value: `${Math.round(result.delay)} ms` },
    ],
    measured: context.measured,
  };
  return {
    ...partial,
    judgements: [
      ...judgements(
        scenario,
        partial,
        lost,
        hasOwnBaseline ? partial.baseline : baseline,
        system.deployed.route.timeline.connectTimeout,
      ),
      ...(named === undefined || asBefore === undefined ? [] : [sharesJudgement(result.requests, asBefore, named)]),
      ...(context.loss === undefined ? [] : [lossJudgement(lost, context.loss)]),
      // Reused ports may still lead to a lost node after it is back.
      ...(context.loss === undefined || context.loss.reusedPorts !== undefined ? [] : [recoveryJudgement(partial)]),
      ...context.judgements,
    ],
  };
}

async function waitUntilAsBefore(
  { load, system, causeEnded = 0 }: ScenarioContext,
  least: number,
  judgesShares: boolean,
): Promise<void> {
  const end = Date.now() + patience;
  // Shares that are fair by chance while the proxies still recover would end the run in the midst of it.
  const recovered = causeEnded + recoveryBound * 1000;
  const leastEnd = Math.max((load.requests[0]?.started ?? Date.now()) + least, recovered);
  const instances = async (): Promise<string[]> =>
    (await system.workloads.pods('api')).map(({ metadata }) => metadata.name);
  const names = judgesShares ? await instances() : undefined;
  while (Date.now() < end) {
    const now = Date.now();
    if (now >= leastEnd && isAsBefore(recent(load.requests, now), names)) break;
    await delay(500, undefined, { signal: system.signal });
  }
  await delay(tail, undefined, { signal: system.signal });
}

function deviationNote(deviation: number): { name: string; value: string } {
  return { name: "largest deviation from a pod's fair share afterwards", value: `${Math.round(deviation * 100)} %` };
}

/** How the lost ones were lost, the most frequent reason first. */
function whyLost({ lost }: LoadResult): { name: string; value: string }[] {
  const reasons = new Map<string, number>();
  for (const { method, protocol, connectionUse, error = '' } of lost) {
    const reason = `${method}, ${protocol}, ${connectionUse} connection: ${error}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [...reasons]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 8)
    .map(([reason, count]) => ({ name: 'lost', value: `${count} × ${reason}` }));
}

/** From this part of all cores' time on, a second had none left for whatever came next. */
const busy = 0.95;

/** Counts the seconds in which every core of this machine was busy: what is slow then is slow for want of them. */
class BusySeconds {
  private seconds = 0;
  private busySeconds = 0;
  private last = times();
  private readonly timer = setInterval(() => {
    const now = times();
    const part = 1 - (now.idle - this.last.idle) / (now.all - this.last.all);
    this.last = now;
    this.seconds += 1;
    if (part >= busy) this.busySeconds += 1;
  }, 1000);

  stop(): string {
    clearInterval(this.timer);
    return `${this.busySeconds} of ${this.seconds}`;
  }
}

function times(): { readonly idle: number; readonly all: number } {
  const each = cpus().map((cpu) => cpu.times);
  const idle = each.reduce((sum, { idle }) => sum + idle, 0);
  return { idle, all: idle + each.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0) };
}

/** What a scenario amounts to, for the terminal: one line, where its lost requests are listed, and a line for each aim that was not reached. */
export function resultLine(result: ScenarioResult, lostFile: string): string {
  const { name, sent, lostGet, lostPostSent, lostPostNotSent, latency, recovery, judgements } = result;
  const lost = lostGet + lostPostSent + lostPostNotSent;
  const repeated = result.protocols['HTTP/2']?.repeated ?? 0;
  const columns = [
    name.padEnd(34),
    `${sent} sent`.padStart(11),
    `${lost} lost`.padStart(9),
    `${repeated} repeated`.padStart(13),
    `p99 ${Math.round(latency.p99)} ms`.padStart(12),
    `max ${Math.round(latency.max)} ms`.padStart(14),
    (recovery === undefined ? 'never as before' : `as before after ${recovery.toFixed(1)} s`).padStart(24),
  ];
  const listed = lost === 0 ? '' : `    the lost ones: ${lostFile}\n`;
  const missed = judgements.filter(({ reached }) => !reached).map(({ text }) => `    not reached: ${text}\n`);
  return `${columns.join(' ')}\n${listed}${missed.join('')}`;
}
