import type { Protocol } from '../load/load-request';
import type { ProtocolResult } from '../load/load-result';
import type { Moment } from '../timeline/chain';

/** What one scenario amounts to, as it stands in docs/reliability.json. */
export interface ScenarioResult {
  /** As `--only` takes it: `rollout-api`. */
  readonly name: string;
  readonly title: string;
  readonly group: ScenarioGroup;
  /** What is done, in one or two sentences. */
  readonly description: string;
  /** Requests a second. */
  readonly rate: number;
  readonly sent: number;
  /** Answered with the status that the API gives, whole, and to the right request. */
  readonly answered: number;
  readonly lostGet: number;
  /** Lost, with some of it sent to an instance of the API; and with nothing sent to any. */
  readonly lostPostSent: number;
  readonly lostPostNotSent: number;
  /** The same of each protocol, with what was sent again as an HTTP/2 server had said that it did not process it. */
  readonly protocols: Partial<Readonly<Record<Protocol, ProtocolResult>>>;
  /** Of the requests from the first event on, and of those before it. */
  readonly latency: Latency;
  readonly baseline: Latency;
  /** Seconds from the end of the cause until the system was as before; undefined if it never was. */
  readonly recovery: number | undefined;
  /** The GETs that waited on something that hung; absent where nothing hangs. */
  readonly waited?: Waited;
  /** What an attack did and took; absent where there is none. */
  readonly attack?: AttackResult;
  /** What the operator or the fault did, in seconds from the first request. */
  readonly events: readonly ScenarioEvent[];
  /** One entry a second. */
  readonly seconds: readonly Second[];
  /** What is worth a line of its own: "GETs that waited on the hung pod", "3, answered within 20.1 s of at most 54 s". */
  readonly notes: readonly { readonly name: string; readonly value: string }[];
  /** What was asked of it, and whether it was reached. */
  readonly judgements: readonly Judgement[];
  /** Measured moments of the timeline, in seconds. */
  readonly measured: Partial<Readonly<Record<Moment, readonly number[]>>>;
}

export type ScenarioGroup = 'operations' | 'faults' | 'long connections' | 'wrong input' | 'attacks';

/** Requests that were already given to an instance when it hung, or before that was known. */
export interface Waited {
  readonly sent: number;
  readonly answered: number;
  /** In seconds: the longest that one waited, and what the timeline promises. */
  readonly longest: number;
  readonly bound: number;
}

/** For how long after a fault requests may be lost. */
export interface LossBound {
  /** In milliseconds since the epoch. */
  readonly from: number;
  readonly seconds: number;
  /** So many seconds longer, a connection from a port that one to the lost node had used follows that one. */
  readonly reusedPorts?: number;
}

/** An attack beside the load: sizes in bytes, of the proxy that held the most. */
export interface AttackResult {
  /** What the attacker did, and what came of it. */
  readonly achieved: string;
  /** Of the load's requests while it lasted. */
  readonly latency: Latency;
  readonly memory: number;
  readonly memoryLimit: number;
  /** Of temporary files, those without a name among them. */
  readonly disk: number;
  readonly diskLimit: number;
  /** Of containers of nginx and of the API. */
  readonly restarts: number;
  /** Processes of nginx that the kernel ended for want of memory. */
  readonly killed: number;
}

/** In milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface ScenarioEvent {
  readonly second: number;
  readonly text: string;
}

/** The requests that were sent within one second of a run. */
export interface Second {
  readonly second: number;
  readonly sent: number;
  readonly lost: number;
  /** In milliseconds; absent if none was answered. */
  readonly p50?: number;
  readonly p99?: number;
  readonly max?: number;
}

export interface Judgement {
  readonly text: string;
  readonly reached: boolean;
  /** The latency that was judged, in milliseconds: the machine's slow seconds are in it too. */
  readonly milliseconds?: number;
}

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
