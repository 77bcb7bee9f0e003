import { createHash } from 'node:crypto';
import { InvalidOption } from '../../validation/invalid-option';
import { backendsOf, isForwarded, Plan } from '../plan';
import { isLimited } from '../routes/rate-limit-section';
import { keyExchangeGroups } from '../tls/tls-section';
import { buckets, metricFamilies } from './metric-families';

/** What the script that counts is told. */
export interface MetricsModel {
  readonly families: typeof metricFamilies;
  readonly buckets: typeof buckets;
  /** Routes, by what `$route` says. */
  readonly routes: Readonly<Record<string, CountedRoute>>;
  /** By the name of the upstream. */
  readonly backends: Readonly<Record<string, CountedBackend>>;
  /** Labels of each group of histograms. */
  readonly routeGroups: Readonly<Record<string, { readonly host: string; readonly route: string }>>;
  readonly backendGroups: Readonly<Record<string, { readonly backend: string; readonly version: string }>>;
  readonly certificates: readonly string[];
  /** Of TLS, as `$ssl_curve` calls them. */
  readonly groups: readonly string[];
  readonly limits: { readonly connections: number; readonly requests: number };
  readonly configuration: string;
  /** Whether there are spans, which are counted by what sends them. */
  readonly hasSpans: boolean;
  /** How many different series of requests, and how many peers, beside "other". */
  readonly mostRequestSeries: number;
  readonly mostPeers: number;
  /** All of them together, at most. */
  readonly series: number;
}

interface CountedRoute {
  readonly host: string;
  readonly route: string;
  readonly group: string;
  /** The only one that answers. */
  readonly backend?: string;
  /** Whether 503 without a try means that nginx was full, and 429 that a rate was met. */
  readonly isServed: boolean;
  readonly isLimited: boolean;
}

interface CountedBackend {
  readonly backend: string;
  readonly version: string;
  readonly group: string;
}

/** What `$route` is of requests that take no route. No route has a dot in its name. */
export const plainHttp = '.http';
export function noRoute(hostIndex: number): string {
  return `.none${hostIndex + 1}`;
}

const other = 'other';
/** Classes of codes, for requests of which nothing else is said. */
const foldedRequestSeries = 6;
const seriesOfHistogram = buckets.length + 3;
const seriesOfRouteGroup = seriesOfHistogram + 2;
const seriesOfBackendGroup = 3 * seriesOfHistogram + 4;
const seriesOfPeer = 3;
/** Of two protocols, their groups or none, resumed or not. */
const seriesOfTls = 2 * (keyExchangeGroups.length + 2) * 2;
/** Of the proxy: connections, limits, refusals, TLS, the configuration, what is said of the metrics themselves. */
const seriesOfProxy = 4 + 2 + 3 + seriesOfTls + 1 + 3;
const seriesOfCertificate = 2;
const seriesOfSpans = 2;
/** What requests and peers need at least to be worth while. */
const least = foldedRequestSeries + 30 + 4 * seriesOfPeer;

/** By what histograms are told apart: the first that leaves a quarter of all series to requests and peers, or the last. */
const levels = ['route', 'host', 'proxy'] as const;
type Level = (typeof levels)[number];

/** Derives what is counted, and refuses fewer series than it takes. */
export function metricsModel(plan: Plan, conf: string): MetricsModel {
  const { proxy } = plan;
  const maxSeries = proxy.metrics?.maxSeries ?? defaultMaxSeries;
  const fitting = levels.map((level) => grouped(plan, level));
  const found = fitting.find(({ series }) => maxSeries - series >= maxSeries / 4) ?? fitting.at(-1);
  if (found === undefined) throw new Error('no level');
  const left = maxSeries - found.series;
  if (left < least) {
    throw new InvalidOption(
      'maxSeries',
      maxSeries,
      `is less than this proxy has to say: give ${found.series + least} or more`,
    );
  }
  const instances = [...plan.backends].reduce((all, { mostInstances }) => all + 2 * mostInstances, 0);
  const addresses = plan.externalServices.length * 8;
  const mostPeers = Math.min(instances + addresses, Math.floor(left / 2 / seriesOfPeer) - 1);
  const mostRequestSeries = Math.min(
    left - (mostPeers + 1) * seriesOfPeer - foldedRequestSeries,
    possibleRequestSeries(plan),
  );
  return {
    families: metricFamilies,
    buckets,
    ...found.groups,
    certificates: plan.place.certificateStore === undefined ? [] : plan.certificates.map(({ name }) => name ?? ''),
    groups: keyExchangeGroups,
    limits: { connections: proxy.budget.connections, requests: proxy.budget.requests },
    hasSpans: proxy.tracing !== undefined,
    configuration: createHash('sha256').update(conf).digest('hex').slice(0, 10),
    mostRequestSeries,
    mostPeers,
    series: found.series + mostRequestSeries + foldedRequestSeries + (mostPeers + 1) * seriesOfPeer,
  };
}

export const defaultMaxSeries = 500;

const methods = 8;
const codes = 64;

/** Of each route, its backends, methods and codes; so many are never met, but no more can be. */
function possibleRequestSeries({ routes, hosts }: Plan): number {
  const answering = routes.reduce((all, route) => all + Math.max(1, backendsOf(route).length), 0);
  return (answering + hosts.length + 2) * methods * codes;
}

function grouped(plan: Plan, level: Level) {
  const routeGroups: Record<string, { host: string; route: string }> = {};
  const backendGroups: Record<string, { backend: string; version: string }> = {};
  const routes: Record<string, CountedRoute> = {};
  const backends: Record<string, CountedBackend> = {};
  const addRoute = (name: string, route: Omit<CountedRoute, 'group'>): void => {
    const of = { host: level === 'proxy' ? '' : route.host, route: level === 'route' ? route.route : '' };
    const group = level === 'route' ? name : `.${of.host}`;
    routeGroups[group] = of;
    routes[name] = { ...route, group };
  };
  const nobody = { isServed: false, isLimited: false };
  addRoute('', { host: other, route: other, ...nobody });
  addRoute(plainHttp, { host: other, route: '(http)', ...nobody });
  for (const [index, { host, paths }] of plan.hosts.entries()) {
    const [name] = host.names;
    addRoute(noRoute(index), { host: name, route: '(none)', ...nobody });
    for (const route of paths.flatMap(({ routes: own }) => own)) {
      const names = route.target.kind === 'external' ? [route.target.service.name] : backendsOf(route);
      addRoute(route.name, {
        host: name,
        route: route.name,
        ...(names.length === 1 ? { backend: String(names[0]) } : {}),
        isServed: isForwarded(route) || route.target.kind === 'files',
        isLimited: isLimited(route),
      });
    }
  }
  const addBackend = (name: string, labels: { backend: string; version: string }): void => {
    const group = level === 'proxy' ? '' : name;
    backendGroups[group] = level === 'proxy' ? { backend: '', version: '' } : labels;
    backends[name] = { ...labels, group };
  };
  for (const { name, version } of plan.backends) {
    addBackend(
      name,
      version === undefined ? { backend: name, version: '' } : { backend: version.of, version: version.name },
    );
  }
  for (const { name } of plan.externalServices) addBackend(name, { backend: name, version: '' });
  const certificates = plan.place.certificateStore === undefined ? 0 : plan.certificates.length;
  return {
    groups: { routes, backends, routeGroups, backendGroups },
    series:
      seriesOfProxy +
      certificates * seriesOfCertificate +
      (plan.proxy.tracing === undefined ? 0 : seriesOfSpans) +
      Object.keys(routeGroups).length * seriesOfRouteGroup +
      Object.keys(backendGroups).length * seriesOfBackendGroup,
  };
}
