import { createHash } from 'node:crypto';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Command } from '../processes/child-output';
import { cacheDirectory } from './cache-directory';
import { unfinished, unpackDebianPackages } from './debian-packages';
import { Nginx, NginxSearch } from './nginx';
import { nginxExecutable } from './nginx-executable';

/** The official image has it built in. */
const builtInElsewhere = ['load_module modules/ngx_stream_module.so'];
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

/** Of every directory of ours in the cache. */
const family = 'nginx-debian-';
const day = 24 * 60 * 60 * 1000;
/** What was unpacked longer ago may lack what Debian has mended since. */
const freshFor = 7 * day;
/** A machine without the network is not asked to wait for it at every start. */
const betweenAttempts = day;
const refreshTimeout = 60_000;

/** Debian's own package, unpacked into the user's cache and run through its own dynamic loader: needs no root. */
export async function nginxFromDebian(search: NginxSearch): Promise<Nginx> {
  if (process.platform !== 'linux') throw new Error('Debian packages run on Linux only');
  const { signal } = search;
  const unpacked = (await newest()) ?? (await unpack('Downloading nginx from Debian', signal));
  const current = (await isStale(unpacked)) ? await refreshed(unpacked, signal) : unpacked;
  return nginxExecutable("from Debian's package", await program(current), search, builtInElsewhere);
}

/** Another list of packages has directories of its own, each with its day: what was unpacked before lacks something. */
function directoryOf(date: string): string {
  const list = createHash('sha256').update(packages.join()).digest('hex').slice(0, 8);
  return join(cacheDirectory(), `${family}${suite}-${process.arch}-${list}-${date}`);
}

/** The directory that was unpacked last. */
async function newest(): Promise<string | undefined> {
  const prefix = basename(directoryOf(''));
  const names = await readdir(cacheDirectory()).catch(() => []);
  const last = names
    .filter((name) => name.startsWith(prefix))
    .sort()
    .at(-1);
  return last === undefined ? undefined : join(cacheDirectory(), last);
}

async function isStale(unpacked: string): Promise<boolean> {
  const { mtimeMs: tried } = await stat(unpacked);
  return Date.now() - unpackedAt(unpacked) > freshFor && Date.now() - tried > betweenAttempts;
}

function unpackedAt(unpacked: string): number {
  return Date.parse(unpacked.slice(-'2026-01-31'.length));
}

/** A new one; without the network the old one serves on. What runs from the old one is left to it. */
async function refreshed(old: string, signal?: AbortSignal): Promise<string> {
  const limit = AbortSignal.any([AbortSignal.timeout(refreshTimeout), ...(signal === undefined ? [] : [signal])]);
  try {
    const unpacked = await unpack('Refreshing nginx from Debian', limit);
    const names = await readdir(cacheDirectory());
    const others = names.filter((name) => name.startsWith(family));
    const outdated = others.filter((name) => ![old, unpacked].includes(join(cacheDirectory(), name)));
    outdated.push(...(await leftBehind(names)));
    for (const name of outdated) await rm(join(cacheDirectory(), name), { recursive: true, force: true });
    return unpacked;
  } catch {
    signal?.throwIfAborted();
    // In a cache that cannot be written to it is tried every time.
    await utimes(old, new Date(), new Date()).catch(() => undefined);
    return old;
  }
}

/** What was begun more than a day ago, and never finished: nobody removes it after a kill. */
async function leftBehind(names: readonly string[]): Promise<readonly string[]> {
  const begun = names.filter((name) => name.startsWith(unfinished));
  const found = await Promise.all(
    begun.map(async (name) => {
      const { mtimeMs } = await stat(join(cacheDirectory(), name)).catch(() => ({ mtimeMs: Date.now() }));
      return Date.now() - mtimeMs > day ? [name] : [];
    }),
  );
  return found.flat();
}

async function unpack(what: string, signal?: AbortSignal): Promise<string> {
  const target = directoryOf(new Date().toISOString().slice(0, 10));
  await unpackDebianPackages({ what, suite, packages, target }, signal);
  return target;
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
