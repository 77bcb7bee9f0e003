import { Exposure } from '../../charts/proxy/exposure';
import { containerOf, find, type Manifest, nginxConfOf, podSpecOf, synthesize } from './manifests';

const nginx = (exposure?: Exposure): Manifest =>
  find(synthesize(exposure === undefined ? {} : { exposure }), 'Service', 'nginx');

const selector = { 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/name': 'orders' };

describe('The Service of the API', () => {
  test('is headless, so that DNS answers with the ready pods themselves', () => {
    expect(find(synthesize(), 'Service', 'orders').spec).toEqual({
      type: 'ClusterIP',
      clusterIP: 'None',
      externalIPs: [],
      publishNotReadyAddresses: false,
      ports: [{ name: 'http', port: 3000, targetPort: 3000 }],
      selector,
    });
  });
});

describe('The fallback to the API', () => {
  test('is an ordinary Service with one address, on the port of the pods', () => {
    const { spec } = find(synthesize({ port: 8000 }), 'Service', 'orders-cluster-ip');
    expect(spec).toEqual({
      type: 'ClusterIP',
      externalIPs: [],
      ports: [{ name: 'http', port: 8000, targetPort: 8000 }],
      selector,
    });
  });

  test('is what nginx asks by the name that DNS has for it', () => {
    expect(nginxConfOf(synthesize({ port: 8000 }))).toContain(
      'server orders-cluster-ip.orders.svc.cluster.local:8000 max_fails=1 fail_timeout=1s;',
    );
  });
});

describe('The Service of nginx', () => {
  test('is a load balancer unless told otherwise, with nothing that was not asked for', () => {
    const { spec, metadata } = nginx();
    expect(spec).toEqual({
      type: 'LoadBalancer',
      externalIPs: [],
      externalTrafficPolicy: 'Local',
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'https', port: 443, targetPort: 8443 },
      ],
      selector: { 'app.kubernetes.io/instance': 'nginx', 'app.kubernetes.io/name': 'nginx' },
    });
    expect(metadata).not.toHaveProperty('annotations');
    expect(nginx(Exposure.loadBalancer())).toEqual(nginx());
  });

  test('takes what a load balancer can be told', () => {
    const { spec, metadata } = nginx(
      Exposure.loadBalancer({
        annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'orders.example.com' },
        sourceRanges: ['192.0.2.0/24'],
        loadBalancerClass: 'service.k8s.aws/nlb',
        externalTrafficPolicy: 'Local',
        httpNodePort: 30_080,
        httpsNodePort: 30_443,
      }),
    );
    expect(metadata.annotations).toEqual({ 'external-dns.alpha.kubernetes.io/hostname': 'orders.example.com' });
    expect(spec).toMatchObject({
      loadBalancerSourceRanges: ['192.0.2.0/24'],
      loadBalancerClass: 'service.k8s.aws/nlb',
      externalTrafficPolicy: 'Local',
      ports: [{ nodePort: 30_080 }, { nodePort: 30_443 }],
    });
  });

  test('lets a load balancer check nodes, and see their proxies gone, unless told otherwise', () => {
    expect(nginx().spec?.externalTrafficPolicy).toBe('Local');
    const exposure = Exposure.loadBalancer({ externalTrafficPolicy: 'Cluster' });
    expect(nginx(exposure).spec?.externalTrafficPolicy).toBe('Cluster');
  });

  test.each([
    ['NodePort', Exposure.nodePort()],
    ['ClusterIP', Exposure.clusterIp()],
  ])("leaves Kubernetes' own policy to a %s", (type, exposure) => {
    const { spec } = nginx(exposure);
    expect(spec?.type).toBe(type);
    expect(spec).not.toHaveProperty('externalTrafficPolicy');
    expect(JSON.stringify(spec)).not.toContain('nodePort');
  });

  test('may be a NodePort, on ports of the nodes that are given or not', () => {
    const exposure = Exposure.nodePort({ httpsNodePort: 31_443, externalTrafficPolicy: 'Cluster' });
    const { spec } = nginx(exposure);
    expect(spec).toMatchObject({
      type: 'NodePort',
      externalTrafficPolicy: 'Cluster',
      ports: [{ name: 'http' }, { name: 'https', nodePort: 31_443 }],
    });
    expect((spec?.ports as object[])[0]).not.toHaveProperty('nodePort');
  });

  test.each([
    ['loadBalancer', 'LoadBalancer'],
    ['nodePort', 'NodePort'],
    ['clusterIp', 'ClusterIP'],
  ] as const)('has the ports that clients use of %s, and nginx redirects to them', (factory, type) => {
    const manifests = synthesize({ exposure: Exposure[factory]({ httpPort: 8080, httpsPort: 9443 }) });
    expect(find(manifests, 'Service', 'nginx').spec).toMatchObject({
      type,
      ports: [
        { port: 8080, targetPort: 8080 },
        { port: 9443, targetPort: 8443 },
      ],
    });
    expect(nginxConfOf(manifests)).toContain(':9443$request_uri');
  });

  test.each(['loadBalancer', 'nodePort', 'clusterIp'] as const)('has the annotations that %s was given', (factory) => {
    const annotations = { 'example.com/internal': 'true' };
    expect(nginx(Exposure[factory]({ annotations })).metadata.annotations).toEqual(annotations);
  });

  test.each([
    ['loadBalancer', 30],
    ['nodePort', 5],
    ['clusterIp', 5],
  ] as const)(
    'leaves a proxy of %s that ends %i s before it accepts no more, or as long as was given',
    (factory, by) => {
      const preStop = (exposure: Exposure): number =>
        containerOf(synthesize({ exposure }), 'nginx').lifecycle.preStop.sleep.seconds;
      expect(preStop(Exposure[factory]())).toBe(by);
      const exposure = Exposure[factory]({ deregistrationDelay: '17s' });
      expect(preStop(exposure)).toBe(17);
      expect(podSpecOf(synthesize({ exposure }), 'nginx').terminationGracePeriodSeconds).toBe(17 + 62 + 5);
    },
  );

  test.each(['orders', 'orders-cluster-ip', 'nginx'])(
    'and that of the API have the IP families that were given: %s',
    (name) => {
      const families = (ipFamilies?: ('IPv4' | 'IPv6')[]): unknown =>
        find(synthesize(ipFamilies === undefined ? {} : { namespace: { ipFamilies } }), 'Service', name).spec;
      expect(families(['IPv6'])).toMatchObject({ ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' });
      expect(families(['IPv6', 'IPv6'])).toMatchObject({ ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' });
      expect(families(['IPv4', 'IPv6'])).toMatchObject({
        ipFamilies: ['IPv4', 'IPv6'],
        ipFamilyPolicy: 'RequireDualStack',
      });
      expect(families()).not.toHaveProperty('ipFamilies');
      expect(families()).not.toHaveProperty('ipFamilyPolicy');
    },
  );
});
