import { k8s } from 'cdk8s-plus-27';
import { cidr } from '../validation/addresses';
import { port } from '../validation/amounts';
import { knownOptions, record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { dnsLabelName } from '../validation/names';

/** Something that the API may connect to: a network, or every pod of a namespace. */
export interface EgressRule {
  /**
   * A network outside the cluster (CIDR), such as that of a database.
   *
   * @default - none; exactly one of this and `namespace`
   */
  readonly cidr?: string;

  /**
   * A namespace of the cluster.
   *
   * @default - none; exactly one of this and `cidr`
   */
  readonly namespace?: string;

  /**
   * The only TCP port that may be used there.
   *
   * @default - every port and protocol
   */
  readonly port?: number;
}

const known: Readonly<Record<keyof EgressRule, true>> = { cidr: true, namespace: true, port: true };

/** The rule as a NetworkPolicy has it. */
export function egressRule(given: unknown): k8s.NetworkPolicyEgressRule {
  const rule: EgressRule = record('apiEgress', given, '{ cidr: "10.0.0.0/8" }');
  knownOptions('apiEgress.', rule, Object.keys(known));
  return {
    to: [peer(rule)],
    ...(rule.port === undefined
      ? {}
      : { ports: [{ port: k8s.IntOrString.fromNumber(port('apiEgress.port', rule.port)), protocol: 'TCP' }] }),
  };
}

function peer({ cidr: network, namespace }: EgressRule): k8s.NetworkPolicyPeer {
  if (network !== undefined && namespace === undefined) return { ipBlock: { cidr: cidr('apiEgress.cidr', network) } };
  if (network === undefined && namespace !== undefined) {
    const name = dnsLabelName('apiEgress.namespace', namespace);
    return { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } };
  }
  throw new InvalidOption('apiEgress', { cidr: network, namespace }, 'needs a cidr or a namespace: give exactly one');
}
