import type { LoadBalancedApi } from '../charts/load-balanced-api';
import type { Timeline } from '../model/timeline';
import { certificateInterval } from '../nginx/last-good-certificate-section';
import type { Moment } from '../reliability/scenario-result';

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

/** From the earliest to the latest, in seconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const exactly = (seconds: number): Range => ({ from: seconds, to: seconds });

export const upTo = (seconds: number): Range => ({ from: 0, to: seconds });

/** When the last of several things that follow each other has happened. */
export function after(...lengths: readonly Range[]): Range {
  return lengths.reduce((sum, { from, to }) => ({ from: sum.from + from, to: sum.to + to }), exactly(0));
}

/** `5 s`, `0 to 7 s`: at most one decimal. */
export function rangeText({ from, to }: Range): string {
  const [first, last] = [decimal(from), decimal(to)];
  return first === last ? `${first} s` : `${first} to ${last} s`;
}

function decimal(seconds: number): string {
  return String(Math.round(seconds * 10) / 10);
}

/** What of a deployment moves what happens in it, and when. */
export interface Configuration {
  readonly timeline: Timeline;
  /** In seconds: how long nginx leaves an instance out that failed. */
  readonly failTimeout: number;
  /** In seconds: how often nginx looks at the certificate. */
  readonly certificateInterval: number;
}

export function configuration({ timeline, failTimeout }: LoadBalancedApi): Configuration {
  return { timeline, failTimeout, certificateInterval: certificateInterval(timeline) };
}
