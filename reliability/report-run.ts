/** Facts of a run, as they stand in docs/reliability.md and docs/reliability.json. */
export interface ReportRun {
  /** The day it began: `2026-01-31`. */
  readonly date: string;
  /** `1.34.4` */
  readonly kubernetesVersion: string;
  readonly nodes: number;
  /** Of the machine that ran all of it: nodes, load and measuring. */
  readonly cores: number;
  /** As it was typed: `npm run reliability`. */
  readonly command: string;
  /** From the first scenario's beginning to the last one's end, in seconds. */
  readonly seconds: number;
}
