import { watch } from '../cluster/progress';
import type { Component, Workloads } from '../cluster/workloads';

/** When a pod came and went, in milliseconds since the epoch. Kubernetes notes the first two to the second. */
export interface PodRecord {
  readonly name: string;
  readonly component: Component;
  address?: string;
  /** Since when it is ready; the last time, if there were several. */
  ready?: number;
  /** When its end was decided: its deletion less its grace period. */
  ended?: number;
  /** When the API server forgot it. */
  gone?: number;
}

/** Not separated by tabs, which kubectl would turn into aligned columns. */
const columns = [
  '{.type}',
  '{.object.metadata.name}',
  '{.object.metadata.labels.app\\.kubernetes\\.io/component}',
  '{.object.status.podIP}',
  '{.object.metadata.deletionTimestamp}',
  '{.object.metadata.deletionGracePeriodSeconds}',
  '{.object.status.conditions[?(@.type=="Ready")].status}',
  '{.object.status.conditions[?(@.type=="Ready")].lastTransitionTime}',
];

/** Follows the pods of both components by a watch, which outlives the API server's own restarts; those of other backends are left out. */
export class PodHistory {
  private readonly records = new Map<string, PodRecord>();
  private readonly ended = new AbortController();
  private readonly watching: Promise<void>;

  constructor({ kubectl, namespace, names }: Workloads) {
    const selector = `app.kubernetes.io/instance in (${names.api},${names.proxy})`;
    this.watching = watch(kubectl, {
      args: ['pods', `--namespace=${namespace}`, `--selector=${selector}`],
      line: columns.join('{"|"}'),
      onLine: (line) => {
        this.note(line);
      },
      signal: this.ended.signal,
    });
  }

  get pods(): readonly PodRecord[] {
    return [...this.records.values()];
  }

  get(name: string): PodRecord | undefined {
    return this.records.get(name);
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.watching;
  }

  private note(line: string): void {
    const [type, name = '', component, address, deletion, grace, ready, since] = line.split('|');
    if (component !== 'api' && component !== 'proxy') return;
    const record = this.records.get(name) ?? { name, component };
    if (address !== undefined && address !== '') record.address = address;
    if (ready === 'True' && since !== undefined) record.ready = Date.parse(since);
    if (deletion !== undefined && deletion !== '') record.ended ??= Date.parse(deletion) - Number(grace) * 1000;
    if (type === 'DELETED') record.gone = Date.now();
    this.records.set(name, record);
  }
}
