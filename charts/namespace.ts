import { App, Chart, JsonPatch } from 'cdk8s';
import { k8s, Namespace } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { type NamespaceTimes, namespaceTimes } from '../model/timeline';
import { dnsServers, ipFamilies, type IpFamily } from '../validation/addresses';
import { whole } from '../validation/amounts';
import { record } from '../validation/collections';
import { InvalidOption, named } from '../validation/invalid-option';
import { dnsLabelName, hostName } from '../validation/names';
import { knownValues, optional, type Table, type Values, withDefault } from '../validation/options';
import { type Identity, recommendedLabels, userLabels } from './labels';
import { patchWhatIsWritten, pathOf } from './patches';
import { aroundSynth, sayWhatIsLeft } from './written-manifests';

/** What holds for everything in a namespace, and what it has to know of its cluster. */
export interface NamespaceOptions extends NamespaceTimes {
  /**
   * The name of the Namespace, which belongs to what is made in it: pods that are not `restricted` are refused there, and nobody
   * may connect to a pod unless a NetworkPolicy says so.
   *
   * @default - the id of the construct
   * @see https://kubernetes.io/docs/concepts/security/pod-security-admission/
   */
  readonly name?: string;

  /**
   * More labels for every object and pod.
   *
   * @default - none
   * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
   */
  readonly labels?: Readonly<Record<string, string>>;

  /**
   * The DNS domain of the cluster.
   *
   * @default 'cluster.local'
   * @see https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
   */
  readonly clusterDomain?: string;

  /**
   * DNS servers that the proxies ask: addresses, or names that are looked up when nginx starts; each with an optional port.
   *
   * @default - the Service `kube-dns.kube-system`, which every cluster has
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver
   */
  readonly resolvers?: readonly string[];

  /**
   * The IP families of the cluster's Services, the first one preferred. More than one makes Services of both (`RequireDualStack`).
   *
   * @default - the cluster's own choice, and IPv4 for what nginx asks DNS for
   * @see https://kubernetes.io/docs/concepts/services-networking/dual-stack/
   */
  readonly ipFamilies?: readonly IpFamily[];

  /**
   * How many former ReplicaSets each Deployment keeps, so that it can be rolled back to them.
   *
   * @default 10
   * @see https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#clean-up-policy
   */
  readonly revisionHistoryLimit?: number;
}

export const namespaceOptions = {
  name: optional(ownNamespace),
  labels: withDefault({}, userLabels),
  clusterDomain: withDefault('cluster.local', hostName),
  resolvers: optional(dnsServers),
  ipFamilies: optional(ipFamilies),
  revisionHistoryLimit: withDefault(10, whole(0, 1000)),
  ...namespaceTimes,
} satisfies Table<NamespaceOptions>;

/** A Namespace with every value known. */
export interface NamespaceModel {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly clusterDomain: string;
  readonly resolvers: readonly string[];
  readonly ipFamilies: readonly IpFamily[] | undefined;
  readonly revisionHistoryLimit: number;
  readonly times: { readonly [Time in keyof NamespaceTimes]-?: `${number}s` };
}

/** Validates the options of a Namespace whose construct has this id. */
export function namespaceModel(id: string, options: NamespaceOptions): NamespaceModel {
  const given = knownValues(record('options', options, '{ dnsCacheTtl: "0s" }'), namespaceOptions, '');
  const name = given.name ?? ownNamespace('id', id);
  return {
    name,
    labels: given.labels,
    clusterDomain: domainOfServices(given.clusterDomain, name),
    resolvers: given.resolvers ?? [`${dnsService}.${given.clusterDomain}`],
    ipFamilies: given.ipFamilies === undefined ? undefined : [...new Set(given.ipFamilies)],
    revisionHistoryLimit: given.revisionHistoryLimit,
    times: times(given),
  };
}

function times(given: Values<typeof namespaceTimes>): NamespaceModel['times'] {
  return {
    dnsCacheTtl: `${given.dnsCacheTtl}s`,
    resolverValid: `${given.resolverValid}s`,
    unreachableToleration: `${given.unreachableToleration}s`,
  };
}

/** What tells one of ours from any other Chart, of another copy of the package too. */
const mark = Symbol.for('fairlead.RestrictedNamespace');

/**
 * A Namespace and what is made in it: everything below this construct is in that namespace, objects of your own too.
 *
 * @example
 * const shop = new RestrictedNamespace(app, 'shop');
 * const orders = new Backend(shop, 'orders', { image: 'ghcr.io/acme/orders:1.4.2' });
 */
export class RestrictedNamespace extends Chart {
  readonly [mark] = true;
  readonly model: NamespaceModel;
  /** The Namespace itself, which refuses every pod that is not `restricted`. */
  readonly object: Namespace;
  /** Nobody may connect to a pod of the namespace unless another policy says so. */
  readonly denyIngress: k8s.KubeNetworkPolicy;
  private readonly taken = new Set(['deny-ingress']);

  constructor(scope: Construct, id: string, options: NamespaceOptions = {}) {
    const model = named(pathOf(scope, id), () => {
      const whole = namespaceModel(id, options);
      refuseTaken(scope, whole.name);
      return whole;
    });
    super(scope, id, { namespace: model.name, labels: { ...model.labels } });
    this.model = model;

    const identity: Identity = { name: 'namespace', instance: model.name, namespace: model.name };
    const labels = recommendedLabels(identity, 'namespace');
    // cdk8s names a file after its chart, and `kubectl apply -f dist/` goes by name: the digit puts this one first. A chart right
    // below another would be written before it with numbered names.
    const first = new Chart(new Construct(this, '0'), 'namespace', { labels: { ...model.labels } });
    this.object = new Namespace(first, 'Namespace', {
      metadata: { name: model.name, labels: { ...labels, ...restricted } },
    });
    this.denyIngress = new k8s.KubeNetworkPolicy(first, 'DenyIngress', {
      metadata: { name: 'deny-ingress', namespace: model.name, labels },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    patchWhatIsWritten(first);
    writtenFirst(first);
    aroundSynth(this, sayWhatIsLeft);
  }

  /** Gives objects these names in this namespace, which no other construct has then. */
  reserve(...names: readonly string[]): void {
    const name = names.find((each) => this.taken.has(each));
    if (name !== undefined) {
      throw new InvalidOption('id', name, `is the name of another construct's objects in ${this.name}: give another`);
    }
    for (const each of names) this.taken.add(each);
  }

  get name(): string {
    return this.model.name;
  }

  /** Of a Chart, `instanceof` is whether something is any Chart. */
  static override [Symbol.hasInstance](instance: unknown): instance is RestrictedNamespace {
    return typeof instance === 'object' && instance !== null && mark in instance;
  }

  /** The namespace that a construct is in. */
  static around(scope: Construct): RestrictedNamespace {
    const found = [...scope.node.scopes].reverse().find((construct) => construct instanceof RestrictedNamespace);
    if (found !== undefined) return found;
    throw new InvalidOption(
      'scope',
      scope.node.path,
      'is in no RestrictedNamespace: make one first, new RestrictedNamespace(app, "shop"), and give it as the scope',
    );
  }
}

const ofNamespaces = new WeakSet<Chart>();
const sorted = new WeakSet<App>();

/** Has a Namespace written before what is in it, in one file of a whole app too: cdk8s writes a chart before those that are in it. */
function writtenFirst(chart: Chart): void {
  ofNamespaces.add(chart);
  const { root } = chart.node;
  if (!(root instanceof App) || sorted.has(root)) return;
  sorted.add(root);
  const first = (each: Chart): number => (ofNamespaces.has(each) ? 0 : 1);
  Object.defineProperty(root, 'charts', {
    configurable: true,
    get: () => Reflect.get(App.prototype, 'charts', root).sort((a, b) => first(a) - first(b)),
  });
}

/** The IP families of a Service, which cdk8s-plus-27 cannot set. */
export function ipFamilyPatches({ ipFamilies: families }: NamespaceModel): JsonPatch[] {
  if (families === undefined) return [];
  return [
    JsonPatch.add('/spec/ipFamilies', families),
    JsonPatch.add('/spec/ipFamilyPolicy', families.length > 1 ? 'RequireDualStack' : 'SingleStack'),
  ];
}

/** Labels of a Namespace whose pods have to be `restricted`. */
const restricted: Readonly<Record<string, string>> = {
  'pod-security.kubernetes.io/enforce': 'restricted',
  'pod-security.kubernetes.io/audit': 'restricted',
  'pod-security.kubernetes.io/warn': 'restricted',
};

/** Two of them would write the same objects. */
export function refuseTaken(scope: Construct, name: string): void {
  for (const other of scope.node.root.node.findAll()) {
    if (!(other instanceof RestrictedNamespace) || other.model.name !== name) continue;
    throw new InvalidOption(
      'name',
      name,
      `is that of ${JSON.stringify(other.node.path)} already: give another, or make both in one namespace`,
    );
  }
}

/** Where the cluster's DNS server is, before the cluster's domain. */
const dnsService = 'kube-dns.kube-system.svc';
/** A Service, whose name is a label, and a namespace. */
const longestService = 63;

function domainOfServices(domain: string, namespace: string): string {
  const room = 253 - Math.max(longestService + `.${namespace}.svc.`.length, `${dnsService}.`.length);
  if (domain.length > room) {
    throw new InvalidOption(
      'clusterDomain',
      domain,
      `leaves no room for the names in it: give at most ${room} letters`,
    );
  }
  return domain;
}

export function ownNamespace(option: string, value: unknown): string {
  const namespace = dnsLabelName(option, value);
  if (namespace === 'default' || namespace.startsWith('kube-')) {
    throw new InvalidOption(
      option,
      namespace,
      "is the cluster's own, and would be closed to all that is not restricted: give one of its own",
    );
  }
  return namespace;
}
