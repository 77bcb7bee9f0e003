import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Mutant } from '@stryker-mutator/api/core' with { 'resolution-mode': 'import' };
import { commandLine, Failure } from '../../cluster/command-line';

/** In percent. */
const least = 90;

/** In seconds: of a mutant that lets no timer fire. */
const longest = 60;

const rooms = ['model', 'nginx', 'charts'] as const;

const usage = `Usage: npm run test:mutation [-- [--resume] PATH …]

Mutates the code of ${rooms.join('/, ')}/ in one place at a time by Stryker's mutators, and counts which mutants the tests of these rooms
kill. Code that runs only while a module is loaded is left out. Lists what survives; exits 1 below ${least} %.

  PATH      a folder or a file of these rooms (default: all)
  --resume  goes on with what was interrupted, where code and tests are as they were
`;

/** Takes seconds for what others kill, as the tests of properties do. */
const slow = ['test/charts/many-routes.test.ts'];
const quickOfNginx = ['amounts', 'configurations', 'refusals', 'ways-around'].map(
  (name) => `test/nginx/${name}.test.ts`,
);

/** Those that compare whole manifests and configurations, which kill most; and what makes most of its own while it is loaded. */
const first = ['test/charts/snapshot.test.ts', 'test/nginx/configurations.test.ts'];
const last = 'test/charts/canary.test.ts';

const folder = resolve('.fairlead', 'mutation');
const outcomesFile = join(folder, 'outcomes');

/** A line of the outcomes, which the tests' environment writes (environment.cjs). */
type Outcome =
  | { readonly file: string; readonly mutant: string; readonly killed: boolean }
  | { readonly file: string; readonly loaded: readonly string[] }
  | { readonly file: string; readonly finished: true }
  | { readonly file: string; readonly alone: readonly string[] };

void commandLine('test:mutation', async (args, signal) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { resume: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const mutants = await instrument(filesIn(positionals), values.resume);
  const queue = testFiles().filter((file) => !isFinished(file));
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let file; (file = queue.shift()) !== undefined;) {
        await meetMutants(file, signal);
        process.stderr.write(`${file}: ${score(mutants)}, ${queue.length} files of tests to go\n`);
      }
    }),
  );
  report(mutants);
});

function testFiles(): string[] {
  const quick = ['test/model', 'test/charts'].flatMap((tests) => filesOf(tests, '.test.ts')).concat(quickOfNginx);
  const files = new Set([...first, ...quick.filter((file) => file !== last), last]);
  return [...files].filter((file) => !slow.includes(file) && !file.includes('.property.'));
}

function filesOf(path: string, ending: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(ending));
  return files.map(({ parentPath, name }) => join(parentPath, name)).sort();
}

/** The files that are mutated: of all rooms, or of the paths that were given. */
function filesIn(paths: readonly string[]): string[] {
  const all = rooms.flatMap((room) => filesOf(room, '.ts'));
  const wanted = paths.map((path) => path.replace(/\/+$/, ''));
  const within = (file: string, path: string): boolean => file === path || file.startsWith(`${path}/`);
  for (const path of wanted) {
    if (!all.some((file) => within(file, path)))
      throw new Failure(`${path} has no code of ${rooms.join(', ')}: give a folder or a file that has`);
  }
  return wanted.length === 0 ? all : all.filter((file) => wanted.some((path) => within(file, path)));
}

/** Writes the files with every mutant in them, switched off, for jest to load (instrumented.cjs). */
async function instrument(files: readonly string[], resume: boolean): Promise<readonly Mutant[]> {
  const [{ Instrumenter }, { noopLogger }] = await Promise.all([
    import('@stryker-mutator/instrumenter'),
    import('@stryker-mutator/util'),
  ]);
  const result = await new Instrumenter(noopLogger).instrument(
    files.map((name) => ({ name, content: readFileSync(name, 'utf8'), mutate: true })),
    { plugins: null, excludedMutations: [], ignorers: [], noHeader: false },
  );
  const state = createHash('sha256');
  for (const { content } of result.files) state.update(content);
  for (const file of [...rooms, 'mutation'].flatMap((room) => filesOf(join('test', room), '')))
    state.update(readFileSync(file));
  const stateFile = join(folder, `state-${state.digest('hex')}`);
  if (!resume || !existsSync(stateFile)) rmSync(folder, { recursive: true, force: true });
  for (const { name, content } of result.files) {
    const file = join(folder, 'instrumented', name);
    mkdirSync(dirname(file), { recursive: true });
    // Several at once: Stryker itself has one.
    writeFileSync(file, content.replace('ns.activeMutant === id', 'ns.activeMutants?.has(id)'));
  }
  writeFileSync(stateFile, '');
  appendFileSync(outcomesFile, '');
  return result.mutants;
}

/** Runs a file of tests, again where a mutant has ended or spoilt the process, until all of its mutants are known. */
async function meetMutants(file: string, signal: AbortSignal): Promise<void> {
  while (!isFinished(file)) {
    const before = statSync(outcomesFile).size;
    const arguments_ = ['--config', 'jest.mutation.config.mjs', '--ci', '--runInBand', '--silent', file];
    const jest = spawn(process.execPath, ['node_modules/jest/bin/jest.js', ...arguments_], {
      env: { ...process.env, FAIRLEAD_MUTATION_FOLDER: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    });
    const closed = once(jest, 'close');
    let said = '';
    jest.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const current = join(folder, `current-${jest.pid}`);
    const watch = setInterval(() => {
      const isStuck = existsSync(current) && Date.now() - statSync(current).mtimeMs > longest * 1000;
      if (isStuck) jest.kill('SIGKILL');
    }, 1000);
    try {
      await closed;
    } finally {
      clearInterval(watch);
    }
    if (statSync(outcomesFile).size === before) throw new Failure(`${file} says nothing of its mutants:\n${said}`);
    noteWhatEndedIt(current);
  }
}

/** A mutant that keeps a process busy, or ends it, is killed; of several, each is tried alone in the next process. */
function noteWhatEndedIt(current: string): void {
  if (!existsSync(current)) return;
  const { file, mutants } = JSON.parse(readFileSync(current, 'utf8')) as { file: string; mutants: string[] };
  const [mutant = '', ...others] = mutants;
  const outcome: Outcome = others.length === 0 ? { file, mutant, killed: true } : { file, alone: mutants };
  appendFileSync(outcomesFile, `${JSON.stringify(outcome)}\n`);
  rmSync(current);
}

function outcomes(): Outcome[] {
  return readFileSync(outcomesFile, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Outcome);
}

function isFinished(test: string): boolean {
  return outcomes().some((each) => 'finished' in each && relative('', each.file) === test);
}

/** What became of mutants: those that no test reaches survive, but for those of code that runs only while a module is loaded. */
function counted(mutants: readonly Mutant[]): { readonly killed: Set<string>; readonly survived: readonly Mutant[] } {
  const killed = new Set<string>();
  const met = new Set<string>();
  const loaded = new Set<string>();
  for (const each of outcomes()) {
    if ('mutant' in each) (each.killed ? killed : met).add(each.mutant);
    else if ('loaded' in each) for (const mutant of each.loaded) loaded.add(mutant);
  }
  const survived = mutants.filter(({ id }) => !killed.has(id) && (met.has(id) || !loaded.has(id)));
  return { killed, survived };
}

function score(mutants: readonly Mutant[]): string {
  const { killed, survived } = counted(mutants);
  const ours = mutants.filter(({ id }) => killed.has(id)).length;
  return `${ours} of ${ours + survived.length} mutants killed, ${percent(ours, survived.length).toFixed(1)} %`;
}

function percent(killed: number, survived: number): number {
  return killed + survived === 0 ? 100 : (100 * killed) / (killed + survived);
}

function report(mutants: readonly Mutant[]): void {
  const { killed, survived } = counted(mutants);
  for (const { fileName, location, mutatorName, replacement } of survived) {
    const what = replacement.replace(/\s+/g, ' ').slice(0, 100);
    process.stdout.write(
      `${fileName}:${location.start.line + 1}:${location.start.column + 1} ${mutatorName}: ${what}\n`,
    );
  }
  for (const each of new Set(mutants.map(({ fileName }) => dirname(fileName)))) {
    const itsMutants = mutants.filter(({ fileName }) => dirname(fileName) === each);
    process.stdout.write(`${each}: ${score(itsMutants)}\n`);
  }
  process.stdout.write(`All: ${score(mutants)}\n`);
  if (percent(killed.size, survived.length) < least) process.exitCode = 1;
}
