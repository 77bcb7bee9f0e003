import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import type { MutantResult } from '@stryker-mutator/api/core' with { 'resolution-mode': 'import' };
import { commandLine, Failure } from '../cluster/command-line';

/** In percent. */
const least = 90;

const usage = `Usage: npm run test:mutation [-- [--resume] FOLDER …]

Mutates the code of model/, nginx/ and charts/ in one place at a time, and counts which mutants a test kills. A mutant meets the tests
of its own room first, and all of them if it survives these. Lists those that survive both; exits 1 below ${least} %.

  FOLDER    one of these rooms, or a folder of one (default: all)
  --resume  keeps what was counted of folders whose files are as they were, and all tests of the rooms
`;

/** The tests that take milliseconds, of each room. */
const tests = {
  model: ['model/**/*.test.ts'],
  nginx: ['nginx/{amounts,configurations,refusals,ways-around}.test.ts'],
  charts: ['charts/**/*.test.ts'],
} as const;
type Room = keyof typeof tests;
const rooms = Object.keys(tests) as Room[];

/** Those that take long for what they kill. */
const slow = [
  'test/charts/many-routes\\.test\\.ts',
  'test/charts/options/(?:any-value|strings)\\.property\\.test\\.ts',
];

/** What became of the mutants of a folder. */
interface Counted {
  /** Of its files and of all tests: what was counted of others does not hold. */
  readonly hash: string;
  readonly killed: number;
  readonly survived: readonly string[];
}

const results = join('.fairlead', 'mutation');

void commandLine('test:mutation', async (args) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { resume: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const all: Counted[] = [];
  for (const folder of foldersIn(positionals)) {
    const counted = (values.resume ? kept(folder) : undefined) ?? (await count(folder));
    all.push(counted);
    process.stdout.write(`${folder}: ${score([counted])}\n`);
  }
  for (const line of all.flatMap(({ survived }) => survived)) process.stdout.write(`${line}\n`);
  process.stdout.write(`All: ${score(all)}\n`);
  if (percent(all) < least) process.exitCode = 1;
});

/** Folders that have files of their own, of the rooms or folders that were given. */
function foldersIn(given: readonly string[]): string[] {
  const known = rooms.flatMap((room) => [
    room,
    ...readdirSync(room, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isDirectory())
      .map(({ parentPath, name }) => join(parentPath, name)),
  ]);
  const wanted = given.map((folder) => folder.replace(/\/+$/, ''));
  for (const folder of wanted) {
    if (!known.includes(folder))
      throw new Failure(`${folder} is not a folder of ${rooms.join(', ')}: give one that is`);
  }
  return known.filter(
    (folder) =>
      filesOf(folder).length > 0 &&
      (wanted.length === 0 || wanted.some((each) => folder === each || folder.startsWith(`${each}/`))),
  );
}

function filesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

async function count(folder: string): Promise<Counted> {
  const room = folder.split('/')[0] as Room;
  const first = await mutated(filesOf(folder), [room]);
  const survivors = first.filter(hasSurvived);
  const second = survivors.length === 0 ? [] : await mutated(survivors.map(place), rooms);
  const killedByOthers = new Set(second.filter(isKilled).map(described));
  const survived = survivors.map(described).filter((each) => !killedByOthers.has(each));
  const killed = first.filter(isKilled).length + survivors.length - survived.length;
  const counted = { hash: hashOf(folder), killed, survived };
  mkdirSync(results, { recursive: true });
  writeFileSync(fileOf(folder), JSON.stringify(counted));
  return counted;
}

/** What becomes of the mutants of files, or of ranges of them, under the tests of rooms. */
async function mutated(mutate: string[], of: readonly Room[]): Promise<MutantResult[]> {
  const { Stryker } = await import('@stryker-mutator/core');
  const config = {
    // Every mutant is a run of jest, which looks through all of its roots first.
    roots: of.map((room) => `<rootDir>/test/${room}`),
    testMatch: of.flatMap((room) => tests[room].map((pattern) => `<rootDir>/test/${pattern}`)),
    testPathIgnorePatterns: ['/node_modules/', ...slow],
    globalSetup: undefined,
  };
  return new Stryker({ mutate, jest: { config, enableFindRelatedTests: false } }).runMutationTest();
}

function isKilled({ status }: MutantResult): boolean {
  return status === 'Killed' || status === 'Timeout';
}

function hasSurvived({ status }: MutantResult): boolean {
  return status === 'Survived' || status === 'NoCoverage';
}

/** As Stryker takes it, which itself counts lines from 0. */
function place({ fileName, location: { start, end } }: MutantResult): string {
  const file = relative('', fileName);
  return `${file}:${start.line + 1}:${start.column}-${end.line + 1}:${end.column}`;
}

function described(mutant: MutantResult): string {
  return `${place(mutant)} ${mutant.mutatorName}: ${mutant.replacement.replace(/\s+/g, ' ').slice(0, 100)}`;
}

function kept(folder: string): Counted | undefined {
  if (!existsSync(fileOf(folder))) return undefined;
  const counted = JSON.parse(readFileSync(fileOf(folder), 'utf8')) as Counted;
  return counted.hash === hashOf(folder) ? counted : undefined;
}

function fileOf(folder: string): string {
  return join(results, `${folder.replaceAll('/', '-')}.json`);
}

function hashOf(folder: string): string {
  const ofTests = rooms.flatMap((room) => {
    const entries = readdirSync(join('test', room), { withFileTypes: true, recursive: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  });
  const hash = createHash('sha256');
  for (const file of [...filesOf(folder), ...ofTests.sort()]) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function sums(all: readonly Counted[]): { readonly killed: number; readonly mutants: number } {
  const killed = all.reduce((sum, each) => sum + each.killed, 0);
  return { killed, mutants: all.reduce((sum, each) => sum + each.survived.length, killed) };
}

function percent(all: readonly Counted[]): number {
  const { killed, mutants } = sums(all);
  return mutants === 0 ? 100 : (100 * killed) / mutants;
}

function score(all: readonly Counted[]): string {
  const { killed, mutants } = sums(all);
  return `${killed} of ${mutants} mutants killed, ${percent(all).toFixed(1)} %`;
}
