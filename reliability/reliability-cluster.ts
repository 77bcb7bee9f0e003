import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { KeyPair } from '../certificates/key-pair';
import { selfSignedKeyPair } from '../certificates/self-signed';
import type { LoadBalancedApi } from '../charts/load-balanced-api';
import { run } from '../cluster/external-command';
import { KindCluster } from '../cluster/kind-cluster';
import { freePorts, type HostPorts, nodePorts } from '../cluster/kind-config';
import { bothAnswer, deployToKind, synthesizeForKind } from '../cluster/kind-deployment';
import type { KubernetesObject } from '../cluster/kubectl';
import { loadImage, pullMissingImage } from '../cluster/node-images';
import { eventually, type Progress } from '../cluster/progress';
import { type Component, nodeOf, Workloads } from '../cluster/workloads';
import type { LoadNode } from '../load/node-health';
import { freePort } from '../local/ports';
import { type Changes, ReliabilityEnvironment, standardReplicas } from './environment';
import { type ApiUnderLoad, statusesOf } from './run-options';

/** A main of the suite's own, and the variables that it reads. */
export interface OtherMain {
  readonly main: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** What another main has made beside the backend of main.ts. */
const backendObjects = 'deployments,services,poddisruptionbudgets,networkpolicies';
const otherBackends = (name: string): string => `app.kubernetes.io/component=api,app.kubernetes.io/instance!=${name}`;

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

/** A kind cluster of three nodes that belongs to the reliability run alone. */
export class ReliabilityCluster {
  readonly workloads: Workloads;
  private readonly synthesized = new Map<string, string>();

  private constructor(
    readonly cluster: KindCluster,
    readonly api: ApiUnderLoad,
    private readonly environment: ReliabilityEnvironment,
    readonly ports: { readonly controlPlane: HostPorts; readonly workers: readonly Required<HostPorts>[] },
    /** Certificates that the load trusts besides the first one. */
    readonly keyPairs: readonly KeyPair[],
    readonly signal: AbortSignal,
  ) {
    const { namespace, backend, proxy } = environment.standard;
    const names = { api: backend.node.id, proxy: proxy.node.id };
    this.workloads = new Workloads(cluster.kubectl, namespace.name, names, signal);
  }

  /** Creates or finds the cluster, and deploys main.ts to it. If that fails, the cluster is still there. */
  static async open(
    cluster: KindCluster,
    api: ApiUnderLoad,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<ReliabilityCluster> {
    const environment = new ReliabilityEnvironment(api.own ? 'own' : 'example');
    const { image } = environment.standard.backend.settings;
    if (api.own) {
      // Before there is a cluster: most that is wrong with an image shows here.
      await progress.step('image of the API, on this machine', async (doing) => {
        doing(image);
        await pullMissingImage(image, signal);
      });
    }
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
      selfSignedKeyPair(['localhost'], join(cluster.directory, 'certificates', String(index))),
    );
    const system = new ReliabilityCluster(cluster, api, environment, { controlPlane, workers }, keyPairs, signal);
    if (api.own) {
      await progress.step('image of the API, loaded into the nodes', () => loadImage(cluster, image, signal));
    }
    await system.deploy(progress);
    return system;
  }

  /** What is deployed while no scenario changes it. */
  get deployed(): LoadBalancedApi {
    return this.environment.standard;
  }

  get tlsSecretName(): string {
    const { tlsSecret } = this.deployed.proxy;
    if (tlsSecret === undefined) throw new Error('the environment "kind" has a certificate of ours');
    return tlsSecret.name;
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
    const environment = { ...this.environment.variables(changes), ...other?.variables };
    const main = other === undefined ? {} : { main: other.main };
    await synthesizeForKind({ ...main, ports: this.ports.controlPlane, output, environment }, this.signal);
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
    await workloads.run('delete', backendObjects, `--selector=${otherBackends(workloads.names.api)}`, '--wait=false');
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
    await deployToKind(cluster, this.ports.controlPlane, progress, signal, this.environment.variables());
    await progress.step('both addresses, answering', () =>
      bothAnswer(this.ports.controlPlane, this.api.getPath, signal),
    );
    // Not before: a quarter of a core loads images slowly.
    await progress.step('daemons of the nodes, bounded', async () => {
      for (const node of [`${cluster.name}-control-plane`, ...this.workerNames]) await boundDaemons(node, signal);
    });
    const served = await this.servedCertificate();
    this.certificates = [served, ...this.keyPairs.map(({ certificate }) => certificate)];
    this.statuses = this.api.own ? await statusesOf(this.api, this.url, this.certificates) : undefined;
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

async function workerPorts(cluster: KindCluster, name: string, signal: AbortSignal): Promise<Required<HostPorts>> {
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
