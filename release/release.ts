import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine, Failure } from '../cluster/command-line';
import { ExternalCommandFailure, run } from '../cluster/external-command';
import { Progress } from '../cluster/progress';
import { changelogSection, releaseNotes } from './changelog';
import { checks, pack, type Packed, type ReleasePackage, releasePackage, releasePackages } from './packages';
import { publishingRefusals, refusals, requireWorkflow } from './refusals';
import { publish, publishedRefusals } from './registry';

/** What is left here when all went well. */
const folder = 'dist-release';
/** What needs nothing but Node; the workflow waits for all that CI runs. */
const suites = ['lint', 'test', 'test:properties', 'test:programs'] as const;

const usage = `Usage: npm run release -- --dry-run [--no-tests]

Packs fairlead-serve, fairlead, fairlead-reliability and create-fairlead into ${folder}/, each with an SBOM, with notes
from CHANGELOG.md, and checks each with publint and attw. Refuses what could not be released: a branch that is not main,
changes that are in no commit, versions that differ or are on the registry already, a CHANGELOG.md that says nothing of
the version. Without --dry-run it then publishes them with provenance, which the release workflow alone can do: a pushed
tag v1.2.3 starts it.

  --dry-run   publishes nothing
  --no-tests  leaves out npm run ${suites.join(', ')}
  --help      show this
`;

void commandLine('release', async (args, signal) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'dry-run': { type: 'boolean', default: false },
      'no-tests': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const dryRun = values['dry-run'];
  const { version } = releasePackage('.');
  if (!dryRun) requireWorkflow(process.env, version);
  const packages = releasePackages();
  const section = changelogSection(readFileSync('CHANGELOG.md', 'utf8'), version);
  const { GITHUB_REPOSITORY: name, GITHUB_SERVER_URL: server = 'https://github.com' } = process.env;
  const repository = name === undefined ? undefined : `${server}/${name}`;
  const unpublishable = publishingRefusals({ version, packages, section });
  const refused = await refusals({ version, packages, section }, signal);
  // Of a publication that was cut short some packages are there already: publish() compares them.
  refused.push(...(dryRun ? await publishedRefusals(packages, signal) : unpublishable));
  if (refused.length > 0 || section === undefined) throw new Failure(refused.join('\n'));

  const progress = new Progress(process.stderr);
  if (!values['no-tests']) {
    for (const suite of suites) await progress.step(`npm run ${suite}`, () => runSuite(suite, signal));
  }
  const notes = releaseNotes(section, repository === undefined ? undefined : `${repository}/blob/v${version}`);
  const packed = await packAll(packages, notes, repository, progress, signal);
  if (dryRun) process.stdout.write(whatIsNext(version, unpublishable));
  else await publish(packed, folder, signal);
});

/** Shows what a suite said if it fails. */
async function runSuite(suite: string, signal: AbortSignal): Promise<void> {
  try {
    await run('npm', ['run', suite], { signal });
  } catch (error) {
    if (error instanceof ExternalCommandFailure) process.stderr.write(`${error.stdout}${error.stderr}`);
    throw error;
  }
}

/** Fills the folder, whole or not at all. */
async function packAll(
  packages: readonly ReleasePackage[],
  notes: string,
  repository: string | undefined,
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly Packed[]> {
  const unfinished = mkdtempSync(resolve(`${folder}-`));
  try {
    const packed: Packed[] = [];
    for (const each of packages) {
      packed.push(
        await progress.step(`${each.name} ${each.version}`, () => pack(each, unfinished, repository, signal)),
      );
    }
    writeFileSync(join(unfinished, 'notes.md'), notes);
    process.stdout.write(table(packed));
    refuseProblems(packed);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
    return packed;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** A line for each package, below one of titles. */
function table(packed: readonly Packed[]): string {
  const rows = [
    ['package', 'version', 'packed', 'unpacked', 'files', ...Object.keys(checks)],
    ...packed.map(({ name, version, packedBytes, unpackedBytes, files, problems }) => [
      name,
      version,
      kilobytes(packedBytes),
      kilobytes(unpackedBytes),
      String(files),
      ...Object.keys(checks).map((check) => (problems.has(check) ? 'failed' : 'ok')),
    ]),
  ];
  const widthOf = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widthOf(column))).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/** Shows what the checks have found, and throws if that is anything. */
function refuseProblems(packed: readonly Packed[]): void {
  const found = packed.flatMap(({ file, problems }) =>
    [...problems].map(([check, output]) => ({ title: `${check} refuses ${file}`, output })),
  );
  if (found.length === 0) return;
  for (const { title, output } of found) process.stderr.write(`\n${title}:\n${output}\n`);
  throw new Failure(`nothing is published: ${found.map(({ title }) => title).join(', ')}`);
}

function whatIsNext(version: string, unpublishable: readonly string[]): string {
  const lines = [
    `${folder}/ has the tarballs, their SBOMs and notes.md; nothing is published.`,
    ...(unpublishable.length === 0 ? [] : ['Before it can be:', ...unpublishable.map((line) => `  ${line}`)]),
    `To publish it: git tag v${version} && git push origin v${version}`,
  ];
  return `\n${lines.join('\n')}\n`;
}
