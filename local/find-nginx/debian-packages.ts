import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { childOutput } from '../processes/child-output';
import { NotFetched } from './nginx';

export interface DebianPackages {
  /** What is done, for people. */
  readonly what: string;
  readonly suite: string;
  readonly packages: readonly string[];
  /** The directory that comes to be, whole. */
  readonly target: string;
}

/** How the name of a directory begins that is not whole yet, beside the target. */
export const unfinished = '.new-';

/** Downloads packages with the machine's apt and unpacks them, without root and without installing anything. */
export async function unpackDebianPackages(
  { what, suite, packages, target }: DebianPackages,
  signal?: AbortSignal,
): Promise<void> {
  const uri = await mirror(signal);
  process.stderr.write(`${what} (${uri} ${suite}) …\n`);
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), unfinished));
  try {
    const apt = await privateApt(work, uri, suite);
    const downloads = join(work, 'downloads');
    await mkdir(downloads);
    // Without this, apt takes a mirror that it does not reach for one that is empty.
    await fetched(uri, signal, ['-o', 'APT::Update::Error-Mode=any', ...apt, 'update']);
    await fetched(uri, signal, [...apt, 'download', ...packages], downloads);
    const root = join(work, 'root');
    for (const file of (await readdir(downloads)).sort()) {
      await childOutput({ file: 'dpkg-deb', args: ['--extract', join(downloads, file), root] }, { signal });
    }
    await moveInPlace(root, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Runs an apt-get that needs the network, and says in a line if it was not there. */
async function fetched(uri: string, signal: AbortSignal | undefined, args: string[], cwd?: string): Promise<void> {
  try {
    await childOutput({ file: 'apt-get', args }, { signal, ...(cwd === undefined ? {} : { cwd }) });
  } catch (error) {
    signal?.throwIfAborted();
    const line = error instanceof Error ? error.message.split('\n').find((each) => offline.test(each)) : undefined;
    if (line === undefined) throw error;
    throw new NotFetched(`${uri} cannot be reached: ${line.replace(/^[EW]: /, '').trim()}`, { cause: error });
  }
}

/** What apt says where there is no network, or none to there. */
const offline =
  /Temporary failure resolving|Could not (?:resolve|connect)|Unable to connect|Connection (?:failed|timed out|refused)|Network is unreachable|no network/i;

/** Whoever comes second uses what the first one has put there. */
async function moveInPlace(root: string, target: string): Promise<void> {
  try {
    await rename(root, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

/** The Debian mirror that this machine's apt already uses. */
async function mirror(signal?: AbortSignal): Promise<string> {
  const { stdout } = await childOutput(
    { file: 'apt-get', args: ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'] },
    { timeout: 30_000, signal },
  );
  const found = stdout.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (found === undefined) throw new Error('apt uses no Debian mirror on this machine');
  return found;
}

/** Without its keyring, apt goes by the keys that the machine trusts. */
function signedBy(): string {
  const keyring = ['pgp', 'gpg']
    .map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`)
    .find(existsSync);
  return keyring === undefined ? '' : `Signed-By: ${keyring}\n`;
}

/** A state of its own: no lock, list or configuration of the system's apt is touched. */
async function privateApt(work: string, uri: string, suite: string): Promise<string[]> {
  const sources = join(work, 'debian.sources');
  const configuration = join(work, 'apt.conf');
  await mkdir(join(work, 'state', 'lists', 'partial'), { recursive: true });
  await mkdir(join(work, 'cache', 'archives', 'partial'), { recursive: true });
  await writeFile(sources, `Types: deb\nURIs: ${uri}\nSuites: ${suite}\nComponents: main\n${signedBy()}`);
  await writeFile(
    configuration,
    `Dir::State ${JSON.stringify(join(work, 'state'))};
Dir::State::lists ${JSON.stringify(join(work, 'state', 'lists'))};
Dir::State::status "/dev/null";
Dir::Cache ${JSON.stringify(join(work, 'cache'))};
Dir::Etc::SourceList ${JSON.stringify(sources)};
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Sandbox::User "root";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`,
  );
  return ['-c', configuration, '-q'];
}
