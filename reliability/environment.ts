import { resolve } from 'node:path';
import type { LoadBalancedApi } from '../charts/load-balanced-api';
import type { Variables } from '../charts/loaded-apps';
import { deployedApi } from '../cluster/deployed-proxies';
import type { KindCluster } from '../cluster/kind-cluster';
import type { HostPorts } from '../cluster/kind-config';
import { bothAnswer, deployToKind, synthesizeForKind } from '../cluster/kind-deployment';
import { loadImage, pullMissingImage } from '../cluster/node-images';
import type { Progress } from '../cluster/progress';
import { atMost, merged } from '../environments';
import { type Changes, type DeployedApp, standardReplicas, type Synthesis } from './deployed-app';

/** In seconds: what a run has time for, several times over. */
const requestTimeout = 20;
const proxyCpuRequest = '250m';

/** What `npm run reliability` deploys: main.ts for the environment `kind`, with fixed numbers, so that nothing but its scenarios changes them. */
export class ReliabilityEnvironment implements DeployedApp {
  readonly standard: LoadBalancedApi;
  readonly hosts = ['localhost'] as const;
  private readonly fixed: Changes;

  /** Of an API of main.ts' own, or of the example API in its place. */
  constructor(
    private readonly api: 'own' | 'example',
    main = resolve('main.ts'),
  ) {
    this.fixed = fixedOptions(deployedApi(main, this.withOptions({})));
    this.standard = deployedApi(main, this.variables());
  }

  get backends(): readonly string[] {
    return [this.standard.backend.node.id];
  }

  get tlsSecretName(): string {
    const { tlsSecret } = this.standard.proxy;
    if (tlsSecret === undefined) throw new Error('the environment "kind" has a certificate of ours');
    return tlsSecret.name;
  }

  async prepareImages(progress: Progress, signal: AbortSignal): Promise<void> {
    if (this.api === 'example') return;
    const { image } = this.standard.backend.settings;
    await progress.step('image of the API, on this machine', async (doing) => {
      doing(image);
      await pullMissingImage(image, signal);
    });
  }

  async synthesize({ output, ports, changes, other }: Synthesis, signal: AbortSignal): Promise<void> {
    const environment = { ...this.variables(changes), ...other?.variables };
    const main = other === undefined ? {} : { main: other.main };
    await synthesizeForKind({ ...main, ports, output, environment }, signal);
  }

  async deploy(
    cluster: KindCluster,
    ports: HostPorts,
    path: string,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.api === 'own') {
      const { image } = this.standard.backend.settings;
      await progress.step('image of the API, loaded into the nodes', () => loadImage(cluster, image, signal));
    }
    await deployToKind(cluster, ports, progress, signal, this.variables());
    await progress.step('both addresses, answering', () => bothAnswer(ports, path, signal));
  }

  /** What `environments.ts` reads, with a scenario's changes. */
  private variables(changes: Changes = {}): Variables {
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
