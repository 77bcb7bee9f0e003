import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../../..');

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], cwd: string, environment: Readonly<Record<string, string>> = {}): Promise<Run> {
  return new Promise((done, failed) => {
    // Without the CLI's question to the registry whether there is a newer one.
    const env = { PATH: process.env.PATH, CDK8S_CHECK_UPGRADE: 'false', ...environment };
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
    child.once('error', failed);
    child.once('close', (code) => {
      done({ code, ...output });
    });
  });
}

const cdk8s = join(root, 'node_modules/cdk8s-cli/bin/cdk8s');

/** A copy of what a user has, so that nothing is written into the repository. */
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-synth-'));
  for (const name of [
    'certificates',
    'charts',
    'dashboard',
    'nginx',
    'model',
    'validation',
    'cdk8s.yaml',
    'environments.ts',
    'main.ts',
    'package.json',
    'tsconfig.json',
  ]) {
    cpSync(join(root, name), join(directory, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
});

function mode(path: string): number {
  return statSync(join(directory, path)).mode & 0o777;
}

/** Of what is in dist/, by the names of the charts. */
function modesOfManifests(): Record<string, number> {
  const names = readdirSync(join(directory, 'dist'));
  return Object.fromEntries(
    names.map((name) => [name.replace(/-[0-9a-f]{8}\.k8s\.yaml$/, ''), mode(join('dist', name))]),
  );
}

function modes(all: number): Record<string, number> {
  return { 'api-0-namespace': all, api: all, 'api-nginx-tls': 0o600 };
}

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** What a production without a certificate of its own says, and no more. */
const warning =
  'warning: api/api/nginx certificate: is self-signed, as none was given: no client trusts it, each machine makes another, and its key is in dist: give Certificate.fromCertManager(…), Certificate.fromSecret(…) or Certificate.fromFiles(…), or Certificate.selfSigned() if it is meant\n';

describe('cdk8s synth', () => {
  test('writes the manifests for production, the same bytes again, with the private key for nobody else', async () => {
    expect(await run([cdk8s, 'synth'], directory)).toMatchObject({ code: 0, stderr: warning });
    const files = (): Record<string, string> =>
      Object.fromEntries(
        readdirSync(join(directory, 'dist')).map((name) => [name, readFileSync(join(directory, 'dist', name), 'utf8')]),
      );
    const first = files();
    // As `ls dist/` and `kubectl apply -f dist/` have them: the Namespace first.
    const names = Object.keys(first).sort();
    expect(names.map((name) => name.replace(/-[0-9a-f]{8}\./, '.'))).toEqual([
      'api-0-namespace.k8s.yaml',
      'api.k8s.yaml',
      'api-nginx-tls.k8s.yaml',
    ]);
    expect(Object.values(first).join('')).toContain('type: LoadBalancer');

    await run([cdk8s, 'synth'], directory);
    expect(files()).toEqual(first);

    const kept = readdirSync(join(directory, '.fairlead')).filter((name) => name.startsWith('api.example.com'));
    expect(kept).toHaveLength(1);
    expect(mode(join('.fairlead', kept[0] ?? '', 'tls.key'))).toBe(0o600);
    mkdirSync(join(directory, 'usual'));
    writeFileSync(join(directory, 'usual/file'), '');
    expect(modesOfManifests()).toEqual(modes(mode('usual/file')));
    expect(mode('dist')).toBe(mode('usual'));
  });

  test('ends with the one line of an option that cannot work, exit code 1 and nothing written', async () => {
    mkdirSync(join(directory, 'dist'), { recursive: true });
    const { code, stdout, stderr } = await run([cdk8s, 'synth'], directory, { FAIRLEAD_ENVIRONMENT: 'prodution' });
    expect(code).toBe(1);
    expect(stdout).toBe('Synthesizing application\n');
    expect(stderr.split('\n')).toEqual([
      'FAIRLEAD_ENVIRONMENT: "prodution" is unknown: give one of production, kind',
      'ERROR: synthesis failed, app expected to create "dist"',
      '',
    ]);
    expect(existsSync(join(directory, 'dist'))).toBe(false);
  });
});

describe('What cdk8s finds in the tree of constructs when everything is made', () => {
  const lines = [
    'first/edge routes: [] is empty: give a route, such as addRoute("/", orders)',
    'second/edge clients.maxStreams: 50 does nothing without a route for streams: take it out, or give a route `streaming`',
    '[second] one that is not ours',
  ];

  beforeAll(() => {
    writeFileSync(
      join(directory, 'incomplete.ts'),
      `import { App } from 'cdk8s';
import { Certificate } from './charts/proxy/certificate';
import { RestrictedNamespace } from './charts/namespace';
import { NginxProxy } from './charts/proxy/nginx-proxy';
import { FixedResponse } from './charts/routes/route-targets';

const app = new App();
const [first, second] = [new RestrictedNamespace(app, 'first'), new RestrictedNamespace(app, 'second')];
const certificate = Certificate.selfSigned();
new NginxProxy(first, 'edge', { certificate });
new NginxProxy(second, 'edge', { certificate, clients: { maxStreams: 50 } }).addRoute('/', FixedResponse.of(204));
second.node.addValidation({ validate: () => ['one that is not ours'] });
app.synth();
`,
    );
  });

  test('is said by cdk8s synth in lines of ours, without a stack trace, and nothing is written', async () => {
    const app = 'node -r ts-node/register -r ./charts/one-line-errors.ts incomplete.ts';
    const { code, stdout, stderr } = await run([cdk8s, 'synth', '--app', app], directory);
    expect(stderr.split('\n').sort()).toEqual(
      [...lines, 'ERROR: synthesis failed, app expected to create "dist"', ''].sort(),
    );
    expect(stdout).toBe('Synthesizing application\n');
    expect(code).toBe(1);
    expect(existsSync(join(directory, 'dist'))).toBe(false);
  });

  test('is said by the app itself in lines of ours, with exit code 1', async () => {
    const app = ['-r', 'ts-node/register', '-r', './charts/one-line-errors.ts', 'incomplete.ts'];
    const { code, stdout, stderr } = await run(app, directory);
    expect(stderr.split('\n').sort()).toEqual([...lines, ''].sort());
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});

describe('The app by itself', () => {
  const app = ['-r', 'ts-node/register', '-r', './charts/one-line-errors.ts'];

  test('writes the private key for nobody else, also into a file that everybody could read before', async () => {
    await run([...app, 'main.ts'], directory);
    const files = readdirSync(join(directory, 'dist')).map((name) => join(directory, 'dist', name));
    for (const file of files) chmodSync(file, 0o666);
    expect(await run([...app, 'main.ts'], directory)).toEqual({ code: 0, stdout: '', stderr: warning });
    expect(modesOfManifests()).toEqual(modes(0o666));
  });

  test('ends with the one line and exit code 1', async () => {
    const environment = { FAIRLEAD_ENVIRONMENT: 'kind', FAIRLEAD_HTTPS_PORT: '99999' };
    expect(await run([...app, 'main.ts'], directory, environment)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'FAIRLEAD_HTTPS_PORT: "99999" is not a port: give a whole number from 1 to 65535\n',
    });
  });

  test('ends with the whole error when the mistake is in its own code', async () => {
    writeFileSync(join(directory, 'broken.ts'), 'throw new TypeError("a mistake");\n');
    const { code, stderr } = await run([...app, 'broken.ts'], directory);
    expect(code).toBe(1);
    expect(stderr).toContain('TypeError: a mistake\n    at ');
  });
});
