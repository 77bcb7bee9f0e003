import {
  clientOptions,
  proxyOptions,
  type ProxyOptions,
  strictTransportSecurity,
  strictTransportSecurityOptions,
} from '../../model/proxy-options';
import { knownValues } from '../../validation/options';

function read(given: unknown): ReturnType<typeof readOptions> {
  return readOptions(given as ProxyOptions);
}

function readOptions(given: ProxyOptions) {
  return knownValues(given, proxyOptions, '');
}

test('what is not given suits any API', () => {
  expect(read({})).toEqual({
    host: 'localhost',
    additionalHosts: [],
    clients: {
      keepAliveTimeout: 20,
      headerTimeout: 10_000,
      bodyTimeout: 10_000,
      sendTimeout: 10_000,
      trustedProxies: [],
      unlimited: [
        '10.0.0.0/8',
        '100.64.0.0/10',
        '127.0.0.0/8',
        '169.254.0.0/16',
        '172.16.0.0/12',
        '192.168.0.0/16',
        '::1/128',
        'fc00::/7',
        'fe80::/10',
      ],
      maxConnections: undefined,
      maxRequests: undefined,
      maxStreams: undefined,
      maxConnectionsPerClient: undefined,
      maxRequestsPerClient: undefined,
    },
    gzip: true,
    strictTransportSecurity: { maxAge: undefined, includeSubDomains: false },
    defaultResponseHeaders: [
      ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
      ['Referrer-Policy', 'no-referrer'],
      ['Cross-Origin-Resource-Policy', 'same-origin'],
    ],
    accessLog: { omit: [], add: [], sample: 1, slow: 1000 },
    certificateValid: 10,
  });
});

describe('Headers by default', () => {
  test('are more, others instead, or fewer', () => {
    expect(
      read({
        defaultResponseHeaders: {
          'X-Team': 'orders',
          'CONTENT-SECURITY-POLICY': "default-src 'self'",
          'referrer-policy': false,
        },
      }).defaultResponseHeaders,
    ).toEqual([
      ['CONTENT-SECURITY-POLICY', "default-src 'self'"],
      ['Cross-Origin-Resource-Policy', 'same-origin'],
      ['X-Team', 'orders'],
    ]);
  });
});

describe('Strict-Transport-Security', () => {
  const year = 365 * 24 * 60 * 60;
  const of = (given: ProxyOptions, host: string) => strictTransportSecurity(read(given), host);

  test('holds for a year, and not at all for localhost, which belongs to every project of a machine', () => {
    expect(of({}, 'a.example.com')).toEqual({ hstsMaxAge: year, hstsIncludeSubDomains: false });
    expect(of({}, 'localhost')).toEqual({ hstsMaxAge: 0, hstsIncludeSubDomains: false });
  });

  test('holds as long as it is told to, of localhost too', () => {
    expect(of({ strictTransportSecurity: { maxAge: '1d' } }, 'localhost')).toMatchObject({ hstsMaxAge: 86_400 });
    expect(of({ strictTransportSecurity: { maxAge: '0s' } }, 'a.example.com')).toMatchObject({ hstsMaxAge: 0 });
    expect(of({ strictTransportSecurity: { maxAge: '3650d' } }, 'a.example.com')).toMatchObject({
      hstsMaxAge: 10 * year,
    });
    expect(of({ strictTransportSecurity: { includeSubDomains: true } }, 'a.example.com')).toEqual({
      hstsMaxAge: year,
      hstsIncludeSubDomains: true,
    });
  });

  test.each<[ProxyOptions, string]>([
    [{ strictTransportSecurity: { includeSubDomains: true } }, 'localhost'],
    [{ strictTransportSecurity: { includeSubDomains: true, maxAge: '0s' } }, 'a.example.com'],
  ])('of subdomains is refused where it is not sent: %j', (given, host) => {
    expect(() => of(given, host)).toThrow(
      new Error(
        'strictTransportSecurity.includeSubDomains: true does nothing while maxAge is 0s, as it is for localhost: take it out, or give maxAge',
      ),
    );
  });
});

describe('A trace context', () => {
  test('is there by true, or with a part of its traces sampled', () => {
    const of = (traceContext: ProxyOptions['traceContext']) =>
      read(traceContext === undefined ? {} : { traceContext }).traceContext;
    expect([of(undefined), of(false)]).toEqual([undefined, undefined]);
    expect([of(true), of({})]).toEqual([{ sampledPercent: 100 }, { sampledPercent: 100 }]);
    expect([0, 0.01, 12.5].map((sampledPercent) => of({ sampledPercent })?.sampledPercent)).toEqual([0, 0.01, 12.5]);
  });
});

describe('Spans', () => {
  const endpoint = 'http://collector.observability.svc.cluster.local:4318';

  test('are there where a collector is given, of all traces or of a part', () => {
    expect(read({}).tracing).toBeUndefined();
    expect(read({ tracing: { endpoint } }).tracing).toEqual({
      endpoint: {
        isSecure: false,
        host: 'collector.observability.svc.cluster.local',
        isAddress: false,
        port: 4318,
        path: '',
      },
      sampledPercent: 100,
      serviceName: undefined,
      localEndpoint: undefined,
    });
    const tracing = { endpoint, sampledPercent: 0.5, serviceName: 'a b', localEndpoint: 'http://localhost:4318/otlp/' };
    expect(read({ tracing }).tracing).toMatchObject({
      sampledPercent: 0.5,
      serviceName: 'a b',
      localEndpoint: { host: 'localhost', path: '/otlp' },
    });
  });
});

const notDnsName =
  'is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"';
const notCidr = 'is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"';
const notDuration = 'is not a duration: give a whole number with a unit, such as "30s" or "500ms"';
const notPercent = 'is not from 0 to 100 with two decimals at most: give percent, such as 10 or 0.5';
const notServiceUrl =
  'is not the URL of a service: give http:// or https:// in lower case, a host, and if need be a port and a path, such as "https://legacy.example.com"';
const notWholeName =
  'is not a whole name, and the resolver of nginx completes none: give that, such as "collector.observability.svc.cluster.local"';

test.each<[unknown, string]>([
  [{ host: 'Bad_Host' }, `host: "Bad_Host" ${notDnsName}`],
  [{ host: '10.0.0.1' }, `host: "10.0.0.1" ${notDnsName}`],
  [{ host: 'a'.repeat(64) }, `host: "${'a'.repeat(64)}" ${notDnsName}`],
  [{ additionalHosts: ['a.example.com', 'b..c'] }, `additionalHosts: "b..c" ${notDnsName}`],
  [{ gzip: 'yes' }, 'gzip: "yes" is neither true nor false: give one of them'],
  [
    { certificateValid: '1500ms' },
    'certificateValid: "1500ms" is not a whole number of seconds: give one, such as "30s"',
  ],
  [{ clients: { keepAliveTimeout: '1s' } }, 'clients.keepAliveTimeout: "1s" is too short: give 2s or more'],
  [{ clients: { trustedProxies: ['10.0.0.0'] } }, `clients.trustedProxies: "10.0.0.0" ${notCidr}`],
  [{ clients: { trustedProxies: ['10.0.0.0/33'] } }, `clients.trustedProxies: "10.0.0.0/33" ${notCidr}`],
  [{ clients: { trustedProxies: ['10.0.0.0/8/8'] } }, `clients.trustedProxies: "10.0.0.0/8/8" ${notCidr}`],
  [{ clients: { trustedProxies: ['fe80::1%eth0/64'] } }, `clients.trustedProxies: "fe80::1%eth0/64" ${notCidr}`],
  [
    { clients: { trustedProxies: ['::/0'] } },
    'clients.trustedProxies: "::/0" is every public IPv6 address: give the networks of your load balancers, such as "10.0.0.0/8"',
  ],
  [{ clients: { unlimited: ['10.0.0.1'] } }, `clients.unlimited: "10.0.0.1" ${notCidr}`],
  [
    { clients: { unlimited: '10.0.0.0/8' } },
    'clients.unlimited: "10.0.0.0/8" is not a list: give one, such as ["10.0.0.0/8"]',
  ],
  [{ clients: 5 }, 'clients: 5 is not an object with names and values: give one, such as { maxConnections: 1000 }'],
  [{ clients: { maxRequets: 5 } }, 'clients.maxRequets: 5 is an option that does not exist: maxRequests does'],
  [
    { strictTransportSecurity: '365d' },
    'strictTransportSecurity: "365d" is not an object with names and values: give one, such as { maxAge: "730d" }',
  ],
  [
    { strictTransportSecurity: { includeSubDomains: 'yes' } },
    'strictTransportSecurity.includeSubDomains: "yes" is neither true nor false: give one of them',
  ],
  [
    { strictTransportSecurity: { maxAge: '3651d' } },
    'strictTransportSecurity.maxAge: "3651d" is too long: give 3650d or less',
  ],
  [{ strictTransportSecurity: { maxAge: '10' } }, `strictTransportSecurity.maxAge: "10" ${notDuration}`],
  [
    { defaultResponseHeaders: ['X-Team'] },
    'defaultResponseHeaders: ["X-Team"] is not an object with names and values: give one, such as { "X-Team": "orders" }',
  ],
  [
    { defaultResponseHeaders: { 'X-Team': false } },
    'defaultResponseHeaders["X-Team"]: false is not a header of the default: of an API\'s own, a route\'s responseHeaders can take it away',
  ],
  [
    { defaultResponseHeaders: { Server: 'x' } },
    'defaultResponseHeaders["Server"]: "Server" is set by nginx or the API itself: take it out',
  ],
  [{ defaultResponseHeaders: { 'X-Team': 5 } }, 'defaultResponseHeaders["X-Team"]: 5 is not text: give a string'],
  [
    { traceContext: 'yes' },
    'traceContext: "yes" is not an object with names and values: give one, such as { sampledPercent: 10 }',
  ],
  [{ traceContext: { sample: 10 } }, 'traceContext.sample: 10 is an option that does not exist: take it out'],
  [{ traceContext: { sampledPercent: -1 } }, `traceContext.sampledPercent: -1 ${notPercent}`],
  [{ traceContext: { sampledPercent: 100.5 } }, `traceContext.sampledPercent: 100.5 ${notPercent}`],
  [{ traceContext: { sampledPercent: 0.001 } }, `traceContext.sampledPercent: 0.001 ${notPercent}`],
  [{ traceContext: { sampledPercent: '10' } }, `traceContext.sampledPercent: "10" ${notPercent}`],
  [{ traceContext: { sampledPercent: {} } }, `traceContext.sampledPercent: "(object)" ${notPercent}`],
  [
    { tracing: true },
    'tracing: true is not an object with names and values: give one, such as { endpoint: "http://collector.observability.svc.cluster.local:4318" }',
  ],
  [{ tracing: {} }, `tracing.endpoint: undefined ${notServiceUrl}`],
  [{ tracing: { endpoint: 'collector:4318' } }, `tracing.endpoint: "collector:4318" ${notServiceUrl}`],
  [
    { tracing: { endpoint: 'grpc://collector.example.com' } },
    `tracing.endpoint: "grpc://collector.example.com" ${notServiceUrl}`,
  ],
  [{ tracing: { endpoint: 'http://collector:4318' } }, `tracing.endpoint host: "collector" ${notWholeName}`],
  [{ tracing: { endpoint: 'http://localhost:4318' } }, `tracing.endpoint host: "localhost" ${notWholeName}`],
  [
    { tracing: { endpoint: 'http://collector.observability.svc' } },
    `tracing.endpoint host: "collector.observability.svc" ${notWholeName}`,
  ],
  [
    { tracing: { endpoint: 'https://192.0.2.1:4318' } },
    'tracing.endpoint host: "192.0.2.1" is an address, which nginx finds in no certificate: give the DNS name that the certificate has',
  ],
  [
    { tracing: { endpoint: 'http://a.example.com/v1/traces' } },
    'tracing.endpoint: "http://a.example.com/v1/traces" has the path /v1/traces, which is put behind it: take that out',
  ],
  [
    { tracing: { endpoint: 'http://a.example.com', localEndpoint: 'https://127.0.0.1' } },
    'tracing.localEndpoint host: "127.0.0.1" is an address, which nginx finds in no certificate: give the DNS name that the certificate has',
  ],
  [
    { tracing: { endpoint: 'http://a.example.com', serviceName: '' } },
    'tracing.serviceName: "" is not the name of a service: give 1 to 100 printable ASCII characters, without spaces around them, such as "shop-edge"',
  ],
  [{ tracing: { endpoint: 'http://a.example.com', sampledPercent: 101 } }, `tracing.sampledPercent: 101 ${notPercent}`],
])('%j is refused', (given, message) => {
  expect(() => read(given)).toThrow(new Error(message));
});

describe.each(['headerTimeout', 'bodyTimeout', 'sendTimeout'] as const)('clients.%s', (option) => {
  const of = (value: unknown): number => knownValues({ [option]: value }, clientOptions, 'clients.')[option];

  test('is a duration of a millisecond to a day', () => {
    expect([of('1ms'), of('1500ms'), of('1d')]).toEqual([1, 1500, 86_400_000]);
  });

  test.each([
    ['0s', 'is too short: give 1ms or more'],
    ['25h', 'is too long: give 1d or less'],
    ['9999d', 'is too long: give 1d or less'],
    ['10', notDuration],
  ])('is not %s', (value, remedy) => {
    expect(() => of(value)).toThrow(new Error(`clients.${option}: "${value}" ${remedy}`));
  });
});

test('an age may be nothing', () => {
  expect(knownValues({ maxAge: '0s' }, strictTransportSecurityOptions, '')).toEqual({
    maxAge: 0,
    includeSubDomains: false,
  });
});
