import { metricsPath, metricsPortName } from '../charts/proxy/nginx-pod';
import { Failure } from '../cluster/command-line';
import type { Kubectl, KubernetesObject } from '../cluster/kubectl';
import { proxySelector } from '../cluster/pods';
import { type KnownProxy, metricsAt, type Source } from './source';

/** An API server that does not answer is not waited for any longer. */
const patience = '--request-timeout=20s';
/** In milliseconds: how often pods are listed, as each kubectl costs a tenth of a second of CPU. */
const listed = 10_000;
/** In milliseconds: how long after its end a kubectl is started again for a pod. */
const pause = 5000;

interface ProxyPod extends KubernetesObject {
  readonly spec: {
    readonly containers: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
}

/** The proxies of a namespace, each pod by a kubectl port-forward of its own; pods come and go, as in a rollout. */
export class PortForwards implements Source {
  readonly mend: string;
  private readonly stop = new AbortController();
  private readonly pods = new Map<string, ForwardedPod>();
  private listedAt = 0;
  private listing: Promise<void> | undefined;

  private constructor(
    private readonly kubectl: Kubectl,
    private readonly namespace: string,
  ) {
    this.mend = `kubectl get pods --namespace ${namespace} shows how they are`;
    // Each kubectl has a process group of its own, and would outlive this process.
    process.once('exit', this.abort);
  }

  /** Rejects if the cluster does not answer, or has no proxy there that serves metrics. */
  static async open(kubectl: Kubectl, namespace: string, signal: AbortSignal): Promise<PortForwards> {
    const forwards = new PortForwards(kubectl, namespace);
    signal.addEventListener('abort', forwards.abort, { once: true });
    try {
      await forwards.list();
      forwards.refuseWithoutMetrics();
      return forwards;
    } catch (error) {
      await forwards.close();
      throw error;
    }
  }

  proxies(): readonly KnownProxy[] {
    if (this.listing === undefined && Date.now() - this.listedAt >= listed) {
      // The API server may be away while proxies answer.
      this.listing = this.list()
        .catch(() => undefined)
        .finally(() => {
          this.listing = undefined;
        });
    }
    return [...this.pods.values()];
  }

  async close(): Promise<void> {
    this.abort();
    process.off('exit', this.abort);
    await Promise.all([this.listing, ...[...this.pods.values()].map(({ ended }) => ended)]);
  }

  private readonly abort = (): void => {
    this.stop.abort();
  };

  private refuseWithoutMetrics(): void {
    const pods = [...this.pods.values()];
    if (pods.length === 0) {
      throw new Failure(
        `no proxy of fairlead runs in the namespace ${this.namespace}: give the namespace of one, and --context NAME for another cluster`,
      );
    }
    if (pods.every(({ metricsPort }) => metricsPort === undefined)) {
      throw new Failure(
        `the proxies of the namespace ${this.namespace} serve no metrics: call addMonitoring() of their NginxProxy in main.ts, and apply it`,
      );
    }
  }

  private async list(): Promise<void> {
    this.listedAt = Date.now();
    const { kubectl, namespace, pods } = this;
    const { signal } = this.stop;
    const found = await kubectl.list<ProxyPod>(
      ['pods', `--namespace=${namespace}`, proxySelector, '--field-selector=status.phase=Running', patience],
      { signal },
    );
    for (const [name, pod] of pods) {
      if (found.some(({ metadata }) => metadata.name === name)) continue;
      pod.end();
      pods.delete(name);
    }
    // A kubectl that ends says that its pod may be gone.
    const onEnd = (): void => {
      this.listedAt = 0;
    };
    for (const pod of found) {
      const { name } = pod.metadata;
      if (!pods.has(name)) pods.set(name, new ForwardedPod(pod, { kubectl, namespace, signal, onEnd }));
    }
  }
}

interface Forwarding {
  readonly kubectl: Kubectl;
  readonly namespace: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Called when a kubectl has ended, by itself too. */
  readonly onEnd: () => void;
}

/** A pod whose metrics are reached by a kubectl, which is started when they are asked for. */
class ForwardedPod implements KnownProxy {
  readonly name: string;
  /** Settles when no kubectl runs for it. */
  ended: Promise<void> = Promise.resolve();
  /** Undefined if it serves no metrics. */
  readonly metricsPort: number | undefined;
  private readonly stop = new AbortController();
  /** That of this machine. */
  private port: Promise<number> | undefined;
  private problem: string | undefined;

  constructor(
    { metadata, spec }: ProxyPod,
    private readonly forwarding: Forwarding,
  ) {
    this.name = metadata.name;
    const ports = spec.containers.flatMap((container) => container.ports ?? []);
    this.metricsPort = ports.find(({ name }) => name === metricsPortName)?.containerPort;
  }

  async scrape(): Promise<string> {
    if (this.metricsPort === undefined) {
      throw new Failure('serves no metrics, as its NginxProxy had no addMonitoring()');
    }
    if (this.problem !== undefined) throw new Failure(this.problem);
    this.port ??= this.forwarded(this.metricsPort);
    return metricsAt(`http://127.0.0.1:${await this.port}${metricsPath}`);
  }

  end(): void {
    this.stop.abort();
  }

  private forwarded(metricsPort: number): Promise<number> {
    const { kubectl, namespace, signal, onEnd } = this.forwarding;
    return new Promise((resolve, reject) => {
      const running = kubectl.run(
        ['port-forward', `--namespace=${namespace}`, '--address=127.0.0.1', `pod/${this.name}`, `:${metricsPort}`],
        {
          signal: AbortSignal.any([signal, this.stop.signal]),
          onLine: (line) => {
            const [, port] = /^Forwarding from 127\.0\.0\.1:(\d+) /.exec(line) ?? [];
            if (port !== undefined) resolve(Number(port));
          },
        },
      );
      const onEnded = (reason: string): void => {
        this.problem = `is not reached: ${reason}`;
        this.port = undefined;
        reject(new Failure(this.problem));
        setTimeout(() => {
          this.problem = undefined;
        }, pause).unref();
        onEnd();
      };
      this.ended = running.then(
        () => {
          onEnded('kubectl port-forward has ended');
        },
        (error: unknown) => {
          onEnded(error instanceof Error ? error.message : String(error));
        },
      );
    });
  }
}
