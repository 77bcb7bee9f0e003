import { fieldChanges } from '../../diff/objects/fields';
import { type Manifest, manifestsOf } from '../../diff/objects/manifest';
import { appliedForm } from '../../diff/sources/applied-form';

const manifest: Manifest = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'edge', namespace: 'shop', labels: { team: 'shop' } },
  spec: {
    minReadySeconds: 0,
    template: {
      spec: {
        hostNetwork: false,
        containers: [
          {
            name: 'nginx',
            image: 'nginx:1.30',
            env: [{ name: 'SIZE', value: '1024Mi' }],
            resources: { limits: { cpu: '0.5', memory: '1024Mi' } },
            volumeMounts: [
              { name: 'config', mountPath: '/a' },
              { name: 'config', mountPath: '/b' },
            ],
          },
        ],
        volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '2048Mi' } }],
      },
    },
  },
};

/** What the API server makes of it. */
function live(
  changes: { readonly image?: string; readonly applied?: Manifest; readonly args?: readonly string[] } = {},
): Manifest {
  const { image = 'nginx:1.30', applied, args } = changes;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'edge',
      namespace: 'shop',
      labels: { team: 'shop', added: 'by-another' },
      ...(applied === undefined
        ? {}
        : { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(applied) } }),
    },
    spec: {
      progressDeadlineSeconds: 600,
      template: {
        metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'yesterday' } },
        spec: {
          containers: [
            {
              name: 'nginx',
              image,
              ...(args === undefined ? {} : { args }),
              imagePullPolicy: 'IfNotPresent',
              env: [{ name: 'SIZE', value: '1024Mi' }],
              resources: { limits: { cpu: '500m', memory: '1Gi' } },
              volumeMounts: [
                { name: 'config', mountPath: '/a' },
                { name: 'config', mountPath: '/b' },
              ],
            },
          ],
          volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '2Gi' } }],
        },
      },
    },
    status: { replicas: 2 },
  };
}

test('what the API server fills in, and writes in another way, is no difference', () => {
  expect(fieldChanges(appliedForm(live(), manifest), manifest)).toEqual([]);
  const applied = { ...manifest, metadata: { ...manifest.metadata, annotations: {} } };
  expect(fieldChanges(appliedForm(live({ applied }), manifest), manifest)).toEqual([]);
});

test('what was changed in the cluster is one, as applying changes it back', () => {
  expect(fieldChanges(appliedForm(live({ image: 'nginx:1.29', applied: manifest }), manifest), manifest)).toEqual([
    { path: 'spec.template.spec.containers[nginx].image', before: 'nginx:1.29', after: 'nginx:1.30' },
  ]);
});

test('what was applied, and is no longer in the manifest, is gone', () => {
  const before = structuredClone(manifest) as unknown as {
    spec: { template: { spec: { containers: Record<string, unknown>[] } } };
  };
  const [container] = before.spec.template.spec.containers;
  if (container !== undefined) container.args = ['-g', 'daemon off;'];
  const applied = before as unknown as Manifest;
  const form = appliedForm(live({ applied, args: ['-g', 'daemon off;'] }), manifest);
  expect(fieldChanges(form, manifest)).toEqual([
    {
      path: 'spec.template.spec.containers[nginx].args',
      before: ['-g', 'daemon off;'],
      after: undefined,
    },
  ]);
});

test('a text of a variable is no amount', () => {
  const changed = JSON.parse(JSON.stringify(manifest).replace('"value":"1024Mi"', '"value":"1Gi"')) as Manifest;
  expect(fieldChanges(appliedForm(live(), changed), changed)).toEqual([
    { path: 'spec.template.spec.containers[nginx].env[SIZE].value', before: '1024Mi', after: '1Gi' },
  ]);
});

test('an amount may be written as a number, and a port or a version is none', () => {
  const object = (spec: object): Manifest => ({ apiVersion: 'v1', kind: 'A', metadata: { name: 'a' }, spec });
  const differing = (kept: object, given: object): number =>
    fieldChanges(appliedForm(object(kept), object(given)), object(given)).length;
  expect(differing({ limits: { cpu: '1' } }, { limits: { cpu: 1 } })).toBe(0);
  expect(differing({ targetPort: '80' }, { targetPort: 80 })).toBe(1);
  expect(differing({ targetPort: 80 }, { targetPort: '80' })).toBe(1);
  expect(differing({ version: '1.1' }, { version: '1.10' })).toBe(1);
});

test('a Secret is compared in the form in which the API server keeps it', () => {
  const metadata = { name: 'edge-tls', namespace: 'shop' };
  const [written] = manifestsOf({ apiVersion: 'v1', kind: 'Secret', metadata, stringData: { key: 'secret' } });
  const kept = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { key: 'c2VjcmV0' } };
  if (written === undefined) throw new Error('there is one');
  expect(fieldChanges(appliedForm(kept, written), written)).toEqual([]);
});

test('a manifest without a namespace means that of the object', () => {
  const metadata = { name: 'rules' };
  const desired = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1' } };
  const object = { ...desired, metadata: { ...metadata, namespace: 'default' } };
  expect(fieldChanges(appliedForm(object, desired), desired)).toEqual([]);
});

test('a field that is null is not there', () => {
  const object = { apiVersion: 'v1', kind: 'Service', spec: { type: 'ClusterIP' } };
  const metadata = { name: 'orders', namespace: null, creationTimestamp: null };
  const [desired] = manifestsOf({ ...object, metadata, spec: { ...object.spec, externalName: null }, status: null });
  if (desired === undefined) throw new Error('there is one');
  expect(desired).toEqual({ ...object, metadata: { name: 'orders' } });
  const made = { name: 'orders', namespace: 'default', creationTimestamp: '2026-03-01T12:00:00Z' };
  expect(fieldChanges(appliedForm({ ...object, metadata: made }, desired), desired)).toEqual([]);
});

test('a time, as YAML has it without quotes, is compared like any value', () => {
  const [before, after] = [new Date(1), new Date(2)];
  expect(fieldChanges({ until: before }, { until: after })).toEqual([{ path: 'until', before, after }]);
});
