import { configMapsOf, type PodTemplateOwner } from '../../cluster/prune-config-maps';

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
