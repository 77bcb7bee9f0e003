import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { commandLine, Failure } from '../cluster/command-line';
import type { Progress } from '../cluster/progress';
import { writeClientsReport } from './clients/clients-page';
import { notReached } from './clients/clients-result';
import { runClients } from './clients/clients-run';
import { ReliabilityEnvironment } from './environment';
import type { ReliabilityCluster } from './reliability-cluster';
import { writeReport } from './report/report';
import { Results } from './results';
import { runOptions, type RunOptions, usage } from './run-options';
import type { ReportRun, ScenarioResult } from './scenario-result';
import { inOwnCluster, missedOf, runScenarios } from './scenario-runs';
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
  const app = (): ReliabilityEnvironment => new ReliabilityEnvironment(options.api.own ? 'own' : 'example');
  await inOwnCluster(options, app, signal, async (system, progress) => {
    if (options.soak !== undefined) {
      await runSoak(system, { ...options, milliseconds: options.soak }, progress);
      return;
    }
    const missed = options.clients
      ? await compareClients(system, options, progress, args)
      : await judgeScenarios(system, options, progress, args);
    if (missed.length > 0) throw new Failure(`not all was reached: ${missed.join(', ')}`);
  });
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
  return missedOf(done);
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
  const done = await runScenarios(possible, system, options, progress);
  if (done.length === 0) throw new Failure(`nothing was run with ${args.join(' ')}`);
  return done;
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
