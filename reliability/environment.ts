import { resolve } from 'node:path';
import type { LoadBalancedApi } from '../charts/load-balanced-api';
import type { Variables } from '../charts/loaded-apps';
import { deployedApi } from '../cluster/deployed-proxies';
import { atMost, merged } from '../environments';

/** Pods of the standard state that every scenario begins with. */
export const standardReplicas = { api: 4, proxy: 2 } as const;

/** In seconds: what a run has time for, several times over. */
const requestTimeout = 20;
const proxyCpuRequest = '250m';

/** Options of main.ts that differ, as FAIRLEAD_OPTIONS takes them: what JSON can say. */
export type Changes = Readonly<Record<string, unknown>>;

/** What `npm run reliability` deploys: main.ts for the environment `kind`, with fixed numbers, so that nothing but its scenarios changes them. */
export class ReliabilityEnvironment {
  /** Deployed by every scenario that changes nothing. */
  readonly standard: LoadBalancedApi;
  private readonly fixed: Changes;

  /** Of an API of main.ts' own, or of the example API in its place. */
  constructor(
    private readonly api: 'own' | 'example',
    main = resolve('main.ts'),
  ) {
    this.fixed = fixedOptions(deployedApi(main, this.withOptions({})));
    this.standard = deployedApi(main, this.variables());
  }

  /** What `environments.ts` reads, with a scenario's changes. */
  variables(changes: Changes = {}): Variables {
    return this.withOptions(merged(this.fixed, changes));
  }

  private withOptions(options: Changes): Variables {
    return { FAIRLEAD_ENVIRONMENT: 'kind', FAIRLEAD_API: this.api, FAIRLEAD_OPTIONS: JSON.stringify(options) };
  }
}

/** The fixed numbers, each as far as what main.ts says beside it allows. */
export function fixedOptions({ proxy }: LoadBalancedApi): Changes {
  return {
    replicas: standardReplicas.api,
    requestTimeout: `${Math.max(requestTimeout, ...leastRequestTimeouts(proxy))}s`,
    proxy: {
      replicas: standardReplicas.proxy,
      resources: { cpu: { request: atMost(proxyCpuRequest, proxy.settings.cpu.limit) } },
    },
  };
}

/** What a requestTimeout must not be shorter than: the connectTimeout of any route, and a requestTimeout of its own. */
function leastRequestTimeouts(proxy: LoadBalancedApi['proxy']): number[] {
  return proxy.routes.flatMap(({ model: { times }, hasOwnRequestTimeout }) => [
    times.connectTimeout,
    ...(hasOwnRequestTimeout ? [times.requestTimeout] : []),
  ]);
}
