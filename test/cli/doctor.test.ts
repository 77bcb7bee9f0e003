import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Check } from '../../cli/doctor/check';
import { onTestFinished } from '../afterwards';
import { typescriptProgram } from '../typescript-program';

const root = resolve(__dirname, '../..');
const main = 'test/cli/fixtures/needing.ts';

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

function doctor(standIns: StandIns, ...args: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-doctor-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  for (const [name, given] of Object.entries(standIns) as [string, Answer | Readonly<Record<string, Answer>>][]) {
    const answers = typeof given === 'string' || 'fails' in given ? { '': given } : given;
    const script = `#!${process.execPath}
const asked = process.argv.slice(2).join(' ');
const found = Object.entries(${JSON.stringify(answers)}).find(([part]) => asked.includes(part));
const answer = found === undefined ? { fails: 'nobody answers ' + asked } : found[1];
if (typeof answer === 'string') process.stdout.write(answer);
else { console.error(answer.fails); process.exitCode = 1; }
`;
    writeFileSync(join(directory, name), script, { mode: 0o755 });
  }
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...typescriptProgram, 'cli.ts', 'doctor', '--main', main, ...args],
    { cwd: root, encoding: 'utf8', env: { ...process.env, PATH: directory } },
  );
  expect(stderr).toBe('');
  return { status, stdout };
}

/** Each check by its name. */
function checks(standIns: StandIns, ...args: readonly string[]) {
  const { status, stdout } = doctor(standIns, '--json', ...args);
  const all = JSON.parse(stdout) as readonly Check[];
  return { status, all: Object.fromEntries(all.map(({ check, ...rest }) => [check, rest])) };
}

test('a machine and a cluster that have it all are ok, in a table of a line each', () => {
  const { status, stdout } = doctor({ docker: '29.0.1\n', kubectl: well });
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

test('what is missing on the machine is a warning or failed, each with the mend', () => {
  const { status, all } = checks({});
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
  expect(status).toBe(1);
});

test('a warning alone is no failure', () => {
  const { status, all } = checks({ docker: { fails: 'Cannot connect to the Docker daemon' }, kubectl: well });
  expect(all.Docker).toMatchObject({ status: 'warning' });
  expect(all.Docker?.found).toContain('Cannot connect to the Docker daemon');
  expect(status).toBe(0);
});

test('a cluster that is not there, or not chosen, ends the checks of it', () => {
  const none = checks({
    kubectl: { ...well, 'config current-context': { fails: 'error: current-context is not set' } },
  });
  expect(none.all.context).toMatchObject({ status: 'failed', found: 'none is chosen' });
  expect(none.all).not.toHaveProperty('cluster');
  const away = checks({ kubectl: { ...well, '--raw=/version': { fails: 'Unable to connect to the server' } } });
  expect(away.all.cluster).toMatchObject({ status: 'failed' });
  expect(away.all.cluster?.found).toContain('does not answer: ');
  expect(away.all).not.toHaveProperty('metrics-server');
  expect([none.status, away.status]).toEqual([1, 1]);
});

test('--context is asked instead of the current one', () => {
  const named = checks(
    { kubectl: { '--context=staging config get-contexts staging': 'staging\n', ...well } },
    '--context',
    'staging',
  );
  expect(named.all.context).toEqual({ status: 'ok', found: 'staging' });
  const unknown = checks(
    { kubectl: { 'config get-contexts': { fails: 'error: context staging not found' }, ...well } },
    ...['--context', 'staging'],
  );
  expect(unknown.all.context).toMatchObject({ status: 'failed', found: '"staging" is not in the kubeconfig' });
});

test('what main.ts needs and the cluster does not have is failed, with the mend', () => {
  const { status, all } = checks({
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
  expect(status).toBe(1);
});

test('what may not be read is a warning', () => {
  const forbidden = { fails: 'Error from server (Forbidden): secrets "database" is forbidden' };
  const { status, all } = checks({ kubectl: { ...well, 'secret database': forbidden } });
  expect(all['Secret shop/database']).toMatchObject({ status: 'warning', found: 'may not be read by this user' });
  expect(status).toBe(0);
});

test('a main.ts that is not there, or does not load, is failed by its own line', () => {
  const away = checks({ kubectl: well }, '--main', 'nowhere.ts');
  expect(away.all['main.ts']).toMatchObject({ status: 'failed', found: 'nowhere.ts is not here' });
  const directory = mkdtempSync(join(root, 'test/cli/fixtures/broken-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const broken = (text: string): Omit<Check, 'check'> | undefined => {
    const file = join(directory, `${String(text.length)}.ts`);
    writeFileSync(file, text);
    return checks({ kubectl: well }, '--main', file).all['main.ts'];
  };
  const refused = `import { App } from 'cdk8s'; import { LoadBalancedApi } from '../../../../index';
new LoadBalancedApi(new App(), 'orders', { image: 'x', port: 70000 });`;
  expect(broken(refused)).toMatchObject({
    status: 'failed',
    found: 'orders port: 70000 is out of range: give a whole number from 1 to 65535',
  });
  expect(broken("require('fairlead-is-not-here');")).toMatchObject({
    status: 'failed',
    mend: 'npm install --save-dev fairlead-is-not-here',
  });
  expect(broken('export {};')).toMatchObject({ status: 'failed', found: 'has no proxy' });
});
