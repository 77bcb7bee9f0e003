import { join } from 'node:path';
import type { KeyPair } from '../certificates/key-pair';
import { run } from '../cluster/external-command';
import { eventually, type EventuallyOptions } from '../cluster/progress';
import type { Component } from '../cluster/workloads';
import { Load, type LoadOptions } from '../load/load';
import { Streams, type StreamsOptions } from '../load/streams';
import { Uploads } from '../load/uploads';
import type { Moment } from '../timeline/chain';
import type { Changes } from './deployed-app';
import type { PodHistory } from './pod-history';
import type { ReliabilityCluster } from './reliability-cluster';
import type { AttackResult, Judgement, LossBound, ScenarioEvent, ScenarioGroup, Waited } from './scenario-result';

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
  /** Restarts metrics-server, which not every cluster of a run has. @default false */
  readonly needsMetricsServer?: boolean;
  /** The changes of options that it applies: they are synthesized before there is load, which that would disturb. */
  readonly applies?: readonly Changes[];
  /** An answer may wait for one connection to a pod that is gone, `connectTimeout` (reliability-notes.md). @default false */
  readonly meetsGonePods?: boolean;
  /** Shares are noted, and not judged: what makes them uneven outlasts its cause (reliability-notes.md). @default false */
  readonly notesShares?: boolean;
  /** What its load asks, if that is not the backend of main.ts: its pods' shares are the scenario's own business then. */
  readonly asks?: Pick<LoadOptions, 'getPath' | 'postPath' | 'keys' | 'prefixes' | 'headers'>;
  /** Options that are changed from before its load on; scenarios in a row with the same ones share one rollout. @default - none */
  readonly changes?: Changes;
  /** Makes what it needs before there is load. */
  readonly prepare?: (system: ReliabilityCluster) => Promise<void>;
  /** Ends when the cause has ended and Kubernetes has done its part; what comes next is measured by the run. */
  readonly act: (context: ScenarioContext) => Promise<void>;
}

/** What a scenario acts through, and what it has to say. */
export class ScenarioContext {
  readonly events: ScenarioEvent[] = [];
  readonly notes: { name: string; value: string }[] = [];
  readonly judgements: Judgement[] = [];
  readonly measured: Partial<Record<Moment, number[]>> = {};
  waited: Waited | undefined;
  loss: LossBound | undefined;
  attack: Omit<AttackResult, 'latency'> | undefined;
  /** When the cause had ended, in milliseconds since the epoch. */
  causeEnded: number | undefined;
  private readonly undoing: (() => Promise<unknown>)[] = [];

  constructor(
    readonly system: ReliabilityCluster,
    readonly load: Load,
    readonly begin: number,
    readonly history: PodHistory,
    private readonly doing: (detail: string) => void,
  ) {}

  get workloads(): ReliabilityCluster['workloads'] {
    return this.system.workloads;
  }

  /** Something happens now. */
  event(text: string): void {
    const second = this.seconds();
    this.events.push({ second, text });
    this.doing(`${second.toFixed(1)} s: ${text}`);
  }

  /** What disturbed the system is over; from here on it has to be as before within seconds. */
  endOfCause(text: string): void {
    this.event(text);
    this.causeEnded = Date.now();
  }

  /** Seconds from the first request until now, or until a moment. */
  seconds(at = Date.now()): number {
    return (at - this.begin) / 1000;
  }

  note(name: string, value: string): void {
    this.notes.push({ name, value });
  }

  judge(text: string, reached: boolean): void {
    this.judgements.push({ text, reached });
  }

  measure(moment: Moment, seconds: number): void {
    (this.measured[moment] ??= []).push(Math.round(seconds * 10) / 10);
  }

  /** Puts something right that the scenario takes away; done at its end, the last one first, whatever happened. */
  atEnd(undo: () => Promise<unknown>): void {
    this.undoing.push(undo);
  }

  async end(): Promise<void> {
    for (const undo of this.undoing.splice(0).reverse()) await undo();
  }

  /** Asks until there is an answer. */
  until<T>(
    what: string,
    ask: () => Promise<T | undefined> | T | undefined,
    options: EventuallyOptions = {},
  ): Promise<T> {
    return eventually(what, ask, { ...options, signal: this.system.signal });
  }

  /** Waits until each of these instances has answered a request that was sent from now on. */
  async answersOf(names: readonly string[]): Promise<void> {
    if (this.system.statuses !== undefined) return;
    const from = Date.now();
    await this.until('an answer of every pod', () => {
      const answered = new Set(
        this.load.requests.filter(({ started }) => started >= from).map(({ hostname }) => hostname),
      );
      return names.every((name) => answered.has(name)) ? true : undefined;
    });
  }

  /** Opens long connections, and gives them once all are open. */
  async holdStreams(held: Pick<StreamsOptions, 'webSockets' | 'eventStreams' | 'http2EventStreams'>): Promise<Streams> {
    const { url, certificates } = this.system;
    const streams = new Streams({ url, certificates, ...held });
    this.atEnd(() => streams.stop());
    await streams.opened;
    return streams;
  }

  /** Uploads 100 MB again and again over HTTP/2, from two clients. */
  upload(): Uploads {
    const { url, certificates } = this.system;
    const uploads = new Uploads({ url, certificates });
    this.atEnd(() => uploads.stop());
    return uploads;
  }

  /** Asks the backend of main.ts beside the load of the scenario, ten times a second. */
  askBackend(): Load {
    const load = new Load({ ...this.system.target, rate: 10, timeout: 70_000 });
    this.atEnd(() => load.stop());
    return load;
  }

  /** `kubectl apply edit-last-applied`, with an editor that takes `replicas` out: the running number stays. */
  async forgetReplicas(component: Component): Promise<void> {
    const { workloads } = this;
    const of = `--namespace=${workloads.namespace}`;
    await workloads.kubectl.run(['apply', 'edit-last-applied', workloads.deployment(component), of], {
      env: { ...process.env, KUBE_EDITOR: "sed -i -e '/^  replicas:/d'" },
      signal: this.system.signal,
    });
  }

  /** docker, for the nodes. */
  docker(...args: readonly string[]): Promise<string> {
    return run('docker', args, { signal: this.system.signal });
  }

  /** A program in a node. */
  inNode(node: string, ...args: readonly string[]): Promise<string> {
    return this.docker('exec', node, ...args);
  }

  /** A certificate for the host that the load trusts besides the first one. */
  keyPair(index: number): KeyPair {
    const pair = this.system.keyPairs[index];
    if (pair === undefined) throw new Error(`there are ${this.system.keyPairs.length} key pairs`);
    return pair;
  }

  /** A directory of this run's own. */
  directory(name: string): string {
    return join(this.system.cluster.directory, name);
  }
}
