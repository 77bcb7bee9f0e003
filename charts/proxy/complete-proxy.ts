import { type Budget, budget } from '../../model/budget';
import { authFilesOf } from '../../model/auth/auth';
import type { AuthFile } from '../../model/auth/auth-file';
import { corsHeaders } from '../../model/routes/cors';
import type { HostModel, ProxyModel } from '../../model/proxy';
import { strictTransportSecurity } from '../../model/proxy-options';
import type { TimesAround } from '../../model/routes/route-model';
import type { Snippet } from '../../model/snippet';
import { proxyTimeline, scrapedTimeline, type Timeline } from '../../model/timeline';
import type { TracingModel } from '../../model/traces';
import { budgetSettings } from '../../nginx/budget-settings';
import { lastMetricsConf, lastMetricsConfName, untilScrapedScript } from '../../nginx/metrics/last-metrics';
import { metricsVolume, metricsZone } from '../../nginx/metrics/metrics-section';
import { nginxConf } from '../../nginx/nginx-conf';
import type { Place } from '../../nginx/place';
import { externalServicesOf } from '../../nginx/plan';
import { scriptsOf } from '../../nginx/scripts';
import { spansMemory } from '../../nginx/tracing/tracing-section';
import { memoryBytes } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import type { Backend } from '../backend';
import type { NamespaceModel } from '../namespace';
import {
  authDirectory,
  authoritiesDirectory,
  backendPatience,
  cacheDirectory,
  certificateCheckPort,
  certificateDirectory,
  certificatePatience,
  certificateStore,
  connectionCount,
  filesDirectory,
  hostCertificatesDirectory,
  httpPort,
  httpsPort,
  metricsDirectory,
  probePort,
  spansDirectory,
  weightsDirectory,
  weightsFile,
} from './nginx-pod';
import type { MonitoringSettings } from './monitoring';
import type { NginxProxySettings } from './nginx-proxy-props';
import { mostPods } from '../pods/autoscaling';
import type { Route } from '../routes/route';
import { mountedFiles, type MountedFiles } from '../routes/static-files';

/** What of a proxy follows from its routes. */
export interface CompleteProxy {
  readonly model: ProxyModel;
  readonly timeline: Timeline;
  readonly budget: Budget;
  /** What nginx reads, by name: its configuration and scripts. */
  readonly files: Readonly<Record<string, string>>;
  /** Secrets of private CAs. */
  readonly authoritySecrets: readonly string[];
  /** Secrets and ConfigMaps that say who may use routes. */
  readonly authFiles: readonly AuthFile[];
  /** What it serves itself. */
  readonly staticFiles: readonly MountedFiles[];
}

interface ProxyParts {
  /** The id of the construct. */
  readonly id: string;
  readonly settings: NginxProxySettings;
  readonly namespace: NamespaceModel;
  readonly times: TimesAround;
  readonly backends: readonly Backend[];
  /** The first one is that of the proxy. */
  readonly hosts: readonly (Pick<HostModel, 'names' | 'certificate'> & { readonly routes: readonly Route[] })[];
  readonly snippets: readonly Snippet[];
  /** Whether several backends share a route. */
  readonly hasWeights: boolean;
  /** What is measured, if anything is. */
  readonly metrics: MonitoringSettings | undefined;
}

/** Derives it, and refuses what all routes together cannot have. */
export function completeProxy(parts: ProxyParts): CompleteProxy {
  const routes = parts.hosts.flatMap((host) => host.routes);
  if (routes.length === 0) {
    throw new InvalidOption('routes', [], 'is empty: give a route, such as addRoute("/", orders)');
  }
  refuseCorsTwice(parts.settings, routes);
  for (const host of parts.hosts) refuseClosedSignIn(host.routes);
  const staticFiles = mountedFiles(routes);
  const model = proxyModel(parts, routes, staticFiles);
  const { settings, namespace, hasWeights, metrics } = parts;
  const place: Place = {
    resolvers: namespace.resolvers,
    ipFamilies: namespace.ipFamilies ?? ['IPv4'],
    workers: settings.workers,
    httpPort,
    httpsPort,
    probePort,
    metricsPort: metrics?.port,
    metricsDirectory,
    spansDirectory,
    externalHttpsPort: settings.exposure.httpsPort,
    certificateDirectory,
    hostCertificatesDirectory,
    certificateStore,
    certificateCheckPort,
    certificatePatience,
    backendPatience,
    connectionCount,
    authoritiesDirectory,
    cacheDirectory,
    authDirectory,
    weightsFile: hasWeights ? `${weightsDirectory}/${weightsFile}` : undefined,
    filesDirectories: Object.fromEntries(staticFiles.map(({ source, name }) => [source, `${filesDirectory}/${name}`])),
  };
  const conf = nginxConf(model, place);
  const scripts = scriptsOf(model, place, conf);
  return {
    model,
    timeline: model.timeline,
    budget: model.budget,
    staticFiles,
    files: {
      'nginx.conf': conf,
      ...Object.fromEntries(scripts.map(({ name, text }) => [name, text])),
      ...(metrics === undefined
        ? {}
        : {
            [lastMetricsConfName]: lastMetricsConf(model, place),
            [untilScrapedScript.name]: untilScrapedScript.text,
          }),
    },
    authoritySecrets: authoritySecrets(routes),
    authFiles: authFilesOf(routes.map((route) => route.model)),
  };
}

function proxyModel(parts: ProxyParts, routes: readonly Route[], staticFiles: readonly MountedFiles[]): ProxyModel {
  const { settings, times, hosts, snippets, metrics } = parts;
  const tracing = tracingModel(parts);
  const backends = parts.backends.map(({ model, settings: { maxConnections } }) => ({
    ...model,
    maxConnections: maxConnections === undefined ? undefined : Math.ceil(maxConnections / mostPods(settings.replicas)),
  }));
  const forwarded = routes.filter((route) => route.isForwarded);
  const timeline = proxyTimeline(times, ...forwarded.map((route) => route.timeline));
  const { headerTimeout, bodyTimeout, sendTimeout, trustedProxies, unlimited } = settings.clients;
  const ofServers = textsOf(snippets, 'server');
  const host = ({ names, certificate, routes: own }: ProxyParts['hosts'][number]): HostModel => ({
    names,
    ...(certificate === undefined ? {} : { certificate }),
    ...strictTransportSecurity(settings, names[0]),
    snippets: ofServers,
    routes: own.map((route) => route.model),
  });
  const models = hosts.map(host) as [HostModel, ...HostModel[]];
  const given = {
    ...settings.clients,
    memoryLimit: memoryBytes('resources.memory.limit', settings.memory.limit),
    workers: settings.workers,
    temporaryStorage: settings.temporaryStorage,
    files: staticFiles.reduce((all, { origin }) => all + (origin.kind === 'image' ? origin.sizeLimit : 0), 0),
    gzip: settings.gzip,
    metrics:
      metrics === undefined ? 0 : metricsZone(metrics.maxSeries) + metricsVolume(settings.workers, metrics.maxSeries),
    tracing: tracing === undefined ? 0 : spansMemory(tracing, settings.workers),
  };
  return {
    hosts: models,
    backends,
    timeline: metrics === undefined ? timeline : scrapedTimeline(timeline),
    budget: budget(budgetSettings(given, backends, models)),
    clientTimes: { headerTimeout, bodyTimeout, sendTimeout },
    gzip: settings.gzip,
    defaultResponseHeaders: settings.defaultResponseHeaders,
    traceContext:
      settings.tracing === undefined ? settings.traceContext : { sampledPercent: settings.tracing.sampledPercent },
    tracing,
    trustedProxies,
    unlimitedClients: unlimited,
    accessLog: settings.accessLog,
    snippets: textsOf(snippets, 'http'),
    ...(metrics === undefined ? {} : { metrics: { maxSeries: metrics.maxSeries } }),
  };
}

/** Named after the construct, in its namespace, unless it is called otherwise. */
function tracingModel({ id, settings: { tracing }, namespace }: ProxyParts): TracingModel | undefined {
  if (tracing === undefined) return undefined;
  const { endpoint: collector, serviceName: name = id } = tracing;
  return { collector, service: { name, namespace: namespace.name } };
}

/** What routes say to pages of other origins, a header of all answers must not say too. */
function refuseCorsTwice({ defaultResponseHeaders }: NginxProxySettings, routes: readonly Route[]): void {
  const route = routes.find(({ model }) => model.cors !== undefined);
  const twice = defaultResponseHeaders.find(([name]) =>
    corsHeaders.some((header) => header.toLowerCase() === name.toLowerCase()),
  );
  if (route === undefined || twice === undefined) return;
  throw new InvalidOption(
    `defaultResponseHeaders[${JSON.stringify(twice[0])}]`,
    twice[1],
    `is what \`cors\` of the route ${route.path.path} says already: take one of them out`,
  );
}

/** A page where people sign in has to be open to those who have not: a browser would go round in circles. */
function refuseClosedSignIn(routes: readonly Route[]): void {
  for (const route of routes) {
    const url = signInUrl(route);
    if (url?.startsWith('/') !== true) continue;
    const page = routeOf(routes, url.replace(/\?.*/, ''));
    if (page === undefined || signInUrl(page) === undefined) continue;
    throw new InvalidOption(
      'Auth.external signIn.url',
      url,
      `is a page of the route ${page.path.path}, which leads browsers there itself, round in circles: give it a route of its own with Auth.none()`,
    );
  }
}

function signInUrl({ model: { auth } }: Route): string | undefined {
  return auth?.kind === 'external' ? auth.signIn?.url : undefined;
}

/** The route of a path, where nothing but that decides: an exact one, or that of the longest prefix. */
function routeOf(routes: readonly Route[], path: string): Route | undefined {
  const unconditional = routes.filter(({ model }) => model.when.length === 0);
  const exact = unconditional.find((route) => route.path.kind === 'exact' && route.path.path === path);
  const prefixes = unconditional.filter(
    ({ path: { kind, path: prefix } }) =>
      kind === 'prefix' && (prefix === '/' || path === prefix || path.startsWith(`${prefix}/`)),
  );
  return exact ?? prefixes.sort((a, b) => b.path.path.length - a.path.path.length)[0];
}

/** Each once, in an order that does not follow from that of the routes. */
function authoritySecrets(routes: readonly Route[]): string[] {
  const services = externalServicesOf(routes.map(({ model }) => model));
  return [...new Set(services.flatMap(({ tls }) => tls?.certificateAuthority ?? []))].sort();
}

function textsOf(snippets: readonly Snippet[], place: Snippet['place']): readonly string[] {
  return snippets.filter((snippet) => snippet.place === place).map(({ text }) => text);
}
