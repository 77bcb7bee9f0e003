import type { Moment } from './moments';
import type { Range } from './range';

/** What happens after one event, in order. */
export interface Chain {
  readonly title: string;
  /** What second 0 is. */
  readonly beginning: string;
  readonly steps: readonly Step[];
}

export interface Step {
  /** In seconds from the chain's beginning. */
  readonly at: Range;
  readonly what: string;
  readonly movedBy: readonly Mover[];
  /** What the reliability run measures of it. */
  readonly moment?: Moment;
}

/** What a time follows from: an option of `LoadBalancedApi`, or a figure that no option changes. */
export type Mover = { readonly option: string; readonly seconds: number } | Figure;

/** A time that Kubernetes or fairlead has fixed. */
export interface Figure {
  readonly name: string;
  readonly range: Range;
  /** Where it stands, or why it is taken. */
  readonly source: string;
}

export const option = (name: string, seconds: number): Mover => ({ option: name, seconds });
