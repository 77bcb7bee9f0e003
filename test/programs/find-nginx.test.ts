import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { findNginx } from '../../local/find-nginx/find-nginx';
import { typescriptProgram } from '../typescript-program';

jest.setTimeout(120_000);

const environment = { ...process.env };
const root = resolve(__dirname, '../..');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'test-nginx-'));
});

afterEach(() => {
  process.env = { ...environment };
  rmSync(directory, { recursive: true, force: true });
});

/** As the configuration does it: the log on standard output, and all else in its directory. */
function configuration(http: string): string {
  const path = join(directory, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join(' ');
  writeFileSync(
    path,
    `daemon off; pid ${directory}/nginx.pid; events {} http { access_log /dev/stdout; ${temporary} ${http} }`,
  );
  return path;
}

const valid = 'resolver 127.0.0.1:53; upstream api { zone api 64k; server api.internal service=http resolve; }';
const hasDocker = spawnSync('docker', ['info']).status === 0;
const hasDebian = process.platform === 'linux' && spawnSync('apt-get', ['--version']).status === 0;

/** Another PATH takes another process. */
function findInProcess(changes: Readonly<Record<string, string>>): string {
  return outputInProcess(changes).stdout;
}

function outputInProcess(changes: Readonly<Record<string, string>>): {
  readonly stdout: string;
  readonly stderr: string;
} {
  const script = `require(process.argv[1]).findNginx().then(({ describe }) => describe, ({ message }) => message).then(console.log)`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...typescriptProgram, '-e', script, join(root, 'local', 'find-nginx', 'find-nginx.ts')],
    { cwd: root, encoding: 'utf8', env: { ...process.env, FAIRLEAD_NGINX: '', ...changes } },
  );
  return { stdout: stdout.trim(), stderr };
}

async function judges(source: string): Promise<void> {
  process.env.FAIRLEAD_NGINX = source;
  const nginx = await findNginx();
  expect(nginx.version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(nginx.describe).toContain(`nginx ${nginx.version}`);
  await nginx.test(configuration(valid));
  await expect(nginx.test(configuration('no_such_directive on;'))).rejects.toThrow(
    /unknown directive "no_such_directive"/,
  );
}

describe('nginx', () => {
  (hasDebian ? test : test.skip)("from Debian's package judges a configuration", async () => {
    await judges('debian');
  });

  (hasDebian ? test : test.skip)("from Debian's package has the stream module as if it were built in", async () => {
    process.env.FAIRLEAD_NGINX = 'debian';
    const nginx = await findNginx();
    const path = configuration(valid);
    writeFileSync(path, `stream {} ${readFileSync(path, 'utf8')}`);
    await nginx.test(path);
  });

  (hasDocker ? test : test.skip)('in Docker judges a configuration', async () => {
    await judges('docker');
  });

  (hasDebian ? test : test.skip)('is downloaded once, whoever else asks for it at the same time', async () => {
    process.env.FAIRLEAD_NGINX = 'debian';
    process.env.XDG_CACHE_HOME = directory;
    const [one, two] = await Promise.all([findNginx(), findNginx()]);
    expect(one.command('/nginx.conf')).toEqual(two.command('/nginx.conf'));
    // Nothing of the work is left.
    expect(readdirSync(join(directory, 'fairlead'))).toEqual([expect.stringMatching(/^nginx-debian-/)]);
    await one.test(configuration(valid));
  });

  describe('that was unpacked long ago', () => {
    /** The cache as it was left in 2020, with one that is older still, and a download that was killed. */
    async function oldCache(): Promise<string> {
      process.env.FAIRLEAD_NGINX = 'debian';
      const [unpacked = ''] = (await findNginx()).command('/nginx.conf').file.split('/usr/');
      const old = join(directory, 'fairlead', basename(unpacked).replace(/\d{4}-\d\d-\d\d$/, '2020-01-01'));
      cpSync(unpacked, old, { recursive: true, verbatimSymlinks: true });
      utimesSync(old, 0, 0);
      mkdirSync(join(directory, 'fairlead', 'nginx-debian-bookworm'));
      const killed = join(directory, 'fairlead', '.new-killed');
      mkdirSync(killed);
      utimesSync(killed, 0, 0);
      return old;
    }

    (hasDebian ? test : test.skip)('is replaced by a new one, and left to what runs from it', async () => {
      const old = await oldCache();
      process.env.XDG_CACHE_HOME = directory;
      const { file } = (await findNginx()).command('/nginx.conf');
      expect(file).not.toContain(old);
      expect(file).toContain(new Date().toISOString().slice(0, 10));
      expect(readdirSync(join(directory, 'fairlead'))).toEqual([basename(old), basename(file.split('/usr/')[0] ?? '')]);
    });

    (hasDebian ? test : test.skip)('serves on without the network, which is tried once a day', async () => {
      const old = await oldCache();
      const calls = join(directory, 'calls');
      const offline = `#!/bin/sh
case "$1" in indextargets) exec /usr/bin/apt-get "$@";; esac
echo tried >> ${calls}; echo "E: no network" >&2; exit 100
`;
      writeFileSync(join(directory, 'apt-get'), offline, { mode: 0o755 });
      const find = (): ReturnType<typeof outputInProcess> =>
        outputInProcess({
          PATH: `${directory}:${String(process.env.PATH)}`,
          XDG_CACHE_HOME: directory,
          FAIRLEAD_NGINX: 'debian',
        });
      const first = find();
      expect(first.stdout).toMatch(/^nginx \S+ from Debian's package$/);
      expect(first.stderr).toMatch(/^Refreshing nginx from Debian \(.*\) …\n$/);
      expect(find()).toEqual({ stdout: first.stdout, stderr: '' });
      expect(readFileSync(calls, 'utf8')).toBe('tried\n');
      utimesSync(old, 0, 0);
      find();
      expect(readFileSync(calls, 'utf8')).toBe('tried\ntried\n');
    });
  });

  (hasDebian ? test : test.skip)('on the PATH comes first', async () => {
    process.env.FAIRLEAD_NGINX = 'debian';
    const { file, args } = (await findNginx()).command('/nginx.conf');
    const program = args.slice(0, args.indexOf('-e')).map((argument) => `'${argument}'`);
    writeFileSync(join(directory, 'nginx'), `#!/bin/sh\nexec '${file}' ${program.join(' ')} "$@"\n`);
    chmodSync(join(directory, 'nginx'), 0o755);
    expect(findInProcess({ PATH: `${directory}:${String(process.env.PATH)}` })).toMatch(/^nginx \S+ \(nginx\)$/);
  });

  test('that does not suit is passed over, and the message says why each did not', () => {
    for (const program of ['nginx', 'apt-get', 'docker']) {
      writeFileSync(join(directory, program), '#!/bin/sh\necho "out of order" >&2\nexit 1\n', { mode: 0o755 });
    }
    const message = findInProcess({ PATH: directory, XDG_CACHE_HOME: join(directory, 'cache') });
    expect(message).toContain('nginx on the PATH: out of order');
    expect(message).toContain('Docker: out of order');
    expect(message).toContain("Debian's package: ");
    expect(message).toContain('Install nginx 1.30 or newer (with OpenSSL 3.5), or start Docker');
  });

  (process.platform === 'linux' ? test : test.skip)('that cannot be fetched is said to need the network', () => {
    const aptGet = `#!/bin/sh
case "$1" in indextargets) echo http://packages.example.org/debian; exit 0;; esac
echo "E: Failed to fetch http://packages.example.org/debian/dists/forky/InRelease  Temporary failure resolving 'packages.example.org'" >&2
exit 100
`;
    writeFileSync(join(directory, 'apt-get'), aptGet, { mode: 0o755 });
    const message = findInProcess({
      PATH: directory,
      XDG_CACHE_HOME: join(directory, 'cache'),
      FAIRLEAD_NGINX: 'debian',
    });
    expect(message).toContain(
      "Debian's package: http://packages.example.org/debian cannot be reached: Failed to fetch http://packages.example.org/debian/dists/forky/InRelease  Temporary failure resolving 'packages.example.org'",
    );
    expect(message).toMatch(
      /An nginx has to be fetched once, and the network.* cannot be reached: connect this machine/,
    );
    // Nothing that was begun is left.
    expect(readdirSync(join(directory, 'cache', 'fairlead'))).toEqual([]);
  });

  test('that cannot run the configuration is not taken', async () => {
    const unsuitable = new Error('no such module');
    await expect(findNginx({ suits: () => Promise.reject(unsuitable) })).rejects.toThrow(/no such module/);
  });

  test('is not looked for any more once that is told', async () => {
    const stop = new AbortController();
    process.env.XDG_CACHE_HOME = directory;
    process.env.FAIRLEAD_NGINX = 'debian';
    const found = findNginx({ signal: stop.signal });
    stop.abort(new Error('ended'));
    await expect(found).rejects.toThrow('ended');
    if (existsSync(join(directory, 'fairlead'))) expect(readdirSync(join(directory, 'fairlead'))).toEqual([]);
  });

  test.each([
    ['podman', 'FAIRLEAD_NGINX: "podman" is unknown: give one of path, debian, docker, or the path of an nginx'],
    ['/no/such/nginx', '/no/such/nginx: "/no/such/nginx" is not a program: give the path of one'],
    [process.execPath, 'bad option: -V'],
    ['/bin/true', 'is not nginx: its -V does not give a version'],
  ])('FAIRLEAD_NGINX=%s is refused', async (choice, message) => {
    process.env.FAIRLEAD_NGINX = choice;
    await expect(findNginx()).rejects.toThrow(message);
  });
});
