import { type INetworkPolicyPeer, k8s, type NetworkPolicyPeerConfig } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { port as portNumber } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import type { ServiceUrl } from '../../validation/urls';
import type { Component } from '../labels';
import { immutableName, patchWhatIsWritten, whenWritten } from '../patches';

interface PodNetworkPolicyProps {
  readonly name: string;
  /** Whether other rules are another policy, by a hash in the name. @default false */
  readonly isImmutable?: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly matchLabels: Readonly<Record<string, string>>;
  /** Left out where another policy of the same pods says who may connect. */
  readonly ingress?: readonly Rule[];
  /** Everything may be connected to if it is left out, and no other policy says otherwise. */
  readonly egress?: readonly Rule[];
}

/** Who, and on which ports; both everyone and all if they are left out. */
interface Rule {
  readonly peers?: readonly Peer[] | undefined;
  readonly ports?: readonly { readonly port: number; readonly protocol: 'TCP' | 'UDP' }[];
}

type Peer = Readonly<Record<string, unknown>>;

/** A block of addresses. */
export interface NetworkPeer {
  readonly cidr: string;
  readonly except?: readonly string[];
}

/** Everywhere but on a link: there are no services, and the credentials of cloud machines (169.254.169.254). */
const everywhere: readonly NetworkPeer[] = [
  { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] },
  { cidr: '::/0', except: ['fe80::/10'] },
];

/** Where a URL may lead: to these networks, or its address, or anywhere. */
export function networksOf(url: ServiceUrl, given?: readonly string[]): readonly NetworkPeer[] {
  if (given !== undefined) return given.map((network) => ({ cidr: network }));
  if (!url.isAddress) return everywhere;
  const address = url.host.replace(/^\[(.*)\]$/, '$1');
  return [{ cidr: `${address}/${address.includes(':') ? 128 : 32}` }];
}

interface Manifest {
  readonly metadata: { name: string };
  readonly spec: { ingress?: unknown[]; egress?: unknown[]; policyTypes: string[] };
}

/**
 * What pods may be connected from, and connect to. L1: what cdk8s-plus-27 has needs a peer for every rule, and "anywhere" as a
 * block of addresses leaves out pods where the network plugin knows those by identity (Cilium).
 */
export class PodNetworkPolicy extends k8s.KubeNetworkPolicy {
  private readonly from: Rule[] = [];
  private readonly to: Rule[] = [];
  private isClosed: boolean;

  constructor(scope: Construct, id: string, props: PodNetworkPolicyProps) {
    const { name, isImmutable = false, labels, matchLabels, ingress, egress } = props;
    super(scope, id, {
      metadata: { name, labels: { ...labels } },
      spec: { podSelector: { matchLabels: { ...matchLabels } }, policyTypes: ['Ingress'] },
    });
    this.isClosed = egress !== undefined;
    whenWritten(this, ({ metadata, spec }: Manifest) => {
      const rules = written('from', ingress ?? [], this.from);
      // Kubernetes keeps no empty list: each apply would be a change.
      if (rules.length > 0) spec.ingress = rules;
      if (this.isClosed) {
        spec.policyTypes = [...(ingress === undefined ? [] : ['Ingress']), 'Egress'];
        spec.egress = written('to', egress ?? [dns([53])], this.to);
      }
      if (isImmutable) metadata.name = immutableName(name, spec);
    });
  }

  /** Lets pods with these labels, of the same namespace, connect to a port. */
  allowFromPods(matchLabels: Readonly<Record<string, string>>, port: number): void {
    this.from.push(pods(matchLabels, port));
  }

  /** The same of pods of any namespace. */
  allowFromPodsAnywhere(matchLabels: Readonly<Record<string, string>>, port: number): void {
    this.from.push({ peers: [{ namespaceSelector: {}, podSelector: { matchLabels } }], ports: [tcp(port)] });
  }

  allowToPods(matchLabels: Readonly<Record<string, string>>, port: number): void {
    this.to.push(pods(matchLabels, port));
  }

  /** Lets the pods connect to a port of every address of these networks. */
  allowToNetworks(networks: readonly NetworkPeer[], port: number): void {
    this.to.push({ peers: networks.map((ipBlock) => ({ ipBlock })), ports: [tcp(port)] });
  }

  /** Lets the pods connect to a port of every pod of a namespace, their own if none is named. */
  allowToNamespace(name: string | undefined, port: number): void {
    const peer =
      name === undefined
        ? { podSelector: {} }
        : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
    this.to.push({ peers: [peer], ports: [tcp(port)] });
  }

  allowFrom(peer: INetworkPolicyPeer, port?: number): void {
    this.from.push(...rules('allowFrom', peer, port));
  }

  /** The first call closes all that is not allowed, but for DNS. */
  allowTo(peer: INetworkPolicyPeer, port?: number): void {
    this.to.push(...rules('allowTo', peer, port));
    this.isClosed = true;
  }
}

/**
 * What routes open. Other rules are another policy: `kubectl apply` deletes nothing, and policies add up, so that those of before go on holding
 * for the proxies that still ask, until the old one is deleted.
 */
export function routePolicy(scope: Construct, props: Omit<PodNetworkPolicyProps, 'isImmutable'>): PodNetworkPolicy {
  const policy = new PodNetworkPolicy(scope, 'RouteNetworkPolicy', { ...props, isImmutable: true });
  patchWhatIsWritten(policy);
  return policy;
}

/** Pods of the same namespace that are a component of it. */
export function podsOf(component: Component): Peer {
  return {
    podSelector: {
      matchLabels: { 'app.kubernetes.io/component': component, 'app.kubernetes.io/managed-by': 'fairlead' },
    },
  };
}

function pods(matchLabels: Readonly<Record<string, string>>, port: number): Rule {
  return { peers: [{ podSelector: { matchLabels } }], ports: [tcp(port)] };
}

/** DNS is UDP, and TCP when an answer is long; to anywhere, as a cache may run on the node. */
export function dns(ports: readonly number[]): Rule {
  return { ports: [...new Set(ports)].flatMap((port) => [{ port, protocol: 'UDP' } as const, tcp(port)]) };
}

export function tcp(port: number): { readonly port: number; readonly protocol: 'TCP' } {
  return { port, protocol: 'TCP' };
}

/** The rules that are always there, then the others in an order that does not follow from that of their making. */
function written(direction: 'from' | 'to', always: readonly Rule[], added: readonly Rule[]): object[] {
  const rule = ({ peers, ports }: Rule): object => ({
    ...(peers === undefined ? {} : { [direction]: peers }),
    ...(ports === undefined ? {} : { ports }),
  });
  const texts = added.map((each) => JSON.stringify(rule(each)));
  return [...always.map(rule), ...[...new Set(texts)].sort().map((text) => JSON.parse(text) as object)];
}

/** A rule for each peer that a Kubernetes object has: one for each namespace that a selector names. */
function rules(method: string, peer: INetworkPolicyPeer, port: number | undefined): Rule[] {
  const ports = port === undefined ? {} : { ports: [tcp(portNumber(`${method} port`, port))] };
  return peersOf(method, peer).map((each) => ({ peers: [each], ...ports }));
}

function peersOf(method: string, peer: INetworkPolicyPeer): Peer[] {
  const { ipBlock, podSelector } = configOf(method, peer);
  if (ipBlock !== undefined) {
    const { cidr, except } = ipBlock;
    return [{ ipBlock: { cidr, ...(except === undefined ? {} : { except }) } }];
  }
  if (podSelector === undefined) return [];
  const { labelSelector, namespaces } = podSelector;
  const pods = { podSelector: k8s.toJson_LabelSelector(labelSelector._toKube()) ?? {} };
  if (namespaces === undefined) return [pods];
  const names = namespaces.names ?? [];
  const byLabels = k8s.toJson_LabelSelector(namespaces.labelSelector?._toKube()) as object | undefined;
  if (names.length === 0) return [{ ...pods, namespaceSelector: byLabels ?? {} }];
  return names.map((name) => ({
    ...pods,
    namespaceSelector: { ...byLabels, matchLabels: { 'kubernetes.io/metadata.name': name } },
  }));
}

function configOf(method: string, peer: unknown): NetworkPolicyPeerConfig {
  const { toNetworkPolicyPeerConfig } = (peer ?? {}) as Partial<INetworkPolicyPeer>;
  if (typeof toNetworkPolicyPeerConfig === 'function') {
    return toNetworkPolicyPeerConfig.call(peer as INetworkPolicyPeer);
  }
  throw new InvalidOption(
    method,
    typeof peer === 'object' ? '(object)' : peer,
    'is not a peer of a NetworkPolicy: give one, such as NetworkPolicyIpBlock.ipv4(chart, "Database", "192.0.2.0/24") or Namespaces.select(…)',
  );
}
