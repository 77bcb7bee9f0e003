import { type ExternalCommandOptions, outputOf, run } from './external-command';

/** A Kubernetes object as the API server gives it: what is common to all, and the rest to be looked at with care. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** kubectl, for one cluster: every call names its context, whatever the user's current one is. */
export class Kubectl {
  constructor(private readonly target: { readonly context?: string; readonly kubeconfig?: string } = {}) {}

  run(args: readonly string[], options: ExternalCommandOptions = {}): Promise<string> {
    // In front: what follows a `--` belongs to another program.
    return run('kubectl', [...this.flags(), ...args], options);
  }

  /** The same piece by piece, however much it writes. */
  output(args: readonly string[], options: Pick<ExternalCommandOptions, 'signal'> = {}): AsyncGenerator<string> {
    return outputOf('kubectl', [...this.flags(), ...args], options);
  }

  /** Lists objects of a kind, or of several (`pods`, `deployments,replicasets`), or those of files (`-f DIRECTORY`). */
  async list<T extends KubernetesObject>(args: readonly string[], options: ExternalCommandOptions = {}): Promise<T[]> {
    const answer = JSON.parse(await this.run(['get', ...args, '--output=json'], options)) as
      T | { readonly items: T[] };
    return 'items' in answer ? answer.items : [answer];
  }

  private flags(): string[] {
    const { context, kubeconfig } = this.target;
    return [
      ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
      ...(context === undefined ? [] : [`--context=${context}`]),
    ];
  }
}
