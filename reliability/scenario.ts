import type { ReliabilityCluster } from './reliability-cluster';
import type { ScenarioGroup } from './scenario-result';
import type { Stage } from './stage';

/** What is done to a system under load, and how it is judged. */
export interface Scenario {
  /** As `--only` takes it. */
  readonly name: string;
  readonly title: string;
  readonly group: ScenarioGroup;
  /** In one or two sentences. */
  readonly description: string;
  /**
   * What must be reached: `nothing lost`, and for an operation hardly slower than at rest; `no GET lost`, and no POST of which nothing was
   * sent to an instance; `own`, what the scenario itself judges.
   */
  readonly reaches: 'nothing lost' | 'no GET lost' | 'own';
  /** Requests a second. @default - that of the run */
  readonly rate?: number;
  /** The way in: a node that no scenario takes away, or the workers, of which a failing health check takes one out. @default 'control plane' */
  readonly entry?: 'control plane' | 'workers';
  /** Asks for endpoints that only the example API has. @default false */
  readonly needsExampleApi?: boolean;
  /** The changes of options that it applies: they are synthesized before there is load, which that would disturb. */
  readonly applies?: readonly object[];
  /** An answer may wait for one connection to a pod that is gone, `connectTimeout` (reliability-notes.md). @default false */
  readonly meetsGonePods?: boolean;
  /** Shares are noted, and not judged: what makes them uneven outlasts its cause (reliability-notes.md). @default false */
  readonly notesShares?: boolean;
  /** Options that are changed from before its load on; scenarios in a row with the same ones share one rollout. @default - none */
  readonly changes?: object;
  /** Makes what it needs before there is load. */
  readonly prepare?: (system: ReliabilityCluster) => Promise<void>;
  /** Ends when the cause has ended and Kubernetes has done its part; what comes next is measured by the run. */
  readonly act: (stage: Stage) => Promise<void>;
}
