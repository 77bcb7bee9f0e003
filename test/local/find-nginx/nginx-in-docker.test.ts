import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { typescriptProgram } from '../../typescript-program';

const root = resolve(__dirname, '../../..');
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'test-docker-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Arguments of `docker` that run nginx, where there is no engine: another PATH takes another process. */
function argumentsOfRun(search: object, operatingSystem = 'Linux', ports: readonly number[] = []): readonly string[] {
  const version = 'printf "nginx version: nginx/1.30.6\\nbuilt with OpenSSL 3.5.4\\n" >&2';
  const docker = `#!/bin/sh\ncase "$*" in *-V) ${version} ;; *getent*) echo 192.168.65.254 ;; *) echo '${operatingSystem}' ;; esac\n`;
  writeFileSync(join(directory, 'docker'), docker, { mode: 0o755 });
  const script = `require(process.argv[1]).nginxInDocker(${JSON.stringify(search)})
    .then((nginx) => console.log(JSON.stringify(nginx.command('/run/nginx.conf', ${JSON.stringify(ports)}).args)))`;
  const module = join(root, 'local', 'find-nginx', 'nginx-in-docker.ts');
  const { stdout, stderr } = spawnSync(process.execPath, [...typescriptProgram, '-e', script, module], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${directory}:${process.env.PATH ?? ''}` },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as readonly string[];
}

test('a container sees the directories that it is to serve, and cannot write to them', () => {
  const args = argumentsOfRun({ directories: ['/home/a,b/"web"'] });
  expect(args).toContain('--volume=/run:/run');
  // A field of CSV, as Docker reads it.
  expect(args).toContain('--mount=type=bind,readonly,"source=/home/a,b/""web""","target=/home/a,b/""web"""');
});

test('where Docker runs in a machine of its own, clients come by the address that is given, and nobody else does', () => {
  const args = argumentsOfRun({ clientAddress: '0.0.0.0' }, 'Docker Desktop', [8080, 8443, 8444]);
  expect(args.filter((arg) => arg.startsWith('--publish'))).toEqual([
    '--publish=0.0.0.0:8080:8080',
    '--publish=0.0.0.0:8443:8443',
    '--publish=127.0.0.1:8444:8444',
  ]);
  const [first] = argumentsOfRun({}, 'Docker Desktop', [8080]).filter((arg) => arg.startsWith('--publish'));
  expect(first).toBe('--publish=127.0.0.1:8080:8080');
});

test('a container sees no other directory than that of its configuration', () => {
  expect(argumentsOfRun({}).join(' ')).not.toContain('--mount');
});
