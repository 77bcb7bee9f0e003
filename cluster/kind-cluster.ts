import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './command-line';
import { ExternalCommandFailure, run } from './external-command';
import { type HostPorts, kindConfig, nodePorts } from './kind-config';
import { Kubectl } from './kubectl';

const defaultNodeImage = 'kindest/node:v1.34.4';

/** A kind cluster by name, with a kubeconfig of its own: the user's current context stays what it is. */
export class KindCluster {
  /** Everything that belongs to this cluster and is not worth keeping after it. */
  readonly directory: string;
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;

  constructor(readonly name: string) {
    this.directory = join('.fairlead', 'kind', name);
    this.kubeconfig = join(this.directory, 'kubeconfig');
    this.kubectl = new Kubectl({ kubeconfig: this.kubeconfig, context: `kind-${name}` });
  }

  async exists(signal?: AbortSignal): Promise<boolean> {
    const names = await run('kind', ['get', 'clusters', '--quiet'], { signal });
    return names.split('\n').includes(this.name);
  }

  /** Creates the cluster; when that fails or is ended early, nothing of it remains. */
  async create(ports: readonly HostPorts[], signal?: AbortSignal): Promise<void> {
    const nodeImage = process.env.KIND_NODE_IMAGE ?? defaultNodeImage;
    this.makeDirectory();
    try {
      await run(
        'kind',
        [
          'create',
          'cluster',
          `--name=${this.name}`,
          `--image=${nodeImage}`,
          '--config=-',
          `--kubeconfig=${this.kubeconfig}`,
          '--wait=3m',
        ],
        // The engine would go on with a node that it makes for a client that was ended, and have it there after the removal.
        { input: kindConfig(ports), signal, letsOthersFinish: true },
      );
    } catch (error) {
      await this.deleteWhateverIsThere();
      if (!(error instanceof ExternalCommandFailure)) throw error;
      const reason = /ERROR: (.*)/.exec(error.stderr)?.[1] ?? error.message;
      throw new Failure(`kind could not create the cluster "${this.name}" from ${nodeImage}: ${reason}`);
    }
  }

  /** Makes an existing cluster usable from here, or says why it is not. */
  async open(signal?: AbortSignal): Promise<void> {
    this.makeDirectory();
    try {
      await run('kind', ['export', 'kubeconfig', `--name=${this.name}`, `--kubeconfig=${this.kubeconfig}`], { signal });
      await this.kubectl.run(['get', 'nodes', '--request-timeout=10s'], { signal });
    } catch (error) {
      if (!(error instanceof ExternalCommandFailure)) throw error;
      throw new Failure(
        `the kind cluster "${this.name}" exists but does not answer: remove it with "kind delete cluster --name=${this.name}" and try again`,
      );
    }
  }

  async delete(): Promise<void> {
    await run('kind', ['delete', 'cluster', `--name=${this.name}`, `--kubeconfig=${this.kubeconfig}`]);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** The ports that a node was created with: the control plane, unless another is named. */
  async hostPorts(signal?: AbortSignal, node?: string): Promise<HostPorts> {
    return {
      httpPort: await this.hostPort(nodePorts.http, signal, node),
      httpsPort: await this.hostPort(nodePorts.https, signal, node),
    };
  }

  /** The port of this machine that leads to a port of a node. */
  async hostPort(nodePort: number, signal?: AbortSignal, node = `${this.name}-control-plane`): Promise<number> {
    const bound = await run('docker', ['port', node, `${nodePort}/tcp`], { signal });
    return Number(/:(\d+)\s*$/.exec(bound)?.[1]);
  }

  /** The nodes that take pods, by the name of their container. */
  async workers(signal?: AbortSignal): Promise<string[]> {
    const names = await run(
      'docker',
      [
        'ps',
        `--filter=label=io.x-k8s.kind.cluster=${this.name}`,
        '--filter=label=io.x-k8s.kind.role=worker',
        '--format={{.Names}}',
      ],
      { signal },
    );
    return names.split('\n').filter((name) => name !== '');
  }

  private async deleteWhateverIsThere(): Promise<void> {
    try {
      await this.delete();
    } catch {
      // What made the creation fail says more than what makes the removal fail.
    }
  }

  private makeDirectory(): void {
    // The kubeconfig in it is a key to the cluster.
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }
}
