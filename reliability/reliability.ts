import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { commandLine, Failure } from '../cluster/command-line';
import { requireTools } from '../cluster/external-command';
import { KindCluster } from '../cluster/kind-cluster';
import { Progress } from '../cluster/progress';
import { writeClientsReport } from './clients/clients-page';
import { notReached } from './clients/clients-result';
import { runClients } from './clients/clients-run';
import { measured } from './judgements';
import { ReliabilityCluster } from './reliability-cluster';
import { writeReport } from './report/report';
import { Results } from './results';
import { runOptions, type RunOptions, usage } from './run-options';
import { resultLine, runScenario } from './run-scenario';
import type { Scenario } from './scenario';
import type { ReportRun, ScenarioResult } from './scenario-result';
import { scenarios } from './scenarios/all';
import { soak, SoakRuns } from './soak';

const soakRuns = new SoakRuns(join('.fairlead', 'reliability', 'soak.jsonl'));

void commandLine('reliability', async (args, signal) => {
  const options = runOptions(
    args,
    scenarios.map(({ name }) => name),
  );
  if (options === 'help') {
    process.stdout.write(usage);
    return;
  }
  if (options === 'list') {
    process.stdout.write(scenarios.map(({ name, title }) => `${name.padEnd(34)}${title}\n`).join(''));
    return;
  }
  await requireTools(signal);
  // One core at a time for each kubectl: what is judged runs on this machine too.
  process.env.GOMAXPROCS ??= '1';
  const progress = new Progress(process.stderr);
  const cluster = new KindCluster(options.cluster);
  if ((await cluster.exists(signal)) && !existsSync(cluster.kubeconfig)) {
    throw new Failure(
      `the kind cluster "${cluster.name}" was made in another directory: give another --cluster, or remove it with "kind delete cluster --name=${cluster.name}"`,
    );
  }
  try {
    const system = await ReliabilityCluster.open(cluster, options.api, progress, signal);
    if (options.soak !== undefined) {
      await runSoak(system, { ...options, milliseconds: options.soak }, progress);
      return;
    }
    const missed = options.clients
      ? await compareClients(system, options, progress, args)
      : await judgeScenarios(system, options, progress, args);
    if (missed.length > 0) throw new Failure(`not all was reached: ${missed.join(', ')}`);
  } finally {
    if (!options.keep) await removeCluster(cluster, progress);
  }
});

/** Runs the scenarios, writes the documents, and names the scenarios that did not reach what they should. */
async function judgeScenarios(
  system: ReliabilityCluster,
  options: RunOptions,
  progress: Progress,
  args: readonly string[],
): Promise<readonly string[]> {
  const begin = Date.now();
  const done = await runAll(system, options, progress, args);
  if (options.only === undefined && !options.api.own) {
    const seconds = done.reduce((sum, result) => sum + (result.seconds.at(-1)?.second ?? 0) + 1, 0);
    writeReport('docs', await reportRun(system, begin, seconds, args), done);
    process.stdout.write('\nWrote docs/reliability.md, docs/reliability/ and docs/reliability.json.\n');
  }
  return done.filter(({ judgements }) => judgements.some(({ reached }) => !reached)).map(({ name }) => name);
}

/** Runs the clients that others ship, writes their documents, and says which of them lost what they should not. */
async function compareClients(
  system: ReliabilityCluster,
  options: RunOptions,
  progress: Progress,
  args: readonly string[],
): Promise<readonly string[]> {
  const begin = Date.now();
  const result = await runClients(system, options, progress);
  const run = await reportRun(system, begin, (Date.now() - begin) / 1000, args);
  writeClientsReport('docs', { run, ...result });
  process.stdout.write('\nWrote docs/clients.md and docs/clients.json.\n');
  return notReached(result.rows);
}

async function reportRun(
  system: ReliabilityCluster,
  begin: number,
  seconds: number,
  args: readonly string[],
): Promise<ReportRun> {
  const nodes = await system.nodes();
  return {
    date: new Date(begin).toISOString().slice(0, 10),
    kubernetesVersion: (nodes[0]?.status.nodeInfo.kubeletVersion ?? '').replace(/^v/, ''),
    nodes: nodes.length,
    cores: availableParallelism(),
    command: ['npm run reliability', ...(args.length === 0 ? [] : ['--', ...args])].join(' '),
    seconds: Math.round(seconds),
  };
}

/** Runs what was asked for, and gives what there is of it, in order. */
async function runAll(
  system: ReliabilityCluster,
  options: RunOptions,
  progress: Progress,
  args: readonly string[],
): Promise<ScenarioResult[]> {
  const chosen = scenarios.filter(({ name }) => options.only?.includes(name) ?? true);
  const possible = chosen.filter(({ needsExampleApi }) => !options.api.own || needsExampleApi !== true);
  for (const { title } of chosen.filter((scenario) => !possible.includes(scenario))) {
    process.stderr.write(`${title}: left out, it needs endpoints of the example API\n`);
  }
  const results = new Results(options);
  if (!options.resume && options.only === undefined) results.clear();
  const done: ScenarioResult[] = [];
  for (const scenario of possible) {
    const kept = options.resume && options.only === undefined ? results.find(scenario.name) : undefined;
    const result = kept ?? (await run(scenario, system, options, progress, done, results));
    results.write(result);
    done.push(result);
    process.stdout.write(resultLine(result, results.lostFile(scenario.name)));
  }
  if (done.length === 0) throw new Failure(`nothing was run with ${args.join(' ')}`);
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

/** Runs it, and says what it amounts to, together with those before. */
async function runSoak(
  system: ReliabilityCluster,
  options: RunOptions & { readonly milliseconds: number },
  progress: Progress,
): Promise<void> {
  const { lostRequests, ...run } = await progress.step('load with rollouts', (doing) => soak(system, options, doing));
  soakRuns.add(run);
  process.stdout.write(soakRuns.text(run));
  if (run.lost > 0) {
    const results = new Results(options);
    results.listLost('soak', lostRequests);
    process.stdout.write(`    the lost ones: ${results.lostFile('soak')}\n`);
  }
  if (!soakRuns.sum.reached) throw new Failure('more was lost than is asked for');
}

async function removeCluster(cluster: KindCluster, progress: Progress): Promise<void> {
  if (!(await cluster.exists())) return;
  await progress.step(`kind cluster "${cluster.name}", removed`, () => cluster.delete());
}
