import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { autoscalingOptions } from '../../charts/pods/autoscaling';
import { kedaOptions } from '../../charts/pods/scaling-metric';
import { backendOptions } from '../../charts/backend-props';
import { healthCheckOptions } from '../../charts/health-check';
import { localOptions } from '../../charts/local-options';
import { Certificate, certificateFilesOptions, certManagerOptions } from '../../charts/proxy/certificate';
import { clusterIpOptions, Exposure, loadBalancerOptions, nodePortOptions } from '../../charts/proxy/exposure';
import {
  externalLocalOptions,
  externalServiceOptions,
  externalUrlOptions,
} from '../../charts/routes/external-service-options';
import { aroundOptions } from '../../charts/load-balanced-api';
import {
  alertOptions,
  grafanaDashboardOptions,
  monitoringOptions,
  podMonitorOptions,
} from '../../charts/proxy/monitoring';
import { namespaceOptions } from '../../charts/namespace';
import { hostOptions } from '../../charts/routes/virtual-host';
import { nginxProxyOptions, proxyResourceOptions } from '../../charts/proxy/nginx-proxy-props';
import { podOptions, spreadOptions } from '../../charts/pods/pod-options';
import { resourceOptions } from '../../charts/pods/resources';
import { fixedResponseOptions, redirectOptions, trafficSplitOptions } from '../../charts/routes/route-targets';
import { imageFilesOptions, localFilesOptions, staticFilesOptions } from '../../charts/routes/static-files';
import { documentedDefaults, optionsPage } from '../../docs/options-page';
import { accessLogOptions, logFieldOptions } from '../../model/access-log/options';
import { Auth } from '../../model/auth/auth';
import { authLocalOptions } from '../../model/auth/auth-file';
import { basicAuthOptions } from '../../model/auth/basic';
import { certificateAuthorityOptions, clientCertificateAuthOptions } from '../../model/auth/client-certificate';
import { externalAuthOptions, signInOptions } from '../../model/auth/external';
import { Cors, corsOptions } from '../../model/routes/cors';
import { ErrorPages } from '../../model/routes/error-pages';
import { jwksOptions } from '../../model/auth/jwks';
import { jwtAuthOptions } from '../../model/auth/jwt';
import { LoadBalancing, RequestKey, stickyCookieOptions } from '../../model/load-balancing';
import { Mirror, mirrorOptions } from '../../model/routes/mirror';
import { rateLimitOptions } from '../../model/routes/rate-limit';
import { ResponseCache, responseCacheOptions } from '../../model/routes/response-cache';
import { clientOptions, strictTransportSecurityOptions } from '../../model/proxy-options';
import { Retries, retryOptions, routeOptions } from '../../model/routes/route-options';
import { traceContextOptions, tracingOptions } from '../../model/traces';
import type { Option } from '../../validation/options';

const backendCounts = { fewest: 1, defaultMax: 10 };

/** Which options there are, and what they are without being given. Amounts and Share have no table that is exported. */
const tables: Readonly<Record<string, Readonly<Record<string, Option<unknown>>>>> = {
  LoadBalancedApiProps: aroundOptions,
  BackendProps: backendOptions,
  Autoscaling: autoscalingOptions(backendCounts),
  KedaOptions: kedaOptions,
  BackendResources: resourceOptions,
  ProxyResources: proxyResourceOptions,
  HealthCheckPaths: healthCheckOptions,
  PodOptions: podOptions,
  SpreadOptions: spreadOptions,
  StickyCookieOptions: stickyCookieOptions,
  LocalOptions: localOptions,
  NginxProxyProps: nginxProxyOptions,
  ClientOptions: clientOptions,
  StrictTransportSecurity: strictTransportSecurityOptions,
  AccessLogOptions: accessLogOptions,
  LogFieldOptions: logFieldOptions,
  TraceContextOptions: traceContextOptions,
  TracingOptions: tracingOptions,
  RouteOptions: routeOptions,
  RetryOptions: retryOptions,
  BasicAuthOptions: basicAuthOptions,
  JwtAuthOptions: jwtAuthOptions,
  JwksOptions: jwksOptions,
  ExternalAuthOptions: externalAuthOptions,
  SignInOptions: signInOptions,
  ClientCertificateAuthOptions: clientCertificateAuthOptions,
  CertificateAuthorityOptions: certificateAuthorityOptions,
  AuthLocalOptions: authLocalOptions,
  RateLimitOptions: rateLimitOptions,
  CorsOptions: corsOptions,
  MirrorOptions: mirrorOptions,
  ResponseCacheOptions: responseCacheOptions,
  HostOptions: hostOptions,
  MonitoringOptions: monitoringOptions,
  PodMonitorOptions: podMonitorOptions,
  AlertOptions: alertOptions,
  GrafanaDashboardOptions: grafanaDashboardOptions,
  TrafficSplitOptions: trafficSplitOptions,
  ExternalUrlOptions: externalUrlOptions,
  ExternalServiceOptions: externalServiceOptions,
  ExternalLocalOptions: externalLocalOptions,
  RedirectOptions: redirectOptions,
  FixedResponseOptions: fixedResponseOptions,
  StaticFilesOptions: staticFilesOptions,
  ImageFilesOptions: imageFilesOptions,
  LocalFiles: localFilesOptions,
  LoadBalancerOptions: loadBalancerOptions,
  NodePortOptions: nodePortOptions,
  ClusterIpOptions: clusterIpOptions,
  CertificateFiles: certificateFilesOptions,
  CertManagerIssuer: certManagerOptions,
  NamespaceOptions: namespaceOptions,
};

const required = [
  'BackendProps.image',
  'TracingOptions.endpoint',
  'BasicAuthOptions.secret',
  'JwtAuthOptions.issuer',
  'JwtAuthOptions.audience',
  'JwtAuthOptions.jwks',
  'SignInOptions.url',
  'AuthLocalOptions.file',
  'Share.target',
  'Share.weight',
  'LocalFiles.directory',
  'CertificateFiles.certificate',
  'CertificateFiles.privateKey',
];

test('docs/options.md says what the sources say (npm run docs:options)', () => {
  expect(readFileSync(resolve(__dirname, '../../docs/options.md'), 'utf8')).toBe(optionsPage());
});

test('every option of every table is on the page', () => {
  /** These have a section of their own for what they extend. */
  const extending: Readonly<Record<string, object>> = {
    LoadBalancerOptions: nodePortOptions,
    NodePortOptions: clusterIpOptions,
    ImageFilesOptions: staticFilesOptions,
    TracingOptions: traceContextOptions,
  };
  for (const [name, table] of Object.entries(tables)) {
    const documented = documentedDefaults().flatMap(([of, option]) => (of === name ? [option] : []));
    expect([name, ...documented.sort()]).toEqual([
      name,
      ...Object.keys(table)
        .filter((option) => !(option in (extending[name] ?? {})))
        .sort(),
    ]);
  }
});

test('every interface of options that the package exports is on the page', () => {
  const exported = readFileSync(resolve(__dirname, '../../index.ts'), 'utf8').match(
    /\b[A-Z]\w*(?:Props|Options|Resources|Paths|Files|Issuer|Security)\b|\b(?:Autoscaling|Amounts|Share)\b/g,
  );
  /** Whose options stand where they are given: with those of what extends them. The last one is no interface. */
  const parts = ['BudgetProps', 'ProxyOptions', 'InvalidOptions', 'StaticFiles'];
  for (const name of (exported ?? []).filter((found) => !parts.includes(found))) {
    expect(optionsPage()).toContain(`\n## ${name}\n`);
  }
  expect(exported?.length).toBeGreaterThan(20);
});

test('every option says what it is without being given, unless it is required', () => {
  const without = documentedDefaults().filter(([, , written]) => written === undefined);
  expect(without.map(([name, option]) => `${name}.${option}`)).toEqual(required);
});

/** The value that `@default` begins with; nothing where it says in words what follows from what. */
function literal(written: string | undefined): unknown {
  const [, text, number] = /^(?:'([^']*)'|(\d+(?:\.\d+)?)\b)/.exec(written ?? '') ?? [];
  if (text !== undefined) return text;
  if (number !== undefined) return Number(number);
  const quoted = /^"([^"]*)"/.exec(written ?? '')?.[1];
  return quoted ?? { true: true, false: false }[written ?? ''];
}

test('what @default says is what the option is without being given', () => {
  /** Of these the default follows from another option, or differs: its value stands where that is known. */
  const following = [
    ...['Autoscaling.min', 'Autoscaling.max', 'StrictTransportSecurity.maxAge'],
    'BackendProps.healthCheck',
    ...['NodePortOptions.externalTrafficPolicy', 'ClusterIpOptions.deregistrationDelay'],
  ];
  const choices = new Map<string, unknown>([
    ['Certificate.selfSigned()', Certificate.selfSigned()],
    ['Exposure.loadBalancer()', Exposure.loadBalancer()],
    ['LoadBalancing.leastConnections()', LoadBalancing.leastConnections()],
    ['RequestKey.clientAddress()', RequestKey.clientAddress()],
    ['Retries.safe()', Retries.safe()],
    ['Auth.none()', Auth.none()],
    ['Mirror.none()', Mirror.none()],
    ['ResponseCache.none()', ResponseCache.none()],
    ['Cors.none()', Cors.none()],
    ['ErrorPages.json()', ErrorPages.json()],
  ]);
  const inWords: string[] = [];
  for (const [name, option, written] of documentedDefaults()) {
    const table = tables[name];
    if (table === undefined) continue;
    const byDefault = table[option]?.default;
    const documented = literal(written) ?? choices.get(written ?? '');
    const path = `${name}.${option}`;
    if (documented !== undefined && (byDefault === undefined || isEmpty(byDefault))) expect(following).toContain(path);
    else if (documented !== undefined) expect([path, documented]).toEqual([path, byDefault]);
    else if (byDefault !== undefined && !isEmpty(byDefault)) inWords.push(path);
  }
  // A metric is a function; lists are told in words.
  expect(inWords).toEqual([
    ...[
      'Autoscaling.metrics',
      'ClientOptions.unlimited',
      'JwtAuthOptions.algorithms',
      'ExternalAuthOptions.forwardHeaders',
    ],
    ...['CorsOptions.methods', 'CorsOptions.headers', 'CorsOptions.exposeHeaders'],
    'GrafanaDashboardOptions.labels',
  ]);
});

/** `- none` and groups are an empty list or object. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

test('every choice and method has a sentence', () => {
  const rows = optionsPage().match(/^\| `.*$/gm) ?? [];
  expect(rows.length).toBeGreaterThan(30);
  for (const row of rows) expect(row).toMatch(/` \| [A-Z`].*\. \|$/);
});
