import { Failure } from '../../cluster/command-line';
import { ExternalCommandFailure } from '../../cluster/external-command';
import type { Kubectl, KubernetesObject } from '../../cluster/kubectl';
import { isAtLeast } from '../../local/package-version';
import { type Check, failed, ok, warning } from './check';
import { cacheSeconds } from './corefile';
import type { Needs, Reference } from './needs';
import { type DaemonSet, networkPolicyCheck } from './network-policies';

export interface ClusterChecks {
  readonly context: string | undefined;
  /** What main.ts needs, if it could be loaded. */
  readonly needs: Needs | undefined;
  readonly signal: AbortSignal;
}

/** `preStop.sleep`, by which pods end in order, is there without a feature gate since then. */
const neededVersion = [1, 30] as const;
/** One that does not answer is not waited for any longer. */
const patience = '--request-timeout=10s';

/** What kubectl says of the cluster; what cannot be known without one that answers is left out. */
export async function clusterChecks(kubectl: Kubectl, options: ClusterChecks): Promise<readonly Check[]> {
  const { context, needs, signal } = options;
  const asking = new Asking(kubectl, signal);
  const client = await asking.check('kubectl', async () => ok('kubectl', await clientVersion(asking)));
  if (client.status !== 'ok') return [client];
  const current = await asking.check('context', () => contextCheck(asking, context));
  if (current.status !== 'ok') return [client, current];
  const version = await asking
    .json<{ readonly gitVersion: string }>(['get', '--raw=/version'])
    .catch((error: unknown) => {
      signal.throwIfAborted();
      return error as Error;
    });
  if (version instanceof Error) {
    return [
      client,
      current,
      failed('cluster', `does not answer: ${version.message}`, 'start it, or choose another context'),
    ];
  }
  const of = (name: string, look: () => Promise<Check>): Promise<Check> => asking.check(name, look);
  const rest = await Promise.all([
    ...(needs?.hasResourceMetrics === false ? [] : [of('metrics-server', () => metricsServerCheck(asking))]),
    of('DNS cache', () => dnsCacheCheck(asking, needs?.namespaces ?? [])),
    ...(needs?.hasNetworkPolicies === false
      ? []
      : [of('NetworkPolicy', async () => networkPolicyCheck(await daemonSets(asking), version.gitVersion))]),
    ...(needs?.references ?? []).map((reference) => of(nameOf(reference), () => referenceCheck(asking, reference))),
    ...(needs?.kinds ?? []).map((kind) => of(kind.kind, () => kindCheck(asking, kind))),
  ]);
  return [client, current, versionCheck(version.gitVersion), ...rest];
}

/** kubectl, asked so that what it says of a failure becomes a check. */
class Asking {
  constructor(
    private readonly kubectl: Kubectl,
    private readonly signal: AbortSignal,
  ) {}

  run(args: readonly string[]): Promise<string> {
    return this.kubectl.run([...args, ...(args[0] === 'get' ? [patience] : [])], { signal: this.signal });
  }

  async json<Answer>(args: readonly string[]): Promise<Answer> {
    return JSON.parse(await this.run(args)) as Answer;
  }

  /** The object, or nothing if there is none. */
  async find<Found>(args: readonly string[]): Promise<Found | undefined> {
    try {
      return await this.json<Found>(args);
    } catch (error) {
      if (error instanceof ExternalCommandFailure && /NotFound|not found|could not find/i.test(error.stderr))
        return undefined;
      throw error;
    }
  }

  /** What may not be read is a warning: the cluster may be well. */
  async check(name: string, look: () => Promise<Check>): Promise<Check> {
    try {
      return await look();
    } catch (error) {
      this.signal.throwIfAborted();
      if (error instanceof ExternalCommandFailure && /forbidden/i.test(error.stderr)) {
        return warning(name, 'may not be read by this user', 'ask who runs the cluster, or look with other rights');
      }
      if (error instanceof Failure) return failed(name, error.message, 'see what kubectl says of it');
      throw error;
    }
  }
}

async function clientVersion(asking: Asking): Promise<string> {
  const { clientVersion: version } = await asking.json<{ readonly clientVersion: { readonly gitVersion: string } }>([
    'version',
    '--client',
    '--output=json',
  ]);
  return version.gitVersion;
}

async function contextCheck(asking: Asking, given: string | undefined): Promise<Check> {
  const mend =
    'kubectl config get-contexts shows those that there are; "fairlead kind up" makes a cluster on this machine';
  try {
    const name = (
      await asking.run(
        given === undefined ? ['config', 'current-context'] : ['config', 'get-contexts', given, '--output=name'],
      )
    ).trim();
    return name === '' ? failed('context', 'none is chosen', mend) : ok('context', name);
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    return failed(
      'context',
      given === undefined ? 'none is chosen' : `${JSON.stringify(given)} is not in the kubeconfig`,
      mend,
    );
  }
}

function versionCheck(version: string): Check {
  const needed = neededVersion.join('.');
  if (isAtLeast(version, neededVersion)) return ok('cluster', version);
  return failed('cluster', `${version}, and ${needed} or newer is needed`, 'upgrade it, or deploy to another one');
}

async function metricsServerCheck(asking: Asking): Promise<Check> {
  const name = 'metrics-server';
  const service = await asking.find<{
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    };
  }>(['get', 'apiservice', 'v1beta1.metrics.k8s.io', '--output=json']);
  if (service === undefined) {
    return failed(
      name,
      'is not there: nothing is scaled by CPU or memory',
      'see https://github.com/kubernetes-sigs/metrics-server#installation',
    );
  }
  const available = service.status?.conditions?.find(({ type }) => type === 'Available');
  if (available?.status === 'True') return ok(name, 'serves metrics');
  return failed(
    name,
    `serves no metrics: ${available?.message ?? 'it is not available'}`,
    'kubectl logs deployment/metrics-server --namespace kube-system says why',
  );
}

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>;
}

/** Against what main.ts says of it: `dnsCacheTtl`. */
async function dnsCacheCheck(asking: Asking, namespaces: Needs['namespaces']): Promise<Check> {
  const name = 'DNS cache';
  const [coreDns, nodeLocal] = await Promise.all(
    ['coredns', 'node-local-dns'].map((configMap) =>
      asking.find<ConfigMap>(['get', 'configmap', configMap, '--namespace=kube-system', '--output=json']),
    ),
  );
  const domains = namespaces.length === 0 ? ['cluster.local'] : namespaces.map(({ clusterDomain }) => clusterDomain);
  const secondsOf = (configMap: ConfigMap | undefined, domain: string): number | undefined =>
    cacheSeconds(configMap?.data?.Corefile ?? '', domain);
  const seconds = domains.map((domain) => {
    const ofServer = secondsOf(coreDns, domain);
    // A cache on each node stands before the server's own.
    return ofServer === undefined ? undefined : ofServer + (secondsOf(nodeLocal, domain) ?? 0);
  });
  const unknown = seconds.findIndex((each) => each === undefined);
  if (unknown !== -1) {
    return warning(
      name,
      'cannot be told: there is no Corefile in configmap/coredns of kube-system that is for the domain',
      'ask who runs the cluster how long its DNS keeps answers, and say so: namespace: { dnsCacheTtl }',
    );
  }
  const longest = Math.max(...(seconds as number[]));
  const keeps = `keeps answers ${longest} s`;
  const short = namespaces.find(({ dnsCacheTtl }, index) => dnsCacheTtl < Number(seconds[index]));
  if (short !== undefined) {
    return failed(
      name,
      `${keeps}, and ${short.name} goes by dnsCacheTtl '${short.dnsCacheTtl}s': pods would end while proxies are still told of them`,
      `namespace: { dnsCacheTtl: '${longest}s' } in main.ts`,
    );
  }
  const long = namespaces.find(({ dnsCacheTtl }) => dnsCacheTtl > longest);
  if (long === undefined) return ok(name, keeps);
  return ok(name, `${keeps}; dnsCacheTtl '${longest}s' would let pods end sooner than '${long.dnsCacheTtl}s' does`);
}

async function daemonSets(asking: Asking): Promise<readonly DaemonSet[]> {
  const { items } = await asking.json<{ readonly items: readonly (KubernetesObject & DaemonSet)[] }>([
    'get',
    'daemonsets',
    '--all-namespaces',
    '--output=json',
  ]);
  return items;
}

function nameOf({ kind, namespace, name }: Reference): string {
  return `${kind} ${namespace}/${name}`;
}

async function referenceCheck(asking: Asking, reference: Reference): Promise<Check> {
  const { kind, namespace, name, optional } = reference;
  const found = await asking.find<KubernetesObject>([
    'get',
    kind.toLowerCase(),
    name,
    `--namespace=${namespace}`,
    // Without its values.
    '--output=jsonpath={.metadata}',
  ]);
  if (found !== undefined) return ok(nameOf(reference), 'is there');
  const create = kind === 'Secret' ? `kubectl create secret generic ${name}` : `kubectl create configmap ${name}`;
  const mend = `${create} --namespace ${namespace} … (kubectl apply makes the namespace first)`;
  return optional
    ? warning(nameOf(reference), 'is not there; pods start without it', mend)
    : failed(nameOf(reference), 'is not there, and pods wait for it', mend);
}

/** Where what has a kind can be had. */
const homepages: Readonly<Record<string, string>> = {
  'keda.sh': 'https://keda.sh/docs/latest/deploy/',
  'monitoring.coreos.com': 'https://prometheus-operator.dev/docs/getting-started/installation/',
  'cert-manager.io': 'https://cert-manager.io/docs/installation/',
};

async function kindCheck(asking: Asking, { apiVersion, kind }: Needs['kinds'][number]): Promise<Check> {
  const found = await asking.find<{ readonly resources: readonly { readonly kind: string }[] }>([
    'get',
    `--raw=/apis/${apiVersion}`,
  ]);
  if (found?.resources.some((resource) => resource.kind === kind) === true) return ok(kind, `is known (${apiVersion})`);
  const homepage = homepages[apiVersion.split('/')[0] ?? ''];
  return failed(
    kind,
    `is not known to the cluster (${apiVersion}), and main.ts makes one`,
    homepage === undefined ? 'install what has it, or take it out of main.ts' : `see ${homepage}`,
  );
}
