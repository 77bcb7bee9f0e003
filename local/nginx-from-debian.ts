import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from './cache-directory';
import { childOutput } from './child-output';
import { Command, Nginx } from './nginx';
import { nginxExecutable } from './nginx-executable';

/** The suite that has nginx 1.30. */
const suite = 'forky';
/** nginx, its njs and stream modules, and every library that they load: the machine's own may be too old. */
const packages = [
  'nginx',
  'nginx-common',
  'libc6',
  'libssl3t64',
  'libpcre2-8-0',
  'zlib1g',
  'libcrypt1',
  'libzstd1',
  'libnginx-mod-http-js',
  'libnginx-mod-http-ndk',
  'libnginx-mod-stream',
  'libxml2-16',
  'libqjs0',
] as const;

/** Debian's own package, unpacked into the user's cache and run through its own dynamic loader: needs no root. */
export async function nginxFromDebian(signal?: AbortSignal): Promise<Nginx> {
  if (process.platform !== 'linux') throw new Error('Debian packages run on Linux only');
  const unpacked = join(cacheDirectory(), `nginx-debian-${suite}-${process.arch}-${listOfPackages()}`);
  if (!existsSync(unpacked)) await unpackInto(unpacked, signal);
  return nginxExecutable("from Debian's package", await program(unpacked), signal);
}

/** Another list has another directory: what was unpacked before lacks something. */
function listOfPackages(): string {
  return createHash('sha256').update(packages.join()).digest('hex').slice(0, 8);
}

async function program(root: string): Promise<Command> {
  const usr = join(root, 'usr');
  const triplet = (await readdir(join(usr, 'lib'))).find((name) => name.endsWith('-linux-gnu'));
  if (triplet === undefined) throw new Error(`${root} holds no libraries: remove it and start again`);
  const libraries = join(usr, 'lib', triplet);
  const loader = (await readdir(libraries)).find((name) => /^ld-linux.*\.so/.test(name));
  if (loader === undefined) throw new Error(`${root} holds no dynamic loader: remove it and start again`);
  return {
    file: join(libraries, loader),
    // The prefix makes `load_module modules/…` mean the same as in the official image.
    args: ['--library-path', libraries, join(usr, 'sbin', 'nginx'), '-p', join(usr, 'share', 'nginx')],
  };
}

async function unpackInto(target: string, signal?: AbortSignal): Promise<void> {
  const uri = await mirror(signal);
  process.stderr.write(`Downloading nginx from Debian, once (${uri} ${suite}) …\n`);
  await mkdir(cacheDirectory(), { recursive: true });
  const work = await mkdtemp(join(cacheDirectory(), '.new-'));
  try {
    const apt = await privateApt(work, uri);
    const downloads = join(work, 'downloads');
    await mkdir(downloads);
    await childOutput({ file: 'apt-get', args: [...apt, 'update'] }, { signal });
    await childOutput({ file: 'apt-get', args: [...apt, 'download', ...packages] }, { cwd: downloads, signal });
    const root = join(work, 'root');
    for (const file of (await readdir(downloads)).sort()) {
      await childOutput({ file: 'dpkg-deb', args: ['--extract', join(downloads, file), root] }, { signal });
    }
    await moveInPlace(root, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

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
async function privateApt(work: string, uri: string): Promise<string[]> {
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
