import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Documentation, type Member } from './documentation';

const root = resolve(__dirname, '..');

/** What has options, in the order of the page, and where one gives them. */
const interfaces: Readonly<Record<string, string>> = {
  LoadBalancedApiProps: '`new LoadBalancedApi(app, id, { … })`',
  BackendProps: '`new Backend(namespace, id, { … })`, and a LoadBalancedApi itself',
  Autoscaling: '`replicas: { … }` of a backend or a proxy',
  KedaOptions: '`ScalingMetric.keda(type, metadata, { … })`',
  BackendResources: '`resources: { … }` of a backend',
  ProxyResources: '`resources: { … }` of a proxy',
  Amounts: '`cpu: { … }` and `memory: { … }` in `resources`',
  HealthCheckPaths: '`healthCheck: { … }` of a backend',
  PodOptions: '`pods: { … }` of a backend or a proxy',
  SpreadOptions: '`spread: { … }` in `pods`',
  LocalOptions: '`local: { … }` of a backend',
  NginxProxyProps: '`new NginxProxy(namespace, id, { … })`, and `proxy: { … }` of a LoadBalancedApi',
  ClientOptions: '`clients: { … }` of a proxy',
  StrictTransportSecurity: '`strictTransportSecurity: { … }` of a proxy',
  AccessLogOptions: '`accessLog: { … }` of a proxy',
  LogFieldOptions: '`LogField.requestHeader(name, { … })`, and by the other factories of LogField',
  TraceContextOptions: '`traceContext: { … }` of a proxy',
  TracingOptions: '`tracing: { … }` of a proxy',
  StickyCookieOptions: '`LoadBalancing.stickyCookie(name, { … })`',
  RouteOptions: '`addRoute(path, target, { … })`, `routeDefaults: { … }`, and `route: { … }` of a LoadBalancedApi',
  RetryOptions: '`Retries.safe({ … })`',
  BasicAuthOptions: '`Auth.basic({ … })`',
  JwtAuthOptions: '`Auth.jwt({ … })`',
  JwksOptions: '`Jwks.fromConfigMap(name, { … })` and `Jwks.fromSecret(name, { … })`',
  ExternalAuthOptions: '`Auth.external(target, { … })`',
  SignInOptions: '`signIn: { … }` of Auth.external',
  ClientCertificateAuthOptions: '`Auth.clientCertificate(authority, { … })`',
  CertificateAuthorityOptions:
    '`CertificateAuthority.fromSecret(name, { … })` and `CertificateAuthority.fromConfigMap(name, { … })`',
  AuthLocalOptions: '`local: { … }` of Auth.basic, Jwks and CertificateAuthority',
  RateLimitOptions: '`RateLimit.perClient(rate, { … })` and `RateLimit.per(key, rate, { … })`',
  CorsOptions: '`Cors.allow(origins, { … })`',
  MirrorOptions: '`Mirror.to(target, { … })`',
  ResponseCacheOptions: '`ResponseCache.of({ … })`',
  HostOptions: '`addHost(host, { … })`',
  MonitoringOptions: '`addMonitoring({ … })`',
  PodMonitorOptions: '`podMonitor: { … }` of `addMonitoring`',
  AlertOptions: '`alerts: { … }` of `addMonitoring`',
  DashboardOptions: '`dashboard: { … }` of `addMonitoring`',
  GrafanaDashboardOptions: '`grafanaDashboard: { … }` of `addMonitoring`',
  TrafficSplitOptions: '`TrafficSplit.weighted(shares, { … })`',
  Share: '`TrafficSplit.weighted([{ … }])`',
  ExternalUrlOptions: '`ExternalService.fromUrl(url, { … })`',
  ExternalServiceOptions: '`ExternalService.fromServiceName(name, { … })`',
  ExternalLocalOptions: '`local: { … }` of an external service',
  RedirectOptions: '`Redirect.to(location, { … })`',
  FixedResponseOptions: '`FixedResponse.of(status, body, { … })`',
  StaticFilesOptions: '`StaticFiles.fromConfigMap(configMap, { … })`',
  ImageFilesOptions: '`StaticFiles.fromImage(image, directory, { … })`',
  LocalFiles: '`local: { … }` of StaticFiles',
  LoadBalancerOptions: '`Exposure.loadBalancer({ … })`',
  NodePortOptions: '`Exposure.nodePort({ … })`',
  ClusterIpOptions: '`Exposure.clusterIp({ … })`',
  CertificateFiles: '`Certificate.fromFiles({ … })`',
  CertManagerIssuer: '`Certificate.fromCertManager({ … })`',
  NamespaceOptions: '`new RestrictedNamespace(app, id, { … })`, and `namespace: { … }` of a LoadBalancedApi',
};

/** Whose methods are the choices that exclude each other, and what is added to a construct. */
const classes = [
  ...['Certificate', 'Exposure', 'LoadBalancing', 'RequestKey', 'ScalingMetric'],
  ...[
    'Path',
    'Match',
    'Rewrite',
    'Retries',
    'Auth',
    'Jwks',
    'CertificateAuthority',
    'RateLimit',
    'Mirror',
    'ResponseCache',
    'Cors',
    'ErrorPages',
  ],
  ...['TrafficSplit', 'ExternalService', 'Redirect', 'FixedResponse', 'StaticFiles', 'Snippet'],
  'LogField',
  ...['Backend', 'NginxProxy', 'Route'],
] as const;

/** Called by other code of ours alone. */
const internal = new Set(['Path.of', 'NginxProxy.addRouteOf']);

const documentation = new Documentation([join(root, 'charts'), join(root, 'model')]);

/** docs/options.md, made from the documentation that editors show. */
export function optionsPage(): string {
  return `# Options

Made from the sources by \`npm run docs:options\`. What has no default is required.

${[...Object.keys(interfaces), 'Choices and methods'].map((name) => `[${name}](#${anchor(name)})`).join(' · ')}

${Object.entries(interfaces)
  .map(([name, where]) => section(name, where))
  .join('\n')}
## Choices and methods

| call | what it gives |
|---|---|
${classes.flatMap((name) => methods(name)).join('\n')}
`;
}

/** What `@default` says of each option, by interface; undefined where it has none. */
export function documentedDefaults(): readonly (readonly [
  interfaceName: string,
  option: string,
  byDefault: string | undefined,
])[] {
  return Object.keys(interfaces).flatMap((name) =>
    optionsOf(name).map((member) => [name, member.name, member.tag('default')] as const),
  );
}

/** Its own, and those of what it extends that has no section of its own. */
function optionsOf(name: string): readonly Member[] {
  const bases = documentation.basesOf(name).filter((base) => !(base in interfaces));
  return [...documentation.membersOf(name), ...bases.flatMap(optionsOf)];
}

function section(name: string, where: string): string {
  const described = documentation.basesOf(name).filter((base) => base in interfaces);
  const others = described.map((base) => `[${base}](#${anchor(base)})`).join(' and ');
  return [
    `## ${name}`,
    '',
    [
      documentation.descriptionOf(name),
      `Given as ${where}.`,
      ...(others === '' ? [] : [`It has all of ${others}, too.`]),
    ]
      .filter((text) => text !== '')
      .join(' '),
    '',
    ...optionsOf(name).map((member) => option(name, member)),
  ].join('\n');
}

function option(interfaceName: string, member: Member): string {
  const byDefault = member.tag('default');
  const see = member.tag('see');
  return [
    `### \`${interfaceName}.${member.name}\``,
    '',
    `\`${member.type}\`${byDefault === undefined ? ', required' : ''}`,
    '',
    ...(member.description === '' ? [] : [member.description, '']),
    ...(byDefault === undefined ? [] : [`Default: ${defaultText(byDefault)}`, '']),
    ...(see === undefined ? [] : [`See <${see}>`, '']),
  ].join('\n');
}

function methods(className: string): string[] {
  return documentation
    .methodsOf(className)
    .filter(({ name, isStatic }) => (isStatic || /^(?:add|allow)/.test(name)) && !internal.has(`${className}.${name}`))
    .map(({ name, isStatic, type, description }) => {
      const call = `${isStatic ? className : lowerFirst(className)}.${name}(${type})`;
      return `| \`${call.replaceAll('|', '\\|')}\` | ${description.replaceAll('|', '\\|')} |`;
    });
}

function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-');
}

/** As an object of the class is called in examples: `nginxProxy`. */
function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** `- a sentence`, a value, or a value and what there is to say about it. */
function defaultText(written: string): string {
  if (written.startsWith('- ')) return written.slice(2);
  const value = /^(?:'[^']*'|"[^"]*"|\[.*?\]|\{.*\}|\w+\.\w+\([^)]*\)|[^\s,]+)/s.exec(written)?.[0] ?? written;
  return `\`${value}\`${written.slice(value.length)}`;
}

if (require.main === module) writeFileSync(join(root, 'docs/options.md'), optionsPage());
