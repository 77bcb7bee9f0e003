import { nginxConf } from '../../nginx/nginx-conf';
import { Auth } from '../../model/auth/auth';
import { Jwks } from '../../model/auth/jwks';
import { authParts } from './support/auth-files';
import { proxyModel, ProxyParts, RouteParts, somePlace } from './support/models';
import { testConfiguration } from './support/real-nginx';

function conf(place: Readonly<Record<string, unknown>>): string {
  return nginxConf(proxyModel(), somePlace(place));
}

test.each<[Record<string, unknown>, string]>([
  [{ resolvers: [] }, 'resolvers: [] is empty: give a DNS server'],
  [
    { resolvers: ['10.0.0.10:70000'] },
    'resolvers: "10.0.0.10:70000" is not a server: give an address or a DNS name, with an optional port, such as "10.96.0.10", "[fd00::a]:53" or "dns.example.com:53"',
  ],
  [{ ipFamilies: [] }, 'ipFamilies: [] is empty: give IPv4, IPv6 or both'],
  [{ ipFamilies: ['IPv5'] }, 'ipFamilies: "IPv5" is unknown: give one of IPv4, IPv6'],
  [{ workers: 0 }, 'workers: 0 is out of range: give a whole number from 1 to 512'],
  [
    { listenAddress: 'localhost' },
    'listenAddress: "localhost" is not an IP address: give one, such as "127.0.0.1" or "::1"',
  ],
  [
    { clientAddress: '0.0.0.0/0' },
    'clientAddress: "0.0.0.0/0" is not an IP address: give one, such as "127.0.0.1" or "::1"',
  ],
  [{ httpPort: 8443 }, 'httpsPort: 8443 is httpPort as well: give a port of its own'],
  [{ probePort: 0 }, 'probePort: 0 is out of range: give a whole number from 1 to 65535'],
  [{ certificateStore: 'run' }, 'certificateStore: "run" is not an absolute path: begin it with "/"'],
  [
    { certificateStore: '/run/certificates' },
    'certificateCheckPort: undefined is out of range: give a whole number from 1 to 65535',
  ],
  [
    { certificateStore: '/run/certificates', certificateCheckPort: 8444 },
    'certificateCheckPort: 8444 is probePort as well: give a port of its own',
  ],
  [
    { connectionCount: { httpPort: 8446, httpsPort: 8443 } },
    'connectionCount.httpsPort: 8443 is httpsPort as well: give a port of its own',
  ],
  [{ modulesDirectory: 'modules' }, 'modulesDirectory: "modules" is not an absolute path: begin it with "/"'],
  [{ certificateDirectory: 'tls' }, 'certificateDirectory: "tls" is not an absolute path: begin it with "/"'],
  [
    { hostCertificatesDirectory: 'hosts' },
    'hostCertificatesDirectory: "hosts" is not an absolute path: begin it with "/"',
  ],
  [
    { certificateStore: '/run/certificates', certificateCheckPort: 8445, certificatePatience: -1 },
    'certificatePatience: -1 is out of range: give a whole number from 0 to 86400',
  ],
  [{ backendPatience: 0.5 }, 'backendPatience: 0.5 is out of range: give a whole number from 0 to 86400'],
  [{ accessLog: '/tmp/$x' }, 'accessLog: "/tmp/$x" has a "$", which nginx reads as a variable there: take it out'],
])('refuses %j', (place, message) => {
  expect(() => conf(place)).toThrow(new Error(message));
});

describe('a refusal names the option, whichever it is', () => {
  test.each(['certificateDirectory', 'runtimeDirectory', 'accessLog'])('%s is a path that nginx can read', (option) => {
    expect(() => conf({ [option]: '/a\nb' })).toThrow(`${option}: "/a\\nb" has a control character`);
    expect(() => conf({ [option]: 'a' })).toThrow(`${option}: "a" is not an absolute path`);
  });

  test.each(['httpPort', 'httpsPort', 'probePort', 'externalHttpsPort'])('%s is a port', (option) => {
    for (const value of [0, 65_536, 1.5, '80']) {
      expect(() => conf({ [option]: value })).toThrow(new RegExp(`^${option}: .* is out of range`));
    }
  });

  test('a text of 2048 bytes is the longest, counted as UTF-8', () => {
    const directory = (letters: number): string => `/${'ä'.repeat(letters)}a`;
    expect(() => conf({ certificateDirectory: directory(1023) })).not.toThrow();
    expect(() => conf({ certificateDirectory: directory(1024) })).toThrow(
      /^certificateDirectory: .* is longer than 2048 bytes, which nginx cannot read: shorten it$/,
    );
  });

  test('a text that outgrows what nginx reads with its escapes is refused', () => {
    expect(() => conf({ certificateDirectory: `/${'$'.repeat(400)}` })).not.toThrow();
    expect(() => conf({ certificateDirectory: `/${'$'.repeat(500)}` })).toThrow(
      /^certificateDirectory: .* has more quotes, backslashes and "\$" than nginx can read: take some out$/,
    );
  });

  test.each<[option: string, parts: ProxyParts]>([
    ['requestHeaders["X-Price"]', { routes: [{ requestHeaders: [['X-Price', '$'.repeat(500)]] }] }],
    ['responseHeaders["X-Price"]', { routes: [{ responseHeaders: [['X-Price', '$'.repeat(500)]] }] }],
    ['defaultResponseHeaders["X-Price"]', { defaultResponseHeaders: [['X-Price', '$'.repeat(500)]] }],
  ])('a header that outgrows it is refused by the name of its option: %s', (option, parts) => {
    expect(() => nginxConf(proxyModel(parts), somePlace())).toThrow(`${option}: "$$$`);
  });
});

describe('The name of a header', () => {
  const header = (length: number): string => `X-${'a'.repeat(length - 2)}`;

  test('may have 64 characters, also where it is in the answer of a service that is asked', async () => {
    const { asked } = Auth.external(
      { bindAuth: () => ({ kind: 'backend', backend: 'api' }) },
      { responseHeaders: [header(40), header(64)] },
    );
    if (asked === undefined) throw new Error('nobody is asked');
    const auth = { ...asked, target: { kind: 'backend', backend: 'api' } } as const;
    const routes = [{}, { path: '/asked', auth, requestHeaders: asked.requestHeaders }];
    await testConfiguration(nginxConf(proxyModel({ routes }), somePlace()));
  });

  test('may have 46 beside a gRPC backend, whose module has no room for more', async () => {
    const withHeader = (length: number): string => {
      const routes: RouteParts[] = [
        { path: '/shop.Orders', protocol: 'grpc', requestHeaders: [[header(length), 'x']] },
        { path: '/shop.Stock', protocol: 'grpc', responseHeaders: [[header(length), 'x']] },
      ];
      return nginxConf(proxyModel({ backends: [{ protocol: 'grpc' }], routes }), somePlace());
    };
    await testConfiguration(withHeader(46));
    expect(() => withHeader(47)).toThrow(
      `header: "${header(47)}" is longer than 46 characters, for which nginx has no room beside a gRPC backend: shorten it`,
    );
  });
});

test('more rules of tokens than nginx can read the names of are refused', () => {
  const rules = (count: number): string => {
    const routes = Array.from({ length: count }, (_, index): RouteParts => ({
      name: `${'long-'.repeat(11)}${100 + index}`,
      path: `/${index}`,
      ...authParts(
        Auth.jwt({ issuer: `https://${index}.example.com`, audience: 'orders', jwks: Jwks.fromConfigMap('keys') }),
      ),
    }));
    return nginxConf(proxyModel({ routes }), somePlace({ authDirectory: '/etc/nginx/auth' }));
  };
  expect(() => rules(69)).not.toThrow();
  expect(() => rules(70)).toThrow(
    'Auth.jwt: 70 is more sets of rules with keys of a file than nginx can read the names of: give routes the same rules, or shorter names',
  );
});
