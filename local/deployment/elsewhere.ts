import type { Backend } from '../../charts/backend';
import type { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { budget } from '../../model/budget';
import type { BackendModel, HostModel, ProxyModel } from '../../model/proxy';
import { privateNetworks } from '../../model/proxy-options';
import type { RouteModel } from '../../model/routes/route';
import { timeline, type Timeline } from '../../model/timeline';
import type { TracingModel } from '../../model/traces';
import { budgetSettings } from '../../nginx/budget-settings';
import { maxScale } from '../start-options';

/** Bytes that nginx may take on one machine, if its clients do their worst. */
const memoryLimit = 2 * 2 ** 30;

/** Nothing is between nginx and DNS, whoever scales waits, and the end waits for clients that were told to keep their connection. */
const times = { dnsCacheTtl: '0s', resolverValid: '1s', clientKeepAliveTimeout: '2s', connectTimeout: '1s' } as const;

/** Every timeout of a proxy on one machine. */
export function proxyTimes({ routes }: NginxProxy): Timeline {
  const longest = Math.max(1, ...routes.map((route) => route.timeline.requestTimeout));
  return timeline({ ...times, requestTimeout: `${longest}s` });
}

/** Every timeout of a backend on one machine. */
export function backendTimes({ timeline: deployed }: Backend): Timeline {
  return timeline({
    ...times,
    keepAliveTimeout: `${deployed.keepAliveTimeout}s`,
    requestTimeout: `${deployed.requestTimeout}s`,
  });
}

interface Elsewhere {
  readonly hosts: ProxyModel['hosts'];
  readonly workers: number;
  /** Where its instances are. */
  readonly backend: (backend: BackendModel) => BackendModel;
  /** Where its spans go. @default - nowhere */
  readonly tracing?: TracingModel | undefined;
}

/** What nginx.conf is made from where there is no cluster: the same routes, and instances that DNS alone knows of. */
export function modelElsewhere(proxy: NginxProxy, { hosts, workers, backend, tracing }: Elsewhere): ProxyModel {
  const { model } = proxy;
  const backends = model.backends.map((each) => ({
    ...backend(each),
    fallback: undefined,
    mostInstances: maxScale,
    // One proxy has what several share in a cluster.
    maxConnections: proxy.targets.find(({ node }) => node.id === each.name)?.settings.maxConnections,
  }));
  const given = { ...proxy.settings.clients, memoryLimit, workers, gzip: model.gzip };
  return {
    ...model,
    hosts,
    backends,
    timeline: proxyTimes(proxy),
    budget: budget(budgetSettings(given, backends, hosts)),
    tracing,
  };
}

/**
 * The hosts of a proxy, the first one by a name of this machine too. A browser would remember HSTS for the real host of a name.
 * Routes for some addresses alone are open to this machine: whoever is here has a private address, that of a container's network
 * among them, unless others of such addresses are let in.
 */
export function localHosts(
  { model }: NginxProxy,
  asked: string | undefined,
  isOpenToOthers = false,
): ProxyModel['hosts'] {
  const here = isOpenToOthers ? ['127.0.0.0/8', '::1/128'] : privateNetworks;
  const [first, ...others] = model.hosts.map((host) => onThisMachine(here, host)) as [HostModel, ...HostModel[]];
  const withoutHsts = { hstsMaxAge: 0, hstsIncludeSubDomains: false };
  return [
    {
      ...first,
      ...withoutHsts,
      names: [asked ?? 'localhost', ...first.names.filter((name) => name !== (asked ?? 'localhost'))],
    },
    ...others.map((host) => ({ ...host, ...withoutHsts })),
  ];
}

function onThisMachine(here: readonly string[], host: HostModel): HostModel {
  return { ...host, routes: host.routes.map((route) => withoutMissingAuthority(openTo(here, route))) };
}

function openTo(networks: readonly string[], route: RouteModel): RouteModel {
  if (route.allowFrom === undefined) return route;
  return { ...route, allowFrom: [...new Set([...route.allowFrom, ...networks])] };
}

/** nginx would not start without the file of a CA: the routes that ask for it are shut instead. */
function withoutMissingAuthority(route: RouteModel): RouteModel {
  const { auth } = route;
  if (auth?.kind !== 'clientCertificate' || auth.authority?.local !== undefined) return route;
  return { ...route, auth: { ...auth, authority: undefined } };
}
