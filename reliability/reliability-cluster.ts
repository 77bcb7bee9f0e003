import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { KeyPair } from '../certificates/key-pair';
import { selfSignedKeyPair } from '../certificates/self-signed';
import { run } from '../cluster/external-command';
import { KindCluster } from '../cluster/kind-cluster';
import { freePorts, type HostPorts, nodePorts } from '../cluster/kind-config';
import type { KubernetesObject } from '../cluster/kubectl';
import { eventually, type Progress } from '../cluster/progress';
import { type Component, nodeOf, Workloads } from '../cluster/workloads';
import type { LoadOptions } from '../load/load';
import type { LoadNode } from '../load/node-health';
import { freePort } from '../local/ports';
import { type Changes, type DeployedApp, type OtherMain, standardReplicas } from './deployed-app';
import { type ApiUnderLoad, statusesOf } from './run-options';

/** What another main has made beside the backends of main.ts. */
const backendObjects = 'deployments,services,poddisruptionbudgets,networkpolicies';
const otherBackends = (names: readonly string[]): string =>
  `app.kubernetes.io/component=api,app.kubernetes.io/instance notin (${names.join(',')})`;

/** The Service as `Exposure.nodePort` makes it. */
const everyNode = { spec: { externalTrafficPolicy: 'Cluster' } };

interface Node extends KubernetesObject {
  readonly spec: { readonly unschedulable?: boolean };
  readonly status: {
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime: string;
    }[];
    readonly nodeInfo: { readonly kubeletVersion: string };
  };
}

/** A worker node has a port for the health checks of load balancers too. */
interface WorkerPorts extends HostPorts {
  readonly healthCheckPort: number;
}

/** A kind cluster of three nodes that belongs to the reliability run alone. */
export class ReliabilityCluster {
  readonly workloads: Workloads;
  private readonly synthesized = new Map<string, string>();

  private constructor(
    readonly cluster: KindCluster,
    readonly api: ApiUnderLoad,
    private readonly app: DeployedApp,
    readonly ports: { readonly controlPlane: HostPorts; readonly workers: readonly WorkerPorts[] },
    /** Certificates that the load trusts besides the first one. */
    readonly keyPairs: readonly KeyPair[],
    readonly signal: AbortSignal,
  ) {
    const { namespace, backend, proxy } = app.standard;
    const names = { api: backend.node.id, proxy: proxy.node.id };
    this.workloads = new Workloads(cluster.kubectl, namespace.name, names, signal);
  }

  /** Creates or finds the cluster, and deploys an app to it. If that fails, the cluster is still there. */
  static async open(
    cluster: KindCluster,
    app: DeployedApp,
    api: ApiUnderLoad,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<ReliabilityCluster> {
    await app.prepareImages(progress, signal);
    if (await cluster.exists(signal)) await cluster.open(signal);
    else {
      const ports: HostPorts[] = [await freePorts()];
      for (const worker of [await freePorts(), await freePorts()]) {
        ports.push({ ...worker, healthCheckPort: await freePort() });
      }
      await progress.step(`kind cluster "${cluster.name}", created`, () => cluster.create(ports, signal));
    }
    const controlPlane = await cluster.hostPorts(signal);
    const workers = [];
    for (const name of workerNamesOf(cluster)) workers.push(await workerPorts(cluster, name, signal));
    const keyPairs = Array.from({ length: 12 }, (_, index) =>
      selfSignedKeyPair(app.hosts, join(cluster.directory, 'certificates', String(index))),
    );
    const system = new ReliabilityCluster(cluster, api, app, { controlPlane, workers }, keyPairs, signal);
    await system.deploy(progress);
    return system;
  }

  /** What is deployed while no scenario changes it. */
  get deployed(): DeployedApp['standard'] {
    return this.app.standard;
  }

  get tlsSecretName(): string {
    return this.app.tlsSecretName;
  }

  /** The names that certificates are for: first the one that is asked. */
  get hosts(): DeployedApp['hosts'] {
    return this.app.hosts;
  }

  /** Where all load goes, and what it asks for and trusts there. */
  get target(): Pick<LoadOptions, 'url' | 'host' | 'certificates'> {
    const [host] = this.hosts;
    return { url: this.url, certificates: this.certificates, ...(host === 'localhost' ? {} : { host }) };
  }

  get url(): string {
    return `https://localhost:${this.ports.controlPlane.httpsPort}`;
  }

  /** The workers as a load balancer in front of them sees them. */
  get workerNodes(): readonly LoadNode[] {
    return this.ports.workers.map(({ httpsPort, healthCheckPort }) => ({
      url: `https://localhost:${httpsPort}`,
      healthCheckUrl: `http://127.0.0.1:${healthCheckPort}/`,
    }));
  }

  get workerNames(): readonly string[] {
    return workerNamesOf(this.cluster);
  }

  /** What the load trusts. */
  certificates: readonly string[] = [];

  /** Every status that the API gives is known before anything happens to it. */
  statuses: { readonly GET: number; readonly POST: number } | undefined;

  /** As a user does it: synthesizes main.ts with some options changed, or another main, and applies all of it. */
  async apply(changes?: Changes, other?: OtherMain): Promise<void> {
    const output = await this.synthesize(changes, other);
    await this.cluster.kubectl.run(['apply', `--filename=${output}`], { signal: this.signal });
  }

  /** Gives the directory of the manifests; made once, so that a scenario can have it done before there is load. */
  async synthesize(changes: Changes = {}, other?: OtherMain): Promise<string> {
    const key = JSON.stringify([changes, other]);
    const made = this.synthesized.get(key);
    if (made !== undefined) return made;
    const output = join(this.cluster.directory, `changed-${this.synthesized.size}`);
    await this.app.synthesize({ output, ports: this.ports.controlPlane, changes, other }, this.signal);
    this.synthesized.set(key, output);
    return output;
  }

  /** Brings everything to the state that a scenario begins with, whatever the one before has left. */
  async settle(doing: (detail: string) => void, changes?: Changes): Promise<void> {
    const { workloads } = this;
    for (const name of this.workerNames) await workloads.kubectl.run(['uncordon', name], { signal: this.signal });
    await workloads.run('delete', 'horizontalpodautoscalers', '--all');
    await workloads.run('delete', 'deployments,pods', `--selector=${extraSelector}`, '--wait=false');
    await this.apply(changes);
    await workloads.run('delete', backendObjects, `--selector=${otherBackends(this.app.backends)}`, '--wait=false');
    // What `kubectl apply` has never set it leaves as a scenario's patch has set it.
    await workloads.run('patch', 'service', workloads.names.proxy, `--patch=${JSON.stringify(everyNode)}`);
    await this.nodesReady();
    for (const component of ['api', 'proxy'] as const) {
      const count = standardReplicas[component];
      doing(`${count} pods of ${component}`);
      await workloads.rolledOut(component);
      await workloads.readyPods(component, count);
      if (!(await this.isSpread(component))) {
        await workloads.restart(component);
        await workloads.rolledOut(component);
        await workloads.readyPods(component, count);
      }
    }
  }

  /** Waits until every node is ready. */
  nodesReady(): Promise<true> {
    return eventually(
      'three ready nodes',
      async () => {
        const nodes = await this.nodes();
        return nodes.every(({ status }) =>
          status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
        )
          ? true
          : undefined;
      },
      { signal: this.signal },
    );
  }

  nodes(): Promise<Node[]> {
    return this.cluster.kubectl.list<Node>(['nodes'], { signal: this.signal });
  }

  private async isSpread(component: Component): Promise<boolean> {
    const perNode = new Map(this.workerNames.map((name) => [name, 0]));
    for (const pod of await this.workloads.pods(component)) {
      perNode.set(nodeOf(pod), (perNode.get(nodeOf(pod)) ?? 0) + 1);
    }
    return Math.max(...perNode.values()) - Math.min(...perNode.values()) <= 1;
  }

  private async deploy(progress: Progress): Promise<void> {
    const { cluster, signal } = this;
    await this.app.deploy(cluster, this.ports.controlPlane, this.api.getPath, progress, signal);
    // Not before: a quarter of a core loads images slowly.
    await progress.step('daemons of the nodes, bounded', async () => {
      for (const node of [`${cluster.name}-control-plane`, ...this.workerNames]) await boundDaemons(node, signal);
    });
    const served = await this.servedCertificate();
    this.certificates = [served, ...this.keyPairs.map(({ certificate }) => certificate)];
    this.statuses = this.api.own ? await statusesOf(this.api, this.target) : undefined;
  }

  /** The certificate of the TLS Secret, in PEM. */
  private async servedCertificate(): Promise<string> {
    const encoded = await this.workloads.run(
      'get',
      'secret',
      this.tlsSecretName,
      '--output=jsonpath={.data.tls\\.crt}',
    );
    return new X509Certificate(Buffer.from(encoded, 'base64')).toString();
  }
}

function workerNamesOf({ name }: KindCluster): readonly string[] {
  return [`${name}-worker`, `${name}-worker2`];
}

async function workerPorts(cluster: KindCluster, name: string, signal: AbortSignal): Promise<WorkerPorts> {
  const healthCheckPort = await cluster.hostPort(nodePorts.healthCheck, signal, name);
  return { ...(await cluster.hostPorts(signal, name)), healthCheckPort };
}

/** What of a node starts pods: containerd, with runc and the pod network, and the kubelet. */
const daemons = ['system.slice', 'kubelet.service'];

/** In short periods: what is left of a long one would be spent at once, on every core. */
const share = ['CPUWeight=2', 'CPUQuota=25%', 'CPUQuotaPeriodSec=10ms'];

/**
 * Bounds what a node's daemons take of the machine that all nodes share here; nodes with cores of their own have room
 * for both. Unbounded, the pods that serve wait while others are started. Kept when the node starts again.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.resource-control.html#CPUQuota=
 */
async function boundDaemons(node: string, signal: AbortSignal): Promise<void> {
  for (const unit of daemons) {
    await run('docker', ['exec', node, 'systemctl', 'set-property', unit, ...share], { signal });
  }
}

/** The label of what a scenario adds to the deployment, by which it is found and deleted again. */
export const extra = { 'fairlead-reliability': 'extra' } as const;
export const extraSelector = 'fairlead-reliability=extra';
