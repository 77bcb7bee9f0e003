import type { DashboardSystem, Instance, SystemActions, SystemDescription, SystemState } from '../../dashboard/system';

export function someInstance(name: string, changed: Partial<Instance> = {}): Instance {
  const backend = name.replace(/-\d+$/, '');
  return { name, backend, addresses: [], health: 'ready', reason: undefined, since: 0, canBeSlow: true, ...changed };
}

export function someState(changed: Partial<SystemState> = {}): SystemState {
  const certificates = [{ hosts: ['localhost'], notAfter: Date.UTC(2040, 0), isSelfSigned: true }];
  return {
    instances: [someInstance('api-1')],
    proxies: [],
    certificates,
    wanted: { api: 1 },
    weights: {},
    load: 0,
    ...changed,
  };
}

export const someDescription: SystemDescription = {
  version: '1.2.3',
  nginx: 'nginx 1.30.0',
  url: 'https://localhost:8443',
  command: 'curl -k https://localhost:8443/',
  explain: ['npx fairlead explain CODE --since 10m --namespace shop'],
  top: 'npx fairlead top --namespace shop',
  metricsUrl: undefined,
  backends: [{ name: 'api', backend: 'api', version: '', program: 'node' }],
  routes: [{ host: 'localhost', route: 'root', path: '/', target: 'api', shared: [] }],
  mostInstances: 100,
};

const nothing = (): void => undefined;

export const someActions: SystemActions = {
  scale: nothing,
  stop: nothing,
  kill: nothing,
  slow: nothing,
  weigh: nothing,
  load: nothing,
};

/** A system that is what a test makes of it. */
export function someSystem(changed: Partial<DashboardSystem> = {}): DashboardSystem {
  return {
    description: someDescription,
    state: someState,
    scrape: () => Promise.resolve(said(requestsCounted(0))),
    actions: someActions,
    unwatched: nothing,
    ...changed,
  };
}

/** What a scrape finds of the only proxy. */
export function said(metrics: string): ReadonlyMap<string, string> {
  return new Map([['nginx', metrics]]);
}

/** Metrics of a proxy that has answered so many requests. */
export function requestsCounted(count: number, code = '200'): string {
  return `fairlead_http_requests_total{host="localhost",route="root",backend="api",method="GET",code="${code}"} ${count}\n`;
}
