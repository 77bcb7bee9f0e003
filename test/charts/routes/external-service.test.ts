import { NetworkPolicyIpBlock } from 'cdk8s-plus-27';
import { ExternalService } from '../../../charts/routes/external-service';
import type { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { TrafficSplit } from '../../../charts/routes/route-targets';
import { Retries } from '../../../model/routes/route-options';
import { InvalidOption } from '../../../validation/invalid-option';
import {
  containerOf,
  egressOf,
  type Manifest,
  newBackend,
  newProxy,
  newShop,
  nginxConfOf,
  objectsAround,
  podSpecOf,
} from '../manifests';

/** Every object of a shop whose proxy has these routes. */
function written(addRoutes: (edge: NginxProxy) => unknown): Manifest[] {
  const shop = newShop();
  const edge = newProxy(shop);
  addRoutes(edge);
  return objectsAround(shop);
}

function volumesOf(manifests: readonly Manifest[]): readonly { readonly name: string }[] {
  return podSpecOf(manifests, 'edge').volumes as readonly { readonly name: string }[];
}

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOption);
    return (error as InvalidOption).message;
  }
  throw new Error('nothing was refused');
}

const tcp = (port: number) => [{ port, protocol: 'TCP' }];

describe('The NetworkPolicy of a proxy', () => {
  test('opens the port of a URL to every address but link-local ones', () => {
    const manifests = written((edge) => edge.addRoute('/', ExternalService.fromUrl('https://legacy.example.com:8443')));
    expect(egressOf(manifests)).toEqual([
      {
        to: [
          { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } },
          { ipBlock: { cidr: '::/0', except: ['fe80::/10'] } },
        ],
        ports: tcp(8443),
      },
    ]);
  });

  test.each([
    ['http://192.0.2.1', '192.0.2.1/32'],
    ['http://[2001:db8::1]', '2001:db8::1/128'],
  ])('opens the port of %s to its address alone', (url, cidr) => {
    const manifests = written((edge) => edge.addRoute('/', ExternalService.fromUrl(url)));
    expect(egressOf(manifests)).toEqual([{ to: [{ ipBlock: { cidr } }], ports: tcp(80) }]);
  });

  test('opens it to the networks that are given', () => {
    const networks = ['203.0.113.0/24', '2001:db8::/32'];
    const manifests = written((edge) =>
      edge.addRoute('/', ExternalService.fromUrl('https://legacy.example.com', { networks })),
    );
    expect(egressOf(manifests)).toEqual([{ to: networks.map((cidr) => ({ ipBlock: { cidr } })), ports: tcp(443) }]);
  });

  test('opens the port of the pods behind a Service, in its namespace', () => {
    const manifests = written((edge) => {
      const options = { namespace: 'billing', port: 80, podPort: 8080 };
      edge.addRoute('/payments', ExternalService.fromServiceName('payments', options));
      edge.addRoute('/near', ExternalService.fromServiceName('near', { port: 9000 }));
      edge.addRoute('/own', ExternalService.fromServiceName('own', { namespace: 'shop' }));
    });
    expect(egressOf(manifests)).toEqual([
      {
        to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'billing' } } }],
        ports: tcp(8080),
      },
      { to: [{ podSelector: {} }], ports: tcp(80) },
      { to: [{ podSelector: {} }], ports: tcp(9000) },
    ]);
    const conf = nginxConfOf(manifests);
    expect(conf).toContain('server payments.billing.svc.cluster.local:80 resolve');
    expect(conf).toContain('server near.shop.svc.cluster.local:9000 resolve');
  });

  test('is closed as before to all else', () => {
    const manifests = written((edge) => {
      edge.networkPolicy.allowTo(NetworkPolicyIpBlock.ipv4(edge, 'Other', '192.0.2.0/24'), 5432);
      edge.addRoute('/', ExternalService.fromUrl('http://198.51.100.1'));
    });
    expect(egressOf(manifests)).toHaveLength(2);
  });
});

describe('A private CA', () => {
  const withSecrets = (...secrets: readonly string[]): Manifest[] =>
    written((edge) => {
      for (const caSecret of secrets) {
        edge.addRoute(`/${caSecret}`, ExternalService.fromUrl(`https://${caSecret}.example.com`, { caSecret }));
        edge.addRoute(`/${caSecret}/too`, ExternalService.fromUrl(`https://${caSecret}.example.com/too`, { caSecret }));
      }
    });

  test('is mounted without a key that may be beside it, and verifies its services', () => {
    const manifests = withSecrets('legacy');
    expect(volumesOf(manifests)).toContainEqual({
      name: 'certificate-authorities',
      projected: {
        defaultMode: 0o444,
        sources: [{ secret: { name: 'legacy', items: [{ key: 'ca.crt', path: 'legacy/ca.crt' }] } }],
      },
    });
    expect(containerOf(manifests, 'edge').volumeMounts).toContainEqual({
      name: 'certificate-authorities',
      mountPath: '/etc/nginx/certificate-authorities',
      readOnly: true,
    });
    const conf = nginxConfOf(manifests);
    expect(conf).toContain('proxy_ssl_trusted_certificate "/etc/nginx/certificate-authorities/legacy/ca.crt"');
    expect(conf.match(/^ *upstream /gm)).toHaveLength(1);
  });

  test('stands in the manifests in an order that does not follow from that of the routes', () => {
    expect(JSON.stringify(withSecrets('a', 'b'))).toBe(JSON.stringify(withSecrets('b', 'a')));
  });

  test('is not there where the CAs of the system are used', () => {
    const manifests = written((edge) => edge.addRoute('/', ExternalService.fromUrl('https://legacy.example.com')));
    expect(JSON.stringify(volumesOf(manifests))).not.toContain('certificate-authorities');
    expect(nginxConfOf(manifests)).toContain('proxy_ssl_trusted_certificate "/etc/ssl/certs/ca-certificates.crt"');
  });
});

describe('A route to an external service', () => {
  const legacy = ExternalService.fromUrl('https://legacy.example.com');

  test('has the times that are given, bounded by no backend, and the proxy waits for the longest', () => {
    const shop = newShop();
    const edge = newProxy(shop, 'edge', { routeDefaults: { requestTimeout: '20s' } });
    expect(edge.addRoute('/a', legacy).timeline.requestTimeout).toBe(20);
    expect(edge.addRoute('/b', legacy, { requestTimeout: '10m' }).timeline.requestTimeout).toBe(600);
    edge.addRoute('/orders', newBackend(shop, 'orders'));
    expect(edge.timeline.workerShutdownTimeout).toBe(602);
    expect(edge.targets.map(({ node }) => node.id)).toEqual(['orders']);
  });

  test('sets Host to what the URL names, beside the headers of the route, which come before those of the service', () => {
    const anonymous = ExternalService.fromUrl('https://a.example.com:8443', { identifiesClients: false });
    const { model } = newProxy(newShop()).addRoute('/', anonymous, { requestHeaders: { authorization: 'Bearer x' } });
    expect(model.requestHeaders).toEqual([
      ['Host', 'a.example.com:8443'],
      ['Cookie', false],
      ['X-Forwarded-For', false],
      ['X-Real-IP', false],
      ['authorization', 'Bearer x'],
    ]);
    expect(model.responseHeaders).toEqual([['Set-Cookie', false]]);
  });

  test('leaves what other routes send as it is, however many there are', () => {
    const shop = newShop();
    const edge = newProxy(shop);
    edge.addRoute('/', newBackend(shop, 'orders'));
    for (const path of ['/a', '/b', '/c']) edge.addRoute(path, legacy, { retries: Retries.none() });
    const [, http = ''] = /\n {2}# Requests to the API\n([^]*?)\n\n/.exec(nginxConfOf(objectsAround(shop))) ?? [];
    expect(http).toContain('proxy_set_header Host $host');
  });

  test('counts in the budget of its proxy', () => {
    const budgetWith = (...urls: readonly string[]) => {
      const shop = newShop();
      const edge = newProxy(shop);
      edge.addRoute('/', newBackend(shop, 'orders'));
      urls.forEach((url, index) => edge.addRoute(`/${index}`, ExternalService.fromUrl(url)));
      return edge.budget;
    };
    const [none, plain, secure] = [
      budgetWith(),
      budgetWith('http://a.example.com'),
      budgetWith('https://a.example.com'),
    ];
    const counted = ({ memory }: typeof none) => memory.find(({ what }) => what === 'external services')?.count;
    expect([none, plain, secure].map(counted)).toEqual([undefined, 1, 1]);
    expect(plain.requests).toBeLessThanOrEqual(none.requests);
    expect(secure.requests).toBeLessThan(plain.requests);
    expect(secure.memorySum).toBeLessThanOrEqual(0.8 * secure.memoryLimit);
    expect(plain.workerConnections - plain.connections - plain.requests).toBe(48 + 2 * (64 + 8));
  });
});

test.each<[what: string, make: () => unknown, message: string]>([
  ['no URL', () => ExternalService.fromUrl('legacy'), 'ExternalService.fromUrl: "legacy" is not the URL of a service'],
  [
    'a password',
    () => ExternalService.fromUrl('https://me:secret@a.example.com'),
    'ExternalService.fromUrl: "https://…@a.example.com" has a user',
  ],
  [
    'a name without a domain',
    () => ExternalService.fromUrl('http://payments'),
    'ExternalService.fromUrl host: "payments" is a name without a domain',
  ],
  [
    'an address over TLS',
    () => ExternalService.fromUrl('https://192.0.2.1'),
    'ExternalService.fromUrl host: "192.0.2.1" is an address, which nginx finds in no certificate',
  ],
  [
    'an unknown option',
    () => ExternalService.fromUrl('https://a.example.com', { casecret: 'x' } as object),
    'ExternalService.fromUrl casecret: "x" is an option that does not exist: caSecret does',
  ],
  [
    'no options',
    () => ExternalService.fromUrl('https://a.example.com', null as never),
    'ExternalService.fromUrl: null is not an object',
  ],
  [
    'a CA without TLS',
    () => ExternalService.fromUrl('http://a.example.com', { caSecret: 'x' }),
    'ExternalService.fromUrl caSecret: "x" does nothing for http://',
  ],
  [
    'the name of no Secret',
    () => ExternalService.fromUrl('https://a.example.com', { caSecret: '../x' }),
    'ExternalService.fromUrl caSecret: "../x" is not the name of a Kubernetes object',
  ],
  [
    'no networks',
    () => ExternalService.fromUrl('https://a.example.com', { networks: [] }),
    'ExternalService.fromUrl networks: [] is empty',
  ],
  [
    'a network that is none',
    () => ExternalService.fromUrl('https://a.example.com', { networks: ['a'] }),
    'ExternalService.fromUrl networks: "a" is not a CIDR',
  ],
  [
    'a local URL that is none',
    () => ExternalService.fromUrl('https://a.example.com', { local: { url: 'a' } }),
    'ExternalService.fromUrl local.url: "a" is not the URL of a service',
  ],
  [
    'a local address over TLS',
    () => ExternalService.fromUrl('https://a.example.com', { local: { url: 'https://127.0.0.1' } }),
    'ExternalService.fromUrl local.url host: "127.0.0.1" is an address',
  ],
  [
    'a local CA without TLS',
    () =>
      ExternalService.fromUrl('https://a.example.com', {
        local: { url: 'http://localhost:1', certificateAuthority: 'ca.crt' },
      }),
    'ExternalService.fromUrl local.certificateAuthority: "ca.crt" does nothing without https://',
  ],
  [
    'a local CA of no URL',
    () => ExternalService.fromServiceName('payments', { local: { certificateAuthority: 'ca.crt' } }),
    'ExternalService.fromServiceName local.certificateAuthority: "ca.crt" does nothing without https://',
  ],
  [
    'a file that is none',
    () => ExternalService.fromUrl('https://a.example.com', { local: { certificateAuthority: '' } }),
    'ExternalService.fromUrl local.certificateAuthority: "" is not the path of a file',
  ],
  [
    'the name of no Service',
    () => ExternalService.fromServiceName('payments.billing'),
    'ExternalService.fromServiceName: "payments.billing" is not a DNS label',
  ],
  [
    'the name of no namespace',
    () => ExternalService.fromServiceName('payments', { namespace: 'a.b' }),
    'ExternalService.fromServiceName namespace: "a.b" is not a DNS label',
  ],
  [
    'no port',
    () => ExternalService.fromServiceName('payments', { podPort: 0 }),
    'ExternalService.fromServiceName podPort: 0 is out of range',
  ],
  [
    'a share of a split',
    () => TrafficSplit.weighted([{ target: ExternalService.fromUrl('https://a.example.com') as never, weight: 100 }]),
    'TrafficSplit.weighted target: "(object)" is not a Backend',
  ],
])('%s is refused', (_what, make, message) => {
  expect(refusal(make)).toContain(message);
});
