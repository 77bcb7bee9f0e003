import type { BudgetProps, BudgetSettings } from '../model/budget-options';
import { type BackendModel, certificatesOf, type ProxyModel } from '../model/proxy';
import { cachesOf, countOfClientLimits, countOfRateLimits, greatestBody } from '../model/routes/route';
import { tokenRules } from './auth/access-tokens-section';
import { asksForCertificates } from './auth/client-certificates-section';
import { externalServices } from './backends/external-services';
import { upstreamZone } from './backends/upstream-section';
import { asksServices, upstreams } from './plan';

/** What neither a backend nor a route says. */
type Given = Pick<
  BudgetSettings,
  keyof BudgetProps | 'memoryLimit' | 'workers' | 'temporaryStorage' | 'files' | 'gzip' | 'metrics' | 'tracing'
>;

/** What the budget of a proxy goes by: what is given, and what follows from its backends and the routes of its hosts. */
export function budgetSettings(
  given: Given,
  backends: readonly BackendModel[],
  hosts: ProxyModel['hosts'],
): BudgetSettings {
  const routes = hosts.flatMap((host) => host.routes);
  const { backends: answering, mirrors } = upstreams(backends, routes);
  const asked = [...answering, ...mirrors];
  return {
    ...given,
    ...greatestBody(routes),
    hasStreams: routes.some(({ streamTimeout }) => streamTimeout !== undefined),
    backends: asked.length,
    upstreamZones: asked.reduce((all, { mostInstances }) => all + upstreamZone(mostInstances), 0),
    rateLimits: countOfRateLimits(routes),
    clientLimits: countOfClientLimits(routes),
    hasMirrors: mirrors.length > 0,
    externalServices: externalServices(routes),
    tokenRules: tokenRules(routes),
    clientCertificates: asksForCertificates(routes),
    asksServices: asksServices(routes),
    hostCertificates: certificatesOf(hosts).length - 1,
    caches: cachesOf(routes),
  };
}
