import { find, nginxConfOf, synthesize, type TestProps } from './manifests';

const nginx = (given: TestProps = {}) => find(synthesize(given), 'Service', 'nginx');

describe('The Service of the API', () => {
  test('is headless, so that DNS answers with the ready pods themselves', () => {
    expect(find(synthesize(), 'Service', 'api').spec).toMatchObject({
      type: 'ClusterIP',
      clusterIP: 'None',
      publishNotReadyAddresses: false,
      ports: [{ name: 'http', port: 3000, targetPort: 3000 }],
      selector: { 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/name': 'api' },
    });
  });
});

describe('The fallback to the API', () => {
  test('is an ordinary Service with one address, on the port of the pods', () => {
    const { spec } = find(synthesize({ container: { port: 8000 } }), 'Service', 'api-cluster-ip');
    expect(spec).toEqual({
      type: 'ClusterIP',
      externalIPs: [],
      ports: [{ name: 'http', port: 8000, targetPort: 8000 }],
      selector: { 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/name': 'api' },
    });
  });

  test('is what nginx asks by the name that DNS has for it', () => {
    expect(nginxConfOf(synthesize({ container: { port: 8000 } }))).toContain(
      'server api-cluster-ip.orders.svc.cluster.local:8000 max_fails=1 fail_timeout=1s;',
    );
  });
});

describe('The Service of nginx', () => {
  test('is a load balancer unless told otherwise, with nothing that was not asked for', () => {
    const { spec, metadata } = nginx();
    expect(spec?.type).toBe('LoadBalancer');
    for (const field of ['loadBalancerSourceRanges', 'loadBalancerClass', 'ipFamilies', 'ipFamilyPolicy']) {
      expect(spec).not.toHaveProperty(field);
    }
    expect(metadata).not.toHaveProperty('annotations');
    expect(JSON.stringify(spec)).not.toContain('nodePort');
  });

  test('takes what a load balancer can be told', () => {
    const { spec, metadata } = nginx({
      serviceAnnotations: { 'external-dns.alpha.kubernetes.io/hostname': 'orders.example.com' },
      loadBalancerSourceRanges: ['192.0.2.0/24'],
      loadBalancerClass: 'service.k8s.aws/nlb',
      externalTrafficPolicy: 'Local',
      httpNodePort: 30_080,
      httpsNodePort: 30_443,
    });
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
    expect(nginx({ externalTrafficPolicy: 'Cluster' }).spec?.externalTrafficPolicy).toBe('Cluster');
  });

  test.each(['NodePort', 'ClusterIP'] as const)("leaves Kubernetes' own policy to a %s", (serviceType) => {
    expect(nginx({ serviceType }).spec).not.toHaveProperty('externalTrafficPolicy');
  });

  test('may be a ClusterIP', () => {
    expect(nginx({ serviceType: 'ClusterIP' }).spec).toMatchObject({ type: 'ClusterIP' });
  });

  test('may be a NodePort, on ports of the nodes that are given or not', () => {
    expect(nginx({ serviceType: 'NodePort' }).spec).toMatchObject({ type: 'NodePort' });
    expect(
      nginx({ serviceType: 'NodePort', httpsNodePort: 31_443, externalTrafficPolicy: 'Cluster' }).spec,
    ).toMatchObject({
      externalTrafficPolicy: 'Cluster',
      ports: [{ name: 'http' }, { name: 'https', nodePort: 31_443 }],
    });
  });

  test('has the ports that clients use, and nginx redirects to them', () => {
    const manifests = synthesize({ externalHttpPort: 8080, externalHttpsPort: 9443 });
    expect(find(manifests, 'Service', 'nginx').spec).toMatchObject({
      ports: [
        { port: 8080, targetPort: 8080 },
        { port: 9443, targetPort: 8443 },
      ],
    });
    expect(nginxConfOf(manifests)).toContain(':9443$request_uri');
  });

  test.each(['api', 'api-cluster-ip', 'nginx'])(
    'and that of the API have the IP families that were given: %s',
    (name) => {
      const families = (ipFamilies: ('IPv4' | 'IPv6')[]): unknown =>
        find(synthesize({ ipFamilies }), 'Service', name).spec;
      expect(families(['IPv6'])).toMatchObject({ ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' });
      expect(families(['IPv4', 'IPv6'])).toMatchObject({
        ipFamilies: ['IPv4', 'IPv6'],
        ipFamilyPolicy: 'RequireDualStack',
      });
    },
  );
});
