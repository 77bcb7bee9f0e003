import { timeline } from '../../model/timeline';
import { nginxConf } from '../../nginx/nginx-conf';
import { ProxyProps } from '../../nginx/proxy';
import { proxyProps, testConfiguration } from './real-nginx';

const srv = { upstreamService: 'http' };

const variants: Record<string, Partial<ProxyProps>> = {
  defaults: {},
  everything: {
    ...srv,
    host: 'api.example.com',
    additionalHosts: ['www.example.com', 'api.example.com'],
    loadBalancing: 'hash',
    hashKey: 'header:X-User-Id',
    maxFails: 5,
    failTimeout: '7s',
    clientMaxBodySize: '20m',
    clientHeaderTimeout: '5s',
    clientBodyTimeout: '6s',
    sendTimeout: '8s',
    streamPaths: ['/events', '/ws'],
    streamTimeout: '10m',
    unlimitedClients: ['192.0.2.0/24'],
    connectionCount: { httpPort: 8446, httpsPort: 8447 },
    gzip: false,
    hstsMaxAge: '730d',
    hstsIncludeSubDomains: true,
    contentSecurityPolicy: "default-src 'self'",
    responseHeaders: { 'Permissions-Policy': 'camera=()', 'X-Price': '$5' },
    trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
    healthCheckPath: '/health;check',
    upstreamFallback: { host: 'api-cluster-ip.orders.svc.cluster.local', port: 3000 },
    resolvers: ['10.96.0.10', '[fd00::a]:53', 'kube-dns.kube-system.svc.cluster.local'],
    ipFamilies: ['IPv4', 'IPv6'],
    workers: 4,
    maxUpstreams: 500,
    externalHttpsPort: 8443,
    timeline: timeline({
      keepAliveTimeout: '65s',
      requestTimeout: '5m',
      resolverValid: '2s',
      clientKeepAliveTimeout: '90s',
    }),
  },
  'round robin': { loadBalancing: 'round_robin' },
  'random two least_conn': { loadBalancing: 'random_two_least_conn' },
  'client address': { ...srv, loadBalancing: 'client_address' },
  'hash by uri': { ...srv, loadBalancing: 'hash', hashKey: 'uri' },
  'hash by cookie': { ...srv, loadBalancing: 'hash', hashKey: 'cookie:session_id' },
  'IPv6 only': { ipFamilies: ['IPv6'] },
  'one address': { listenAddress: '127.0.0.1' },
  'connections counted, over IPv6 too': {
    connectionCount: { httpPort: 8446, httpsPort: 8447 },
    ipFamilies: ['IPv4', 'IPv6'],
  },
  'last good certificate': { certificateStore: '/run/certificates', certificateCheckPort: 8445 },
  'the smallest of everything': { maxUpstreams: 1, workers: 1, clientMaxBodySize: '1k', hstsMaxAge: '0s' },
};

test.each(Object.entries(variants))('%s: nginx takes it', async (_name, props) => {
  await expect(testConfiguration(nginxConf(proxyProps(props)))).resolves.toBeUndefined();
});

test.each(['defaults', 'everything'])('%s, to the letter', (name) => {
  expect(nginxConf(proxyProps(variants[name]))).toMatchSnapshot();
});

test('the same props give the same text', () => {
  expect(nginxConf(proxyProps(variants.everything))).toBe(nginxConf(proxyProps({ ...variants.everything })));
});

describe('what the text means', () => {
  const conf = (props: Partial<ProxyProps>): string[] =>
    nginxConf(proxyProps(props))
      .split('\n')
      .map((line) => line.replace(/ +#.*$/, '').trim());

  test('nginx gives up idle connections to the API before the API does', () => {
    expect(conf({ timeline: timeline({ keepAliveTimeout: '65s' }) })).toContain('keepalive_timeout 60s;');
    expect(conf({ timeline: timeline({}) })).toContain('keepalive_timeout 4s;');
  });

  test.each([
    [1, 128],
    [16, 128],
    [17, 192],
    [1000, 4096],
  ])('shared memory is sized for twice %i instances', (maxUpstreams, kilobytes) => {
    expect(conf({ maxUpstreams })).toContain(`zone api ${kilobytes}k;`);
  });

  test('localhost belongs to every project of a machine: no HSTS for it unless asked for', () => {
    expect(conf({ host: 'localhost' }).join()).not.toContain('Strict-Transport-Security');
    expect(conf({ host: 'localhost', hstsMaxAge: '1d' })).toContain('on "max-age=86400";');
    expect(conf({ host: 'api.example.com' })).toContain('on "max-age=31536000";');
  });

  test('the redirect and the forwarded host leave 443 out, and name any other port', () => {
    expect(conf({})).toEqual(
      expect.arrayContaining(['return 308 https://$host$request_uri;', 'proxy_set_header X-Forwarded-Host $host;']),
    );
    expect(conf({ externalHttpsPort: 8443 })).toEqual(
      expect.arrayContaining([
        'return 308 https://$host:8443$request_uri;',
        'proxy_set_header X-Forwarded-Host $host:8443;',
      ]),
    );
  });

  test('records of families that are not used are not asked for', () => {
    expect(conf({})).toContain('resolver 127.0.0.1:53 valid=1s ipv6=off;');
    expect(conf({ ipFamilies: ['IPv6'] })).toContain('resolver 127.0.0.1:53 valid=1s ipv4=off;');
    expect(conf({ ipFamilies: ['IPv4', 'IPv6'] })).toContain('resolver 127.0.0.1:53 valid=1s;');
  });

  test('a variable for the dollar sign is there only where one is needed', () => {
    expect(conf({})).not.toContain('geo $dollar {');
    expect(conf({ responseHeaders: { 'X-Price': '$5' } })).toEqual(
      expect.arrayContaining(['geo $dollar {', '"" "${dollar}5";']),
    );
  });

  test.each<[Partial<ProxyProps>, string]>([
    [{ loadBalancing: 'least_conn' }, 'least_conn;'],
    [{ loadBalancing: 'random_two_least_conn' }, 'random two least_conn;'],
    [{ ...srv, loadBalancing: 'client_address' }, 'hash $binary_remote_addr consistent;'],
    [{ ...srv, loadBalancing: 'hash', hashKey: 'uri' }, 'hash $request_uri consistent;'],
    [{ ...srv, loadBalancing: 'hash', hashKey: 'cookie:session_id' }, 'hash $cookie_session_id consistent;'],
    [{ ...srv, loadBalancing: 'hash', hashKey: 'header:X-User-Id' }, 'hash $http_x_user_id consistent;'],
    [srv, 'server api.orders.svc.cluster.local service=http resolve max_fails=3 fail_timeout=5s;'],
    [{ listenAddress: '127.0.0.1' }, 'listen 127.0.0.1:8443 ssl;'],
    [{ listenAddress: '::1' }, 'listen [::1]:8443 ssl;'],
    [{ trustedProxies: ['10.0.0.0/8'] }, 'set_real_ip_from 10.0.0.0/8;'],
    [{ contentSecurityPolicy: 'a "b" \\c' }, '"" "a \\"b\\" \\\\c";'],
  ])('%j is written as %s', (props, line) => {
    expect(conf(props)).toContain(line);
  });

  test('there is a fallback only where one is given, and its connections are soon made anew', () => {
    expect(conf({}).join()).not.toContain('fallback');
    expect(conf({ upstreamFallback: { host: '[fd00::b]', port: 8000 } })).toEqual(
      expect.arrayContaining([
        'server [fd00::b]:8000 max_fails=1 fail_timeout=1s;',
        'keepalive_time 1s;',
        'error_page 502 504 = $after_fallback;',
      ]),
    );
  });

  test('TCP keep-alive looks for connections to lost nodes', () => {
    expect(conf({})).toContain('proxy_socket_keepalive on;');
  });

  test('round robin is what nginx does without a directive', () => {
    const methods = /^(least_conn|random|hash|ip_hash)\b/;
    expect(conf({ loadBalancing: 'round_robin' }).filter((line) => methods.test(line))).toEqual([]);
  });

  test('a default header that is replaced is not sent twice, however it is written', () => {
    const lines = conf({ responseHeaders: { 'referrer-policy': 'origin' } });
    expect(lines.filter((line) => /^add_header referrer-policy /i.test(line))).toHaveLength(1);
  });

  test('nothing asks for compression when it is off', () => {
    expect(conf({ gzip: false }).join()).not.toContain('gzip');
  });
});
