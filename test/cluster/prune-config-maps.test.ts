import { Kubectl } from '../../cluster/kubectl';
import { configMapsOf, type PodTemplateOwner, pruneConfigMaps } from '../../cluster/prune-config-maps';

function owner(
  kind: string,
  volumes?: readonly { readonly configMap?: { readonly name?: string } }[],
): PodTemplateOwner {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'nginx' },
    spec: { template: { spec: volumes === undefined ? {} : { volumes } } },
  };
}

test('a configuration is kept by every Deployment and ReplicaSet that mounts it', () => {
  const names = configMapsOf([
    owner('Deployment', [{ configMap: { name: 'nginx-2222222222' } }]),
    owner('ReplicaSet', [{}, { configMap: { name: 'nginx-1111111111' } }]),
    owner('ReplicaSet', [{ configMap: { name: 'nginx-2222222222' } }]),
  ]);
  expect([...names].sort()).toEqual(['nginx-1111111111', 'nginx-2222222222']);
});

test('pods without volumes, and volumes without a ConfigMap, keep none', () => {
  expect([...configMapsOf([owner('ReplicaSet'), owner('Deployment', [{}, { configMap: {} }])])]).toEqual([]);
});

test('what nothing mounts is deleted, of nginx and of the dashboard, if it is old enough', async () => {
  const calls: string[] = [];
  const configMap = (name: string, age: number): object => ({
    kind: 'ConfigMap',
    metadata: { name, creationTimestamp: new Date(Date.now() - age).toISOString() },
  });
  const old = ['edge-1', 'edge-2', 'edge-dashboard-1'].map((name) => configMap(name, 3_600_000));
  const items = [...old, configMap('edge-3', 1000)];
  class OneNamespace extends Kubectl {
    override run(args: readonly string[]): Promise<string> {
      calls.push(args.join(' '));
      const owners = [owner('Deployment', [{ configMap: { name: 'edge-2' } }])];
      return Promise.resolve(JSON.stringify({ items: args.includes('configmaps') ? items : owners }));
    }
  }
  const options = { namespace: 'shop', olderThanMilliseconds: 600_000, dryRun: false };
  expect(await pruneConfigMaps(new OneNamespace(), options)).toEqual(['edge-1', 'edge-dashboard-1']);
  expect(calls[0]).toContain('--selector=app.kubernetes.io/component in (nginx-config,dashboard)');
  expect(calls.at(-1)).toBe('delete configmaps edge-1 edge-dashboard-1 --namespace=shop --ignore-not-found');
});
