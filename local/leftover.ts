import { Command } from './nginx';

/** What must not outlive the runner. */
export type Leftover =
  | { readonly processGroup: number }
  /** Ends what no signal of ours reaches, such as a container. */
  | { readonly command: Command }
  | { readonly directory: string };

/** What the runner tells the watchdog, one JSON object a line. */
export type WatchdogMessage =
  | { readonly id: number; readonly leftover: Leftover }
  /** It is gone by itself. */
  | { readonly id: number; readonly gone: true };
