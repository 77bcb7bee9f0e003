import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Check } from '../../cli/doctor/check';
import { onTestFinished } from '../afterwards';
import { typescriptProgram } from '../typescript-program';
import { fairlead } from './fairlead';

const root = resolve(__dirname, '../..');
const needing = readFileSync(resolve(__dirname, 'fixtures/needing.ts'), 'utf8');

/** What a program says: to standard output, or to standard error if it fails. */
type Answer = string | { readonly fails: string };

/** Answers of programs, each by a part of what they are asked for; the first that fits. */
interface StandIns {
  readonly docker?: Answer;
  readonly kubectl?: Readonly<Record<string, Answer>>;
}

const corefile = (cache: string, ttl = 'ttl 30'): string =>
  JSON.stringify({
    data: {
      Corefile: `.:53 {\n    errors\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n       pods insecure\n       ${ttl}\n    }\n    forward . /etc/resolv.conf\n    ${cache}\n    reload\n}\n`,
    },
  });
const notFound = { fails: 'Error from server (NotFound): the server could not find the requested resource' };
const daemonSet = (name: string): object => ({
  metadata: { name },
  spec: { template: { spec: { containers: [{ name: 'a' }] } } },
});
const kinds = (...names: readonly string[]): string => JSON.stringify({ resources: names.map((kind) => ({ kind })) });

/** A cluster that has it all. */
const well: Readonly<Record<string, Answer>> = {
  'version --client': '{"clientVersion":{"gitVersion":"v1.34.1"}}',
  'config current-context': 'kind-fairlead\n',
  '--raw=/version': '{"gitVersion":"v1.34.4"}',
  'apiservice v1beta1.metrics.k8s.io': '{"status":{"conditions":[{"type":"Available","status":"True"}]}}',
  'configmap coredns': corefile('cache 30'),
  'configmap node-local-dns': notFound,
  daemonsets: JSON.stringify({ items: [daemonSet('kube-proxy'), daemonSet('calico-node')] }),
  'secret database': '{"name":"database"}',
  'secret registry': '{"name":"registry"}',
  '--raw=/apis/monitoring.coreos.com/v1': kinds('PodMonitor', 'PrometheusRule'),
  '--raw=/apis/cert-manager.io/v1': kinds('Certificate'),
};

/** A PATH with these programs alone, which need none themselves. */
function pathWith(standIns: StandIns): string {
  const directory = temporaryDirectory();
  for (const [name, given] of Object.entries(standIns) as [string, Answer | Readonly<Record<string, Answer>>][]) {
    const answers = typeof given === 'string' || 'fails' in given ? { '': given } : given;
    const cases = Object.entries(answers).map(([part, answer]) => {
      const says =
        typeof answer === 'string'
          ? `printf %s ${quoted(answer)}`
          : `echo ${quoted(answer.fails as string)} >&2; exit 1`;
      return `  *${quoted(part)}*) ${says} ;;\n`;
    });
    const script = `#!/bin/sh\ncase "$*" in\n${cases.join('')}  *) echo "nobody answers $*" >&2; exit 1 ;;\nesac\n`;
    writeFileSync(join(directory, name), script, { mode: 0o755 });
  }
  return directory;
}

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-doctor-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A file of its own, as a process loads one once, which finds what the repository has. */
function mainWith(text: string): string {
  const directory = temporaryDirectory();
  symlinkSync(resolve(root, 'node_modules'), join(directory, 'node_modules'));
  const file = join(directory, 'main.ts');
  writeFileSync(file, text.replaceAll("'../../../index'", JSON.stringify(resolve(root, 'index'))));
  return file;
}

/** As a user runs it. */
function inProcess(standIns: StandIns, main: string): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...typescriptProgram, 'cli.ts', 'doctor', '--main', main],
    { cwd: root, encoding: 'utf8', env: { ...process.env, PATH: pathWith(standIns) } },
  );
  expect(stderr).toBe('');
  return { status, stdout };
}

/** Each check by its name. */
async function checks(standIns: StandIns, ...args: readonly string[]) {
  const { PATH } = process.env;
  process.env.PATH = pathWith(standIns);
  const options = args.includes('--main') ? args : ['--main', mainWith(needing), ...args];
  const { code, stdout, stderr } = await fairlead('doctor', '--json', ...options).finally(() => {
    process.env.PATH = PATH;
    process.exitCode = undefined;
  });
  expect(stderr).toBe('');
  const all = JSON.parse(stdout) as readonly Check[];
  return { code, all: Object.fromEntries(all.map(({ check, ...rest }) => [check, rest])) };
}

test('a machine and a cluster that have it all are ok, in a table of a line each', () => {
  const { status, stdout } = inProcess({ docker: '29.0.1\n', kubectl: well }, 'test/cli/fixtures/needing.ts');
  expect(stdout.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^ok {7}Node +\d+\.\d+\.\d+$/),
    expect.stringMatching(/^ok {7}ts-node +\d+\.\d+\.\d+$/),
    expect.stringMatching(/^ok {7}main\.ts +shop\/edge in front of orders \(environment production\)$/),
    expect.stringMatching(/^ok {7}Docker +29\.0\.1$/),
    expect.stringMatching(/^ok {7}kubectl +v1\.34\.1$/),
    expect.stringMatching(/^ok {7}context +kind-fairlead$/),
    expect.stringMatching(/^ok {7}cluster +v1\.34\.4$/),
    expect.stringMatching(/^ok {7}metrics-server +serves metrics$/),
    expect.stringMatching(/^ok {7}DNS cache +keeps answers 30 s$/),
    expect.stringMatching(/^ok {7}NetworkPolicy +judged by the DaemonSet calico-node: Calico enforces them$/),
    expect.stringMatching(/^ok {7}Secret shop\/database +is there$/),
    expect.stringMatching(/^ok {7}Secret shop\/registry +is there$/),
    expect.stringMatching(/^ok {7}(?:PodMonitor|Certificate) +is known/),
    expect.stringMatching(/^ok {7}(?:PodMonitor|Certificate) +is known/),
  ]);
  expect(status).toBe(0);
});

test('what is missing on the machine is a warning or failed, each with the mend', async () => {
  const { code, all } = await checks({});
  expect(all.Docker).toEqual({
    status: 'warning',
    found: 'is not installed',
    mend: expect.stringContaining('https://docs.docker.com/engine/install/') as string,
  });
  expect(all.kubectl).toMatchObject({
    status: 'failed',
    found: 'kubectl is not installed, or not on the PATH: see https://kubernetes.io/docs/tasks/tools/',
  });
  expect(all).not.toHaveProperty('context');
  expect(code).toBe(1);
});

test('a warning alone is not a failure', async () => {
  const { code, all } = await checks({ docker: { fails: 'Cannot connect to the Docker daemon' }, kubectl: well });
  expect(all.Docker).toMatchObject({ status: 'warning' });
  expect(all.Docker?.found).toContain('Cannot connect to the Docker daemon');
  expect(code).toBe(0);
});

test('a cluster that is not there, or not chosen, ends the checks of it', async () => {
  const none = await checks({
    kubectl: { ...well, 'config current-context': { fails: 'error: current-context is not set' } },
  });
  expect(none.all.context).toMatchObject({ status: 'failed', found: 'none is chosen' });
  expect(none.all).not.toHaveProperty('cluster');
  const away = await checks({ kubectl: { ...well, '--raw=/version': { fails: 'Unable to connect to the server' } } });
  expect(away.all.cluster).toMatchObject({ status: 'failed' });
  expect(away.all.cluster?.found).toContain('does not answer: ');
  expect(away.all).not.toHaveProperty('metrics-server');
  expect([none.code, away.code]).toEqual([1, 1]);
});

test('--context is asked instead of the current one', async () => {
  const named = await checks(
    { kubectl: { '--context=staging config get-contexts staging': 'staging\n', ...well } },
    '--context',
    'staging',
  );
  expect(named.all.context).toEqual({ status: 'ok', found: 'staging' });
  const unknown = await checks(
    { kubectl: { 'config get-contexts': { fails: 'error: context staging not found' }, ...well } },
    ...['--context', 'staging'],
  );
  expect(unknown.all.context).toMatchObject({ status: 'failed', found: '"staging" is not in the kubeconfig' });
});

test('what main.ts needs and the cluster does not have is failed, with the mend', async () => {
  const { code, all } = await checks({
    docker: '29.0.1',
    kubectl: {
      ...well,
      '--raw=/version': '{"gitVersion":"v1.29.3+k3s1"}',
      'apiservice v1beta1.metrics.k8s.io': notFound,
      'configmap coredns': corefile('cache 60', 'ttl 60'),
      daemonsets: JSON.stringify({ items: [daemonSet('kube-flannel-ds')] }),
      'secret database': { fails: 'Error from server (NotFound): secrets "database" not found' },
      'secret registry': { fails: 'Error from server (NotFound): secrets "registry" not found' },
      '--raw=/apis/monitoring.coreos.com/v1': notFound,
      '--raw=/apis/cert-manager.io/v1': kinds('Issuer'),
    },
  });
  expect(all).toMatchObject({
    cluster: { status: 'failed', found: 'v1.29.3+k3s1, and 1.30 or newer is needed' },
    'metrics-server': { status: 'failed', found: 'is not there: nothing is scaled by CPU or memory' },
    'DNS cache': { status: 'failed', mend: "namespace: { dnsCacheTtl: '60s' } in main.ts" },
    'Secret shop/database': { status: 'failed', found: 'is not there, and pods wait for it' },
    'Secret shop/registry': { status: 'warning', found: 'is not there; pods start without it' },
    PodMonitor: { status: 'failed', mend: 'see https://prometheus-operator.dev/docs/getting-started/installation/' },
    Certificate: { status: 'failed', mend: 'see https://cert-manager.io/docs/installation/' },
  });
  expect(code).toBe(1);
});

test('what may not be read is a warning', async () => {
  const forbidden = { fails: 'Error from server (Forbidden): secrets "database" is forbidden' };
  const { code, all } = await checks({ kubectl: { ...well, 'secret database': forbidden } });
  expect(all['Secret shop/database']).toMatchObject({ status: 'warning', found: 'may not be read by this user' });
  expect(code).toBe(0);
});

test('a main.ts that is not there, or does not load, is failed by its own line', async () => {
  const away = await checks({ kubectl: well }, '--main', 'nowhere.ts');
  expect(away.all['main.ts']).toMatchObject({ status: 'failed', found: 'nowhere.ts is not here' });
  const broken = async (text: string): Promise<Omit<Check, 'check'> | undefined> =>
    (await checks({ kubectl: well }, '--main', mainWith(text))).all['main.ts'];
  const refused = `import { App } from 'cdk8s'; import { LoadBalancedApi } from '../../../index';
new LoadBalancedApi(new App(), 'orders', { image: 'x', port: 70000 });`;
  expect(await broken(refused)).toMatchObject({
    status: 'failed',
    found: 'orders port: 70000 is out of range: give a whole number from 1 to 65535',
  });
  expect(await broken('export {};')).toMatchObject({ status: 'failed', found: 'has no proxy' });
});

test('a package that main.ts loads and is not installed is named, with how it comes', () => {
  const { status, stdout } = inProcess({ kubectl: well }, mainWith("require('fairlead-is-not-here');"));
  expect(stdout).toMatch(
    /^failed {3}main\.ts +Cannot find module 'fairlead-is-not-here'\n +→ npm install --save-dev fairlead-is-not-here$/m,
  );
  expect(status).toBe(1);
});

test('what a cluster says moves no cursor of the terminal, and sets no title of it', () => {
  const conditions = '{"conditions":[{"type":"Available","status":"False","message":"\\u001b]0;x\\u0007gone"}]}';
  const { stdout } = inProcess(
    { kubectl: { ...well, 'apiservice v1beta1.metrics.k8s.io': `{"status":${conditions}}` } },
    'test/cli/fixtures/needing.ts',
  );
  expect(stdout).toContain('serves no metrics: \ufffd]0;x\ufffdgone\n');
});
