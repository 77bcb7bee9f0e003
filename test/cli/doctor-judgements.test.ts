import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheSeconds } from '../../cli/doctor/corefile';
import { loaderCheck, nodeCheck } from '../../cli/doctor/machine';
import { type Manifest, needsOf } from '../../cli/doctor/needs';
import { type DaemonSet, networkPolicyCheck } from '../../cli/doctor/network-policies';
import { isAtLeast } from '../../local/package-version';

test('versions are compared by numbers', () => {
  expect(['v1.30.0', 'v1.34.4+k3s1', '2.0.0', 'v1.100.1'].map((version) => isAtLeast(version, [1, 30]))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['v1.29.9', '0.40.0', 'unknown'].map((version) => isAtLeast(version, [1, 30]))).toEqual([false, false, false]);
});

test('a Node that is too old fails, with where there is a newer one', () => {
  expect(nodeCheck('18.20.4')).toMatchObject({
    status: 'failed',
    mend: expect.stringContaining('nodejs.org') as string,
  });
  expect(nodeCheck('20.20.0')).toMatchObject({ status: 'ok' });
});

describe('main.ts', () => {
  let app: string;

  beforeEach(() => {
    app = mkdtempSync(join(tmpdir(), 'fairlead-doctor-'));
  });

  afterEach(() => {
    rmSync(app, { recursive: true });
  });

  function install(name: string, version: string): void {
    mkdirSync(join(app, 'node_modules', name), { recursive: true });
    writeFileSync(join(app, 'node_modules', name, 'package.json'), JSON.stringify({ name, version }));
  }

  test.each([
    [['tsx'], 'tsx'],
    [['ts-node', 'tsx'], 'ts-node'],
  ])('in an app that has %j is loaded by %s', (packages, loader) => {
    for (const name of packages) install(name, '4.0.0');
    expect(loaderCheck(join(app, 'main.ts'))).toEqual({ check: loader, status: 'ok', found: '4.0.0' });
  });

  test('is loaded by nothing in an app that has neither, nor has to be if it is JavaScript', () => {
    expect(loaderCheck(join(app, 'main.ts'))).toMatchObject({
      status: 'failed',
      mend: 'npm install --save-dev ts-node typescript@6',
    });
    expect(loaderCheck(join(app, 'main.js'))).toMatchObject({ status: 'ok' });
  });
});

describe('CoreDNS keeps an old answer', () => {
  const server = (cache: string, ttl = '', zone = '.:53'): string =>
    `${zone} {\n  errors # of all\n  kubernetes cluster.local in-addr.arpa {\n    pods insecure\n    ${ttl}\n  }\n  forward . /etc/resolv.conf\n  ${cache}\n}\n`;

  test.each([
    [
      'as kubeadm has it since 1.32',
      server('cache 30 {\n disable success cluster.local\n disable denial cluster.local\n }', 'ttl 30'),
      0,
    ],
    ['as kubeadm had it before', server('cache 30', 'ttl 30'), 30],
    ['without a cache', server('', 'ttl 30'), 0],
    ['for no longer than its own TTL', server('cache 30'), 5],
    ['for no longer than the cache has it', server('cache 10', 'ttl 30'), 10],
    ['without a number, as long as its TTL', server('cache', 'ttl 45'), 45],
    ['as long as success says', server('cache 30 {\n success 9984 12\n denial 9984 5\n }', 'ttl 30'), 12],
    ['at least as long as success says', server('cache 30 {\n success 9984 30 20\n }', 'ttl 5'), 20],
    ['where no success is kept', server('cache 30 {\n disable success\n }', 'ttl 30'), 0],
    ['where the cache is for another zone', server('cache 30 example.com', 'ttl 30'), 0],
    ['where another zone is not kept', server('cache 30 {\n disable success example.com\n }', 'ttl 30'), 30],
    [
      'by the server of the longest zone',
      `${server('cache 60', 'ttl 60')}${server('cache 10', 'ttl 60', 'cluster.local:53')}`,
      10,
    ],
    [
      'where it passes questions on, as on each node',
      'cluster.local:53 {\n cache {\n success 9984 30\n denial 9984 5\n }\n forward . __PILLAR__CLUSTER__DNS__\n}\n',
      30,
    ],
  ])('%s', (_, corefile, seconds) => {
    expect(cacheSeconds(corefile, 'cluster.local')).toBe(seconds);
  });

  test('of no domain that it does not serve', () => {
    expect(cacheSeconds('example.com:53 {\n cache 30\n}\n', 'cluster.local')).toBeUndefined();
    expect(cacheSeconds('', 'cluster.local')).toBeUndefined();
  });
});

describe('whether NetworkPolicies hold', () => {
  const daemonSet = (name: string, container = 'a', args: readonly string[] = []): DaemonSet => ({
    metadata: { name },
    spec: { template: { spec: { containers: [{ name: container, args }] } } },
  });

  test.each([
    ['cilium', [daemonSet('kube-proxy'), daemonSet('cilium')], 'v1.34.0', 'ok'],
    ['k3s, which has no DaemonSet for it', [], 'v1.34.0+k3s1', 'ok'],
    [
      'the agent of AWS',
      [daemonSet('aws-node', 'aws-eks-nodeagent', ['--enable-network-policy=true'])],
      'v1.34.0-eks',
      'ok',
    ],
    ['the agent of AWS that is off', [daemonSet('aws-node', 'aws-eks-nodeagent')], 'v1.34.0-eks', 'warning'],
    ['flannel', [daemonSet('kube-flannel-ds')], 'v1.34.0', 'warning'],
    ['nothing that is known', [daemonSet('kube-proxy')], 'v1.34.0', 'warning'],
  ])('%s', (_, daemonSets, version, status) => {
    expect(networkPolicyCheck(daemonSets, version)).toMatchObject({ check: 'NetworkPolicy', status });
  });

  test('is said with how it is judged, as no API says so', () => {
    expect(networkPolicyCheck([daemonSet('calico-node')], 'v1.34.0').found).toContain(
      'judged by the DaemonSet calico-node',
    );
    expect(networkPolicyCheck([], 'v1.34.0').found).toContain('cannot be told');
  });
});

test('what pods refer to is needed, but for what the app makes, or cert-manager for it', () => {
  const metadata = { name: 'a', namespace: 'shop' };
  const pods = (spec: object): Manifest => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { template: { spec: { containers: [], ...spec } } },
  });
  const manifests: Manifest[] = [
    pods({
      containers: [
        {
          env: [{ valueFrom: { secretKeyRef: { name: 'database', key: 'url' } } }],
          envFrom: [{ configMapRef: { name: 'settings' } }],
        },
      ],
      volumes: [
        { secret: { secretName: 'tls' } },
        { secret: { secretName: 'issued' } },
        { projected: { sources: [{ secret: { name: 'keys', optional: true } }] } },
      ],
      imagePullSecrets: [{ name: 'registry' }],
    }),
    // Elsewhere it is needed for certain.
    pods({ volumes: [{ secret: { secretName: 'keys' } }] }),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls', namespace: 'shop' } },
    { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, spec: { secretName: 'issued' } },
    { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata, spec: { metrics: [{ type: 'Pods' }] } },
  ];
  expect(needsOf(manifests, [])).toEqual({
    references: [
      { kind: 'Secret', namespace: 'shop', name: 'database', optional: false },
      { kind: 'ConfigMap', namespace: 'shop', name: 'settings', optional: false },
      { kind: 'Secret', namespace: 'shop', name: 'keys', optional: false },
      { kind: 'Secret', namespace: 'shop', name: 'registry', optional: true },
    ],
    kinds: [{ apiVersion: 'cert-manager.io/v1', kind: 'Certificate' }],
    hasResourceMetrics: false,
    hasNetworkPolicies: false,
    namespaces: [],
  });
});
