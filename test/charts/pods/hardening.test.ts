import { podsOf } from '../../../charts/pods/pod-network-policy';
import { Namespaces, NetworkPolicyIpBlock, Node, NodeLabelQuery, NodeTaintQuery } from 'cdk8s-plus-27';
import { Exposure } from '../../../charts/proxy/exposure';
import { timeline } from '../../../model/timeline';
import type { TimeText } from '../../../validation/amounts';
import { containerOf, find, newBackend, podSpecOf, synthesize } from '../manifests';

const deployments = ['orders', 'nginx'] as const;

test('the Namespace enforces the Pod Security Standard "restricted"', () => {
  expect(find(synthesize(), 'Namespace', 'orders').metadata.labels).toMatchObject({
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/audit': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  });
});

describe.each(deployments)('The pods of %s', (deployment) => {
  test('are restricted', () => {
    const manifests = synthesize();
    expect(podSpecOf(manifests, deployment).securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containerOf(manifests, deployment).securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
    });
    expect(podSpecOf(manifests, deployment).hostNetwork).toBe(false);
  });

  test('get no token of a service account, and no addresses of Services in their environment', () => {
    expect(podSpecOf(synthesize(), deployment)).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
    });
  });

  test('have all three probes, requests and limits', () => {
    const container = containerOf(synthesize(), deployment);
    expect(container).toHaveProperty('startupProbe');
    expect(container).toHaveProperty('livenessProbe');
    expect(container).toHaveProperty('readinessProbe');
    expect(Object.keys(container.resources.requests).sort()).toEqual(['cpu', 'ephemeral-storage', 'memory']);
    expect(Object.keys(container.resources.limits).sort()).toEqual([
      'cpu',
      ...(deployment === 'nginx' ? ['ephemeral-storage'] : []),
      'memory',
    ]);
  });

  test('have no volume that can fill the disk or the memory of a node', () => {
    const volumes = podSpecOf(synthesize(), deployment).volumes as readonly { emptyDir?: { sizeLimit?: string } }[];
    const limits = volumes.flatMap(({ emptyDir }) => (emptyDir === undefined ? [] : [emptyDir.sizeLimit]));
    expect(limits).toEqual(deployment === 'nginx' ? ['4Mi', '676Mi'] : ['1024Mi']);
  });

  test('are spread over nodes strictly, over zones where possible, one ReplicaSet at a time', () => {
    const { selector } = find(synthesize(), 'Deployment', deployment).spec ?? {};
    const common = {
      maxSkew: 1,
      labelSelector: selector,
      matchLabelKeys: ['pod-template-hash'],
      nodeTaintsPolicy: 'Honor',
    };
    expect(podSpecOf(synthesize(), deployment).topologySpreadConstraints).toEqual([
      { ...common, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
      { ...common, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
    ]);
  });

  test('roll out without a gap', () => {
    expect(find(synthesize(), 'Deployment', deployment).spec).toMatchObject({
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } },
    });
  });

  test('are evicted one at a time, and at once when they are not ready anyway', () => {
    expect(find(synthesize(), 'PodDisruptionBudget', deployment).spec).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: find(synthesize(), 'Deployment', deployment).spec?.selector,
    });
  });

  test('are replaced half a minute after Kubernetes has noticed that their node is lost, or as was asked for', () => {
    const lost = (tolerationSeconds: number): unknown =>
      ['not-ready', 'unreachable'].map((state) => ({
        key: `node.kubernetes.io/${state}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds,
      }));
    expect(podSpecOf(synthesize(), deployment).tolerations).toEqual(lost(30));
    expect(podSpecOf(synthesize({ namespace: { unreachableToleration: '2m' } }), deployment).tolerations).toEqual(
      lost(120),
    );
    expect(podSpecOf(synthesize({ namespace: { unreachableToleration: '0s' } }), deployment).tolerations).toEqual(
      lost(0),
    );
  });

  test('can be rolled back as often as was asked for', () => {
    expect(find(synthesize(), 'Deployment', deployment).spec?.revisionHistoryLimit).toBe(10);
    const manifests = synthesize({ namespace: { revisionHistoryLimit: 3 } });
    expect(find(manifests, 'Deployment', deployment).spec?.revisionHistoryLimit).toBe(3);
  });
});

test("the proxies find connections to a lost node by TCP keep-alive, which is the nodes' own in pods of the API", () => {
  const manifests = synthesize();
  expect(podSpecOf(manifests, 'nginx').securityContext).toMatchObject({
    sysctls: [
      { name: 'net.ipv4.tcp_keepalive_time', value: '2' },
      { name: 'net.ipv4.tcp_keepalive_intvl', value: '1' },
      { name: 'net.ipv4.tcp_keepalive_probes', value: '3' },
    ],
  });
  expect(podSpecOf(manifests, 'orders').securityContext).not.toHaveProperty('sysctls');
});

test('a user may tolerate more', () => {
  const manifests = synthesize({}, (api) => {
    api.backend.deployment.scheduling.tolerate(Node.tainted(NodeTaintQuery.exists('example.com/dedicated')));
  });
  expect(podSpecOf(manifests, 'orders').tolerations).toHaveLength(3);
});

test('a user may choose nodes, beside the spread over them', () => {
  const manifests = synthesize({}, (api) => {
    api.backend.deployment.scheduling.attract(Node.labeled(NodeLabelQuery.is('example.com/disk', 'ssd')));
  });
  const { affinity, topologySpreadConstraints } = podSpecOf(manifests, 'orders');
  const matchExpressions = [{ key: 'example.com/disk', operator: 'In', values: ['ssd'] }];
  expect(affinity).toMatchObject({
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
  });
  expect(topologySpreadConstraints).toEqual(podSpecOf(synthesize(), 'orders').topologySpreadConstraints);
});

test('pods end as the timeline says', () => {
  const expected = timeline({
    requestTimeout: '20s',
    dnsCacheTtl: '0s',
    resolverValid: '2s',
    deregistrationDelay: '7s',
  });
  const manifests = synthesize({
    requestTimeout: '20s',
    namespace: { dnsCacheTtl: '0s', resolverValid: '2s' },
    exposure: Exposure.loadBalancer({ deregistrationDelay: '7s' }),
  });
  expect(containerOf(manifests, 'orders').lifecycle.preStop.sleep.seconds).toBe(expected.apiPreStop);
  expect(podSpecOf(manifests, 'orders').terminationGracePeriodSeconds).toBe(expected.apiTerminationGracePeriod);
  expect(containerOf(manifests, 'nginx').lifecycle.preStop.sleep.seconds).toBe(expected.proxyPreStop);
  expect(podSpecOf(manifests, 'nginx').terminationGracePeriodSeconds).toBe(expected.proxyTerminationGracePeriod);
  expect(expected.proxyPreStop).toBe(7);
});

test('proxies wait for the longest request of any route before they are killed', () => {
  const graceOf = (requestTimeout: TimeText): number => {
    const manifests = synthesize({ requestTimeout: '5s' }, (api) => {
      const slow = newBackend(api.namespace, 'reports', { requestTimeout });
      api.proxy.addRoute('/reports', slow);
    });
    return podSpecOf(manifests, 'nginx').terminationGracePeriodSeconds;
  };
  expect(graceOf('10m')).toBe(30 + 602 + 5);
  // What an idle client was told is longer.
  expect(graceOf('5s')).toBe(30 + 24 + 5);
});

describe('Network policies', () => {
  const [api, proxy] = [
    { matchLabels: { 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/name': 'orders' } },
    { matchLabels: { 'app.kubernetes.io/instance': 'nginx', 'app.kubernetes.io/name': 'nginx' } },
  ];
  const dns = {
    ports: [
      { port: 53, protocol: 'UDP' },
      { port: 53, protocol: 'TCP' },
    ],
  };

  test('close every pod of the namespace to everyone', () => {
    expect(find(synthesize(), 'NetworkPolicy', 'deny-ingress').spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress'],
    });
  });

  test('open the API to the proxies alone, on its port, and leave its own way out open', () => {
    const manifests = synthesize({ port: 8000 });
    const common = { podSelector: api, policyTypes: ['Ingress'] };
    expect(find(manifests, 'NetworkPolicy', 'orders').spec).toEqual(common);
    const ofRoutes = manifests.find(({ metadata }) => metadata.name.startsWith('orders-from-'));
    expect(ofRoutes?.spec).toEqual({
      ...common,
      ingress: [{ from: [{ podSelector: proxy }], ports: [{ port: 8000, protocol: 'TCP' }] }],
    });
  });

  test('close the way out of the API to all but DNS and what was given', () => {
    const { spec } = find(
      synthesize({}, ({ backend }) => {
        backend.allowTo(NetworkPolicyIpBlock.ipv4(backend, 'Database', '10.20.0.0/16'), 5432);
        backend.allowTo(Namespaces.select(backend, 'Queues', { names: ['queues'] }));
      }),
      'NetworkPolicy',
      'orders',
    );
    expect(spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect(spec?.egress).toEqual([
      dns,
      { to: [{ ipBlock: { cidr: '10.20.0.0/16' } }], ports: [{ port: 5432, protocol: 'TCP' }] },
      {
        to: [{ podSelector: {}, namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'queues' } } }],
      },
    ]);
    expect(find(synthesize(), 'NetworkPolicy', 'orders').spec).not.toHaveProperty('egress');
  });

  test('open the proxies to everyone, and let them reach backends and DNS alone', () => {
    expect(find(synthesize(), 'NetworkPolicy', 'nginx').spec).toEqual({
      podSelector: proxy,
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          ports: [
            { port: 8080, protocol: 'TCP' },
            { port: 8443, protocol: 'TCP' },
          ],
        },
        { ports: [{ port: 8444, protocol: 'TCP' }] },
      ],
      egress: [dns, { to: [podsOf('api')] }],
    });
  });

  test('let the proxies reach DNS servers on ports of their own', () => {
    const { spec } = find(
      synthesize({ namespace: { resolvers: ['10.0.0.10:5353', '[fd00::a]:5454', '10.0.0.11', '[fd00::b]'] } }),
      'NetworkPolicy',
      'nginx',
    );
    expect(spec?.egress).toContainEqual({
      ports: [53, 5353, 5454].flatMap((port) => [
        { port, protocol: 'UDP' },
        { port, protocol: 'TCP' },
      ]),
    });
  });

  test('hold off all but the source ranges where pods see the addresses of clients, and only there', () => {
    const sourceRanges = ['192.0.2.0/24', '2001:db8::/32'];
    const ingressOf = (externalTrafficPolicy?: 'Cluster' | 'Local'): unknown =>
      find(
        synthesize({
          exposure: Exposure.loadBalancer({
            sourceRanges,
            ...(externalTrafficPolicy === undefined ? {} : { externalTrafficPolicy }),
          }),
        }),
        'NetworkPolicy',
        'nginx',
      ).spec?.ingress;
    expect(ingressOf('Local')).toContainEqual({
      from: [{ ipBlock: { cidr: '192.0.2.0/24' } }, { ipBlock: { cidr: '2001:db8::/32' } }],
      ports: [
        { port: 8080, protocol: 'TCP' },
        { port: 8443, protocol: 'TCP' },
      ],
    });
    expect(JSON.stringify(ingressOf('Cluster'))).not.toContain('ipBlock');
    // The default is Local too, but nobody said that the load balancer passes addresses on.
    expect(JSON.stringify(ingressOf())).not.toContain('ipBlock');
  });
});
