import { join } from 'node:path';
import type { KeyPair } from '../certificates/key-pair';
import { eventually, type EventuallyOptions } from '../cluster/eventually';
import { run } from '../cluster/external-command';
import { type Component, deploymentName } from '../cluster/workloads';
import type { Load } from '../load/load';
import { Streams, type StreamsOptions } from '../load/streams';
import { Uploads } from '../load/uploads';
import type { Moment } from '../timeline/moments';
import type { LossBound } from './judgements';
import type { PodHistory } from './pod-history';
import type { ReliabilityCluster } from './reliability-cluster';
import type { AttackResult, Judgement, ScenarioEvent, Waited } from './scenario-result';

/** What a scenario acts through, and what it has to say. */
export class Stage {
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

  /** `kubectl apply edit-last-applied`, with an editor that takes `replicas` out: the running number stays. */
  async forgetReplicas(component: Component): Promise<void> {
    const { kubectl, namespace } = this.workloads;
    await kubectl.run(['apply', 'edit-last-applied', deploymentName(component), `--namespace=${namespace}`], {
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
