import { Agent, request } from 'undici';
import { run } from '../../cluster/external-command';
import { eventually } from '../../cluster/progress';
import { configMapsOf, type PodTemplateOwner } from '../../cluster/prune-config-maps';
import { loadFigure } from './support/figures';
import { settled, workloads } from './support/pods';
import { expectNoneLost, scenario } from './support/scenario';
import { cluster, httpsUrl, kubectl, servedCertificate, suite } from './support/suite';
import { startLoad } from './support/traffic-load';
import { apply, synthesizeVariant, type Variant } from './support/variant';

const orphan = 'nginx-0000000000';

/** The header by which the configurations of this file differ. */
async function servedVariant(): Promise<string | undefined> {
  const dispatcher = new Agent({ connect: { ca: await servedCertificate(), family: 4 } });
  const { headers, body } = await request(`${httpsUrl()}/healthcheck`, { dispatcher });
  await body.dump();
  await dispatcher.close();
  return headers['x-variant']?.toString();
}

async function proxyNames(): Promise<string[]> {
  return (await workloads().pods('proxy')).map(({ metadata }) => metadata.name).sort();
}

function variant(name: string): Variant {
  return { proxy: { defaultResponseHeaders: { 'X-Variant': name } } };
}

/** Applies a variant and leaves the autoscalers no choice, as before. */
async function applyVariant(props: Variant): Promise<void> {
  await apply(synthesizeVariant(props));
  await workloads().pinAutoscaler('api', 2);
  await workloads().pinAutoscaler('proxy', 2);
}

async function undo(...args: readonly string[]): Promise<void> {
  await kubectl.run(['rollout', 'undo', workloads().deployment('proxy'), `--namespace=${suite().namespace}`, ...args]);
  await workloads().rolledOut('proxy');
  await workloads().readyPods('proxy', 2);
}

async function configMaps(): Promise<string[]> {
  const found = await kubectl.list([
    'configmaps',
    `--namespace=${suite().namespace}`,
    '--selector=app.kubernetes.io/component=nginx-config',
  ]);
  return found.map(({ metadata }) => metadata.name).sort();
}

interface Revision extends PodTemplateOwner {
  readonly metadata: PodTemplateOwner['metadata'] & { readonly annotations: Readonly<Record<string, string>> };
}

/** The revision of the Deployment whose pods mount a ConfigMap. */
async function revisionWith(configMap: string): Promise<string> {
  const replicaSets = await kubectl.list<Revision>([
    'replicasets',
    `--namespace=${suite().namespace}`,
    '--selector=app.kubernetes.io/component=proxy',
  ]);
  const found = replicaSets.find((replicaSet) => configMapsOf([replicaSet]).has(configMap));
  const revision = found?.metadata.annotations['deployment.kubernetes.io/revision'];
  if (revision === undefined) throw new Error(`a ReplicaSet refers to ${configMap}`);
  return revision;
}

/** The ConfigMap of the configuration that is wanted now. */
async function currentConfigMap(): Promise<string> {
  const deployments = await kubectl.list<PodTemplateOwner>([
    workloads().deployment('proxy'),
    `--namespace=${suite().namespace}`,
  ]);
  const [name] = [...configMapsOf(deployments)];
  if (name === undefined) throw new Error('the proxies mount a ConfigMap');
  return name;
}

beforeAll(async () => {
  await settled();
  await applyVariant(variant('a'));
  await workloads().rolledOut('proxy');
  await settled();
});

// Each of these goes on from where the one before it ended, as an operator's day does.

scenario('a changed nginx option rolls the proxies', async () => {
  const before = await proxyNames();
  expect(await servedVariant()).toBe('a');
  const load = await startLoad();
  await applyVariant(variant('b'));
  await workloads().rolledOut('proxy');
  await workloads().readyPods('proxy', 2);
  const result = await load.stop();
  loadFigure('changed nginx option', result);

  expect((await proxyNames()).filter((name) => before.includes(name))).toEqual([]);
  expect(await servedVariant()).toBe('b');
  await expectNoneLost(result);
});

scenario('a configuration that is never ready leaves the old proxies serving', async () => {
  const before = await proxyNames();
  const load = await startLoad();
  // An address for documentation: no DNS server will ever answer there.
  await applyVariant({ ...variant('c'), namespace: { resolvers: ['192.0.2.1'] } });
  await eventually('failed startup probes of a new proxy', async () => {
    const events = await kubectl.list<ProbeEvent>(['events', `--namespace=${suite().namespace}`]);
    const failures = events
      .filter(({ involvedObject }) => !before.includes(involvedObject.name))
      .filter(({ message }) => message?.startsWith('Startup probe failed') === true)
      .map(({ count = 1 }) => count);
    // More than once: a proxy that is about to be ready may fail the first.
    return Math.max(...failures) >= 10 ? true : undefined;
  });
  const result = await load.stop();
  loadFigure('configuration that is never ready', result);

  const ready = (await workloads().pods('proxy')).filter(
    ({ status }) => status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
  );
  expect(ready.map(({ metadata }) => metadata.name).sort()).toEqual(before);
  expect(await servedVariant()).toBe('b');
  await expectNoneLost(result);
});

interface ProbeEvent {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly message?: string;
  readonly count?: number;
  readonly involvedObject: { readonly name: string };
}

scenario('a rollback works after old ConfigMaps were pruned', async () => {
  const { namespace } = suite();
  const neverReady = await currentConfigMap();
  const kept = await configMaps();
  await kubectl.run(['create', 'configmap', orphan, `--namespace=${namespace}`]);
  await kubectl.run([
    'label',
    'configmap',
    orphan,
    `--namespace=${namespace}`,
    'app.kubernetes.io/component=nginx-config',
  ]);
  const prune = (...args: readonly string[]): Promise<string> =>
    run(
      process.execPath,
      [
        '--require=ts-node/register',
        'cli.ts',
        'prune',
        `--namespace=${namespace}`,
        `--context=kind-${cluster.name}`,
        ...args,
      ],
      { env: { ...process.env, KUBECONFIG: cluster.kubeconfig } },
    );
  expect(await prune()).toBe(`No ConfigMap of namespace ${namespace} is without use.\n`);
  expect(await prune('--older-than=0s', '--dry-run')).toBe(`configmap/${orphan} would be deleted\n`);
  expect(await configMaps()).toContain(orphan);
  expect(await prune('--older-than=0s')).toBe(`configmap/${orphan} deleted\n`);
  expect(await configMaps()).toEqual(kept);

  const load = await startLoad();
  await undo();
  expect(await servedVariant()).toBe('b');
  const b = await currentConfigMap();
  // The oldest, whose pods have all been gone for a while: its ConfigMap has to be there still.
  const a = kept.filter((name) => ![neverReady, b].includes(name));
  expect(a.length).toBeGreaterThan(0);
  for (const name of a) {
    await undo(`--to-revision=${await revisionWith(name)}`);
    expect(await currentConfigMap()).toBe(name);
  }
  const result = await load.stop();
  loadFigure('rollback after pruning', result);
  await expectNoneLost(result);
});
