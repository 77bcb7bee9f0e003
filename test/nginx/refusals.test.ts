import { nginxConf } from '../../nginx/nginx-conf';
import { ProxyProps } from '../../nginx/proxy';
import { proxyProps } from './real-nginx';

const srv = { upstreamService: 'http' };

test.each<[Record<string, unknown>, string]>([
  [
    { host: 'Bad_Host' },
    'host: "Bad_Host" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
  ],
  [
    { host: '10.0.0.1' },
    'host: "10.0.0.1" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
  ],
  [
    { loadBalancing: 'ip_hash' },
    'loadBalancing: "ip_hash" is unknown: give one of least_conn, round_robin, random_two_least_conn, hash, client_address',
  ],
  [
    { loadBalancing: 'hash', hashKey: 'uri' },
    'loadBalancing: "hash" needs a name for each instance, which address records do not have: give upstreamService instead of upstreamPort',
  ],
  [
    { ...srv, loadBalancing: 'hash' },
    'hashKey: undefined is not a key that nginx can hash: give "uri", "header:NAME" (letters, digits, hyphens) or "cookie:NAME" (letters, digits, underscores)',
  ],
  [{ hashKey: 'uri' }, 'hashKey: "uri" does nothing with loadBalancing "least_conn": take it out, or give "hash"'],
  [{ upstreamPort: 70000 }, 'upstreamPort: 70000 is out of range: give a whole number from 1 to 65535'],
  [
    { upstreamPort: 3000, upstreamService: 'http' },
    'upstreamPort: 3000 and upstreamService exclude each other: give exactly one',
  ],
  [{ upstreamPort: undefined }, 'upstreamPort: undefined and upstreamService exclude each other: give exactly one'],
  [{ maxUpstreams: 0 }, 'maxUpstreams: 0 is out of range: give a whole number from 1 to 5000'],
  [{ maxFails: 0 }, 'maxFails: 0 is out of range: give a whole number from 1 to 1000'],
  [{ failTimeout: '500ms' }, 'failTimeout: "500ms" is too short: give 1s or more'],
  [{ failTimeout: '1500ms' }, 'failTimeout: "1500ms" is not a whole number of seconds: give one, such as "30s"'],
  [
    { sendTimeout: '10' },
    'sendTimeout: "10" is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
  ],
  [{ sendTimeout: '0s' }, 'sendTimeout: "0s" is too short: give 1ms or more'],
  [{ clientHeaderTimeout: '2d' }, 'clientHeaderTimeout: "2d" is too long: give 1d or less'],
  [
    { clientMaxBodySize: 1024 },
    'clientMaxBodySize: 1024 is not a size: give a whole number with a unit, such as "16k" or "1m"',
  ],
  [
    { clientMaxBodySize: '-1m' },
    'clientMaxBodySize: "-1m" is not a size: give a whole number with a unit, such as "16k" or "1m"',
  ],
  [{ clientMaxBodySize: '0m' }, 'clientMaxBodySize: "0m" is zero, which nginx reads as no limit: give 1k or more'],
  [{ clientMaxBodySize: '1024g' }, 'clientMaxBodySize: "1024g" is too large: give 1023g or less'],
  [{ gzip: 'yes' }, 'gzip: "yes" is neither true nor false: give one of them'],
  [
    { responseHeaders: { 'Content-Length': '1' } },
    'responseHeaders: "Content-Length" is set by nginx or the API itself: take it out',
  ],
  [
    { responseHeaders: { 'X Y': '1' } },
    'responseHeaders: "X Y" is not a header name that nginx has a variable for: give letters, digits and hyphens',
  ],
  [
    { responseHeaders: { 'X-Y': ' 1' } },
    'responseHeaders: " 1" is empty or has white space around it, which HTTP drops from X-Y: trim it',
  ],
  [
    { responseHeaders: { 'X-Y': '' } },
    'responseHeaders: "" is empty or has white space around it, which HTTP drops from X-Y: trim it',
  ],
  [{ responseHeaders: { 'X-Y': 1 } }, 'responseHeaders: 1 is not text: give a string'],
  [
    { responseHeaders: { 'X-Y': 'a\r\nb' } },
    'responseHeaders: "a\\r\\nb" has a control character, which nginx cannot carry here: take it out',
  ],
  [
    { contentSecurityPolicy: '\ud800' },
    'contentSecurityPolicy: "\\ud800" has half of a surrogate pair, which UTF-8 cannot carry: give whole characters',
  ],
  [
    { trustedProxies: ['10.0.0.0'] },
    'trustedProxies: "10.0.0.0" is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"',
  ],
  [
    { trustedProxies: ['10.0.0.0/33'] },
    'trustedProxies: "10.0.0.0/33" is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"',
  ],
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
  ...['/', 'events', '/events/', '/a//b', '/a b', '/a{', '/..', '/$x'].map(
    (path): [Record<string, unknown>, string] => [
      { streamPaths: [path] },
      `streamPaths: ${JSON.stringify(path)} is not a path that nginx can be given: give letters, digits, ".", "_", "~", "-" between slashes, such as "/events"`,
    ],
  ),
  [
    { unlimitedClients: ['10.0.0.1'] },
    'unlimitedClients: "10.0.0.1" is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"',
  ],
  [{ modulesDirectory: 'modules' }, 'modulesDirectory: "modules" is not an absolute path: begin it with "/"'],
  [{ certificateDirectory: 'tls' }, 'certificateDirectory: "tls" is not an absolute path: begin it with "/"'],
  [{ accessLog: '/tmp/$x' }, 'accessLog: "/tmp/$x" has a "$", which nginx reads as a variable there: take it out'],
  [
    { healthCheckPath: 'healthcheck' },
    'healthCheckPath: "healthcheck" is not a URL path: start it with "/" and percent-encode what RFC 3986 does not allow in a path, such as "/healthcheck"',
  ],
  [{ streamTimeout: '2h' }, 'streamTimeout: "2h" does nothing without streamPaths: take it out, or give streamPaths'],
  [
    { hstsIncludeSubDomains: true },
    'hstsIncludeSubDomains: true does nothing while hstsMaxAge is 0s, as it is for localhost: take it out, or give hstsMaxAge',
  ],
  [
    { healthCheckPath: '/a%2' },
    'healthCheckPath: "/a%2" is not a URL path: start it with "/" and percent-encode what RFC 3986 does not allow in a path, such as "/healthcheck"',
  ],
])('%j is refused', (props, message) => {
  expect(() => nginxConf(proxyProps(props as Partial<ProxyProps>))).toThrow(new Error(message));
});

describe('a refusal names the option, whichever it is', () => {
  test.each(['clientHeaderTimeout', 'clientBodyTimeout', 'sendTimeout', 'streamTimeout', 'failTimeout', 'hstsMaxAge'])(
    '%s is a duration with a bound',
    (option) => {
      const refuse = (value: unknown): void => {
        expect(() => nginxConf(proxyProps({ [option]: value }))).toThrow(new RegExp(`^${option}: `));
      };
      refuse('10');
      refuse('9999d');
      if (option !== 'hstsMaxAge') refuse('0s');
    },
  );

  test('upstreamFallback is a server with a port', () => {
    const refused = (upstreamFallback: unknown): (() => unknown) => {
      return () => nginxConf(proxyProps({ upstreamFallback } as Partial<ProxyProps>));
    };
    expect(refused({ host: 'a b;', port: 3000 })).toThrow(/^upstreamFallback: "a b;:3000" is not a server: give /);
    expect(refused({ host: 'api:80', port: 3000 })).toThrow(/^upstreamFallback: "api:80:3000" is not a server: give /);
    expect(refused({ host: 'api', port: 0 })).toThrow(/^upstreamFallback.port: 0 is out of range/);
  });

  test.each(['gzip', 'hstsIncludeSubDomains'])('%s is true or false', (option) => {
    expect(() => nginxConf(proxyProps({ [option]: 'no' }))).toThrow(`${option}: "no" is neither true nor false`);
  });

  test.each(['certificateDirectory', 'runtimeDirectory', 'accessLog'])('%s is a path that nginx can read', (option) => {
    expect(() => nginxConf(proxyProps({ [option]: '/a\nb' }))).toThrow(`${option}: "/a\\nb" has a control character`);
    expect(() => nginxConf(proxyProps({ [option]: 'a' }))).toThrow(`${option}: "a" is not an absolute path`);
  });

  test.each(['httpPort', 'httpsPort', 'probePort', 'externalHttpsPort', 'upstreamPort'])('%s is a port', (option) => {
    for (const value of [0, 65_536, 1.5, '80']) {
      expect(() => nginxConf(proxyProps({ [option]: value }))).toThrow(new RegExp(`^${option}: .* is out of range`));
    }
  });

  test.each([
    'header:',
    'header:X Y',
    'header:X_Y',
    'cookie:a-b',
    'cookie:',
    'xheader:A',
    'URI',
    `header:${'x'.repeat(65)}`,
    42,
  ])('hashKey %j', (hashKey) => {
    const given = { ...srv, loadBalancing: 'hash', hashKey } as unknown as Partial<ProxyProps>;
    expect(() => nginxConf(proxyProps(given))).toThrow(/^hashKey: .* is not a key that nginx can hash/);
  });

  test('a text of 2048 bytes is the longest, counted as UTF-8', () => {
    expect(() => nginxConf(proxyProps({ contentSecurityPolicy: 'ä'.repeat(1024) }))).not.toThrow();
    expect(() => nginxConf(proxyProps({ contentSecurityPolicy: 'ä'.repeat(1025) }))).toThrow(
      /^contentSecurityPolicy: .* is longer than 2048 bytes, which nginx cannot read: shorten it$/,
    );
  });
});
