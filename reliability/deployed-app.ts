import type { LoadBalancedApi } from '../charts/load-balanced-api';
import type { KindCluster } from '../cluster/kind-cluster';
import type { HostPorts } from '../cluster/kind-config';
import type { Progress } from '../cluster/progress';

/** Pods of the standard state that every scenario begins with. */
export const standardReplicas = { api: 4, proxy: 2 } as const;

/** Options of main.ts that differ, as FAIRLEAD_OPTIONS takes them: what JSON can say. */
export type Changes = Readonly<Record<string, unknown>>;

/** A main of the suite's own, and the variables that it reads. */
export interface OtherMain {
  readonly main: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** What is written for a cluster: into which folder, for which ports of this machine, and what differs from the standard state. */
export interface Synthesis {
  readonly output: string;
  readonly ports: HostPorts;
  readonly changes?: Changes;
  /** In place of main.ts. */
  readonly other?: OtherMain | undefined;
}

/** What a run deploys, and how it comes into a cluster: main.ts of this repository, or of an app of one's own. */
export interface DeployedApp {
  /** Deployed by every scenario that changes nothing. */
  readonly standard: Pick<LoadBalancedApi, 'namespace' | 'backend' | 'proxy' | 'route'>;
  /** The names that its certificate is for: first the one that is asked. */
  readonly hosts: readonly [string, ...string[]];
  /** The Secret of that certificate. */
  readonly tlsSecretName: string;
  /** Names of all backends in its namespace, which a scenario may add others to. */
  readonly backends: readonly string[];
  /** Has the images on this machine that nothing in the cluster could find: most that is wrong with one shows here. */
  prepareImages(progress: Progress, signal: AbortSignal): Promise<void>;
  /** Writes manifests. */
  synthesize(synthesis: Synthesis, signal: AbortSignal): Promise<void>;
  /** Everything between an empty cluster, or one of an earlier run, and a deployment that answers a GET of this path. */
  deploy(cluster: KindCluster, ports: HostPorts, path: string, progress: Progress, signal: AbortSignal): Promise<void>;
}
