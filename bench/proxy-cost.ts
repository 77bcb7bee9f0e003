import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { commandLine, Failure } from '../cluster/command-line';
import { synthesized, synthSeconds } from './synth-time';
import { type Candidate, Candidates, haproxyOfSameJob, manyInstances, manyRoutes, workers } from './candidates';

const page = join('docs', 'benchmarks.md');

const usage = `Usage: npm run bench [-- --write]

Measures what CPU time a proxy's processes take for a request over TLS (HTTP/1.1, kept connections, small answers): nginx with nothing
but keep-alive and its log, a tutorial's configuration, fairlead's (as it is, with metrics, of ${manyRoutes} routes, with ${manyInstances} instances), HAProxy and
Caddy if they are installed; in turns, five rounds, medians of what each round says. Exits 1 if a bound is not kept. Needs wrk.

  --write   writes ${page} too
`;

const rounds = 5;
/** Of a proxy in a round. */
const slicesOfRound = 20;
/** In turns with the others: short, as a machine that others use too has slow seconds, which should meet all alike. */
const millisecondsOfSlice = 300;
const connections = 32;

/** Of each proxy, by name: microseconds of CPU time for a request, of each round. */
type Measured = ReadonlyMap<string, number[]>;

void commandLine('bench', async (args, signal) => {
  const { values } = parseArgs({
    args: [...args],
    options: { write: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (spawnSync('wrk', ['-v']).error !== undefined) throw new Failure('wrk is not installed: install it (Debian: wrk)');
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  let candidates: Candidates | undefined;
  try {
    await Candidates.start(directory, signal, (made) => (candidates = made));
    const { all = [], missing = [] } = candidates ?? {};
    for (const program of missing) process.stderr.write(`${program} is not installed, and not measured\n`);
    const measured = new Map(all.map(({ name }) => [name, [] as number[]]));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [name, microseconds] of await measuredInTurns(all, signal)) {
        measured.get(name)?.push(microseconds);
        process.stderr.write(`round ${round} of ${rounds}: ${name} ${microseconds.toFixed(1)} µs\n`);
      }
    }
    const report = `${table(measured)}\n${judged(measured)}${judgedSynthesis(synthSeconds(join(directory, 'dist')))}`;
    process.stdout.write(`\n${report}`);
    if (values.write) writeFileSync(page, pageOf(report, missing));
    if (report.includes('missed')) process.exitCode = 1;
  } finally {
    await candidates?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

/** Microseconds of CPU time for a request, of each proxy: all are under load, and one at a time goes on. */
async function measuredInTurns(candidates: readonly Candidate[], signal: AbortSignal): Promise<Map<string, number>> {
  const loads = candidates.map((candidate) => new PausedLoad(candidate));
  try {
    for (let slice = 0; slice < slicesOfRound; slice += 1) {
      for (const load of loads) await load.goOn(signal);
    }
    const measured = new Map<string, number>();
    for (const load of loads) measured.set(load.candidate.name, await load.microsecondsOfRequest(signal));
    return measured;
  } finally {
    for (const load of loads) load.kill();
  }
}

/** wrk that goes on when it is told to: its connections stay, so that handshakes do not count for much. */
class PausedLoad {
  private readonly wrk: ChildProcess;
  private readonly closed: Promise<unknown>;
  private output = '';
  private cpuSeconds = 0;
  private readonly proxy: number;

  constructor(readonly candidate: Candidate) {
    this.proxy = candidate.process.pid ?? 0;
    // It ends by SIGINT; a pause is longer than the time that it gives an answer by default.
    const args = ['-t1', `-c${connections}`, '-d1h', '--timeout', '5m', `https://localhost:${candidate.port}/`];
    this.wrk = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.wrk.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.closed = once(this.wrk, 'close');
    this.wrk.kill('SIGSTOP');
  }

  async goOn(signal: AbortSignal): Promise<void> {
    const before = cpuSecondsOf(this.proxy);
    this.wrk.kill('SIGCONT');
    await delay(millisecondsOfSlice, undefined, { signal });
    this.wrk.kill('SIGSTOP');
    // What is on its way is answered in its own slice.
    await delay(millisecondsOfSlice / 10, undefined, { signal });
    this.cpuSeconds += cpuSecondsOf(this.proxy) - before;
  }

  async microsecondsOfRequest(signal: AbortSignal): Promise<number> {
    const before = cpuSecondsOf(this.proxy);
    this.wrk.kill('SIGCONT');
    // While it is stopped, a signal waits for whichever thread is first: its main thread has to get this one.
    await delay(millisecondsOfSlice / 10, undefined, { signal });
    this.wrk.kill('SIGINT');
    await this.closed;
    this.cpuSeconds += cpuSecondsOf(this.proxy) - before;
    const requests = Number(/(\d+) requests in/.exec(this.output)?.[1]);
    if (!(requests > 0) || this.output.includes('Non-2xx')) {
      throw new Failure(`${this.candidate.name} does not answer as it should:\n${this.output}`);
    }
    return (this.cpuSeconds / requests) * 1e6;
  }

  kill(): void {
    this.wrk.kill('SIGKILL');
  }
}

/** User and system time of a process and its children, in seconds. */
function cpuSecondsOf(parent: number): number {
  const ticks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // After the name, which may have anything in it: state, parent, … utime, stime.
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return Number(pid) === parent || Number(fields[1]) === parent ? [Number(fields[11]) + Number(fields[12])] : [];
      } catch {
        return [];
      }
    });
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** How many times the cost of another: the median of what the rounds say, each of which had one machine for both. */
function ratio(measured: Measured, name: string, of: string): number {
  const others = measured.get(of) ?? [];
  return median((measured.get(name) ?? []).map((own, round) => own / (others[round] ?? NaN)));
}

const bare = 'nginx with keep-alive, and its own log';

function table(measured: Measured): string {
  const rows = [...measured].map(
    ([name, microseconds]) =>
      `| ${name} | ${median(microseconds).toFixed(1)} | ${ratio(measured, name, bare).toFixed(2)} |\n`,
  );
  return `${availableParallelism()} cores, ${workers} workers, ${connections} connections, ${rounds} rounds of ${slicesOfRound} turns of ${millisecondsOfSlice} ms

| proxy | µs of CPU a request | of the first |
|---|---:|---:|
${rows.join('')}`;
}

/** What fairlead is to cost, of what is measured beside it. */
const bounds: readonly { readonly name: string; readonly of: string; readonly most: number }[] = [
  { name: 'fairlead', of: bare, most: 1.2 },
  { name: 'fairlead with metrics', of: 'fairlead', most: 1.1 },
  { name: `fairlead with ${manyRoutes} routes`, of: 'fairlead', most: 1.1 },
  { name: 'fairlead with metrics', of: haproxyOfSameJob, most: 1 },
];

function judged(measured: Measured): string {
  return bounds
    .filter(({ of }) => measured.has(of))
    .map(({ name, of, most }) => {
      const times = ratio(measured, name, of);
      const result = times <= most ? 'reached' : 'missed';
      return `- ${name}: ${times.toFixed(2)} of ${of}, at most ${most.toFixed(2)}: ${result}\n`;
    })
    .join('');
}

/** What `cdk8s synth` may take of many routes, in seconds. */
const mostSynthSeconds = 3;

function judgedSynthesis(seconds: number): string {
  const result = seconds <= mostSynthSeconds ? 'reached' : 'missed';
  return `- ${synthesized.routes} routes of ${synthesized.backends} backends are synthesized in ${seconds.toFixed(1)} s, at most ${mostSynthSeconds}.0: ${result}\n`;
}

function pageOf(report: string, missing: readonly string[]): string {
  const notInstalled = missing.length === 0 ? '' : `\nNot installed, and so not measured: ${missing.join(', ')}.\n`;
  return `# Benchmarks

What a request over TLS takes of the CPU: HTTP/1.1, kept connections, a small answer, all processes of the proxy. \`npm run bench -- --write\` has measured it, in
turns with the others, and written this page. One machine's microseconds say little of another's: compare within the table.

${report}${notInstalled}
- **nginx with keep-alive** is the least that this job takes: TLS, a request, a connection that is kept, and its log of one short line. All logs go to a file.
- **A tutorial's nginx.conf** says nothing of connections to the API: since 1.29.7 nginx keeps some of itself, and before it opened one for each request. It is the one that loses most
  requests at the next rollout ([reliability.md](reliability.md)).
- **fairlead** adds a request id, headers that clients cannot forge, limits of each client, retries and a JSON line of 18 fields.
- **HAProxy** too, but for the address of the client that the API gets. **HAProxy that does the same as fairlead** (\`bench/haproxy.ts\`) has all that by its own directives: a random id, the
  same headers, a limit of each client, compression, retries, a JSON line of 16 fields; its counters, which it always has, know backends and no histograms.
- **With ${manyInstances} instances** nearly every request needs another instance than the one before, and so a connection of its own now and then: 128 are kept idle by each worker.
`;
}
