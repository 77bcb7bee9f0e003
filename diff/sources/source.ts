import type { Manifest } from '../objects/manifest';
import type { Text } from '../text';

/** The manifests of one side, wherever they were. */
export interface Source {
  /** What it is called in a report: `dist`, `main (1a2b3c4)`, `the cluster of kind-shop`. */
  readonly name: string;
  readonly manifests: readonly Manifest[];
  /** What could not be looked at, or may mislead. */
  readonly notes: readonly Text[];
}
