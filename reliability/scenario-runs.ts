import { existsSync } from 'node:fs';
import { Failure } from '../cluster/command-line';
import { requireTools } from '../cluster/external-command';
import { KindCluster } from '../cluster/kind-cluster';
import { Progress } from '../cluster/progress';
import type { DeployedApp } from './deployed-app';
import { ReliabilityCluster } from './reliability-cluster';
import { Results } from './results';
import type { RunOptions } from './run-options';
import { resultLine, runScenario } from './run-scenario';
import type { Scenario } from './scenario';
import type { ScenarioResult } from './scenario-result';

/** Deploys an app to a cluster that is made for it, and removed again once the work with it is done, unless it is kept. */
export async function inOwnCluster<Outcome>(
  { cluster: name, api, keep }: Pick<RunOptions, 'cluster' | 'api' | 'keep'>,
  app: () => DeployedApp,
  signal: AbortSignal,
  work: (system: ReliabilityCluster, progress: Progress) => Promise<Outcome>,
): Promise<Outcome> {
  await requireTools(signal);
  // One core at a time for each kubectl: what is judged runs on this machine too.
  process.env.GOMAXPROCS ??= '1';
  const progress = new Progress(process.stderr);
  const cluster = new KindCluster(name);
  if ((await cluster.exists(signal)) && !existsSync(cluster.kubeconfig)) {
    throw new Failure(
      `the kind cluster "${name}" was made in another directory: give another --cluster, or remove it with "kind delete cluster --name=${name}"`,
    );
  }
  try {
    return await work(await ReliabilityCluster.open(cluster, app(), api, progress, signal), progress);
  } finally {
    if (!keep) await removeCluster(cluster, progress);
  }
}

async function removeCluster(cluster: KindCluster, progress: Progress): Promise<void> {
  if (!(await cluster.exists())) return;
  await progress.step(`kind cluster "${cluster.name}", removed`, () => cluster.delete());
}

/** Runs these scenarios in order, says what each amounts to, and gives what there is of them. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  system: ReliabilityCluster,
  options: RunOptions,
  progress: Progress,
): Promise<ScenarioResult[]> {
  const results = new Results(options);
  if (!options.resume && options.only === undefined) results.clear();
  const done: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    const kept = options.resume && options.only === undefined ? results.find(scenario.name) : undefined;
    const result = kept ?? (await run(scenario, system, options, progress, done, results));
    results.write(result);
    done.push(result);
    process.stdout.write(resultLine(result, results.lostFile(scenario.name)));
  }
  return done;
}

function run(
  scenario: Scenario,
  system: ReliabilityCluster,
  options: RunOptions,
  progress: Progress,
  done: readonly ScenarioResult[],
  results: Results,
): Promise<ScenarioResult> {
  const baseline = done.find(({ name }) => name === 'baseline')?.latency ?? results.find('baseline')?.latency;
  const listLost = results.listLost.bind(results);
  return measured(() =>
    progress.step(scenario.title, (doing) => runScenario(scenario, { system, options, baseline, listLost }, doing)),
  );
}

/** So often a scenario is measured that was too slow, and nothing else: an odd number, as the one in the middle counts. */
const measurements = 3;

/**
 * Measures a scenario, and again if it was too slow and nothing else: the machine has slow seconds of its own. Of all
 * the one in the middle counts, and says so; one that lost something counts at once.
 */
export async function measured(measure: () => Promise<ScenarioResult>): Promise<ScenarioResult> {
  const first = await measure();
  if (!isTooSlowAlone(first)) return first;
  const results = [first];
  while (results.length < measurements) {
    const next = await measure();
    if (!isTooSlowAlone(next) && next.judgements.some(({ reached }) => !reached)) return next;
    results.push(next);
  }
  const p99 = ({ attack, latency }: ScenarioResult): number => (attack?.latency ?? latency).p99;
  const sorted = results.sort((a, b) => p99(a) - p99(b));
  const { [(measurements - 1) / 2]: middle = first } = sorted;
  const value = `${measurements} times, as the first was too slow: p99 ${sorted.map((result) => Math.round(p99(result))).join(', ')} ms`;
  return { ...middle, notes: [...middle.notes, { name: 'measured', value }] };
}

function isTooSlowAlone({ judgements }: ScenarioResult): boolean {
  const missed = judgements.filter(({ reached }) => !reached);
  return missed.length > 0 && missed.every(({ milliseconds }) => milliseconds !== undefined);
}

/** The names of those that did not reach what they should. */
export function missedOf(done: readonly ScenarioResult[]): readonly string[] {
  return done.filter(({ judgements }) => judgements.some(({ reached }) => !reached)).map(({ name }) => name);
}
