import { k8s } from 'cdk8s-plus-27';
import { cidr } from '../validation/addresses';
import { port } from '../validation/amounts';
import { record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { dnsLabelName } from '../validation/names';
import { knownValues, optional, type Table } from '../validation/options';

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

const egressOptions = {
  cidr: optional(cidr),
  namespace: optional(dnsLabelName),
  port: optional(port),
} satisfies Table<EgressRule>;

/** The rule as a NetworkPolicy has it. */
export function egressRule(option: string, given: unknown): k8s.NetworkPolicyEgressRule {
  const rule = record(option, given, '{ cidr: "10.0.0.0/8" }');
  const { cidr: network, namespace, port: number } = knownValues(rule, egressOptions, `${option}.`);
  if ((network === undefined) === (namespace === undefined)) {
    throw new InvalidOption(option, { cidr: network, namespace }, 'needs a cidr or a namespace: give exactly one');
  }
  const peer =
    network === undefined
      ? { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': String(namespace) } } }
      : { ipBlock: { cidr: network } };
  return {
    to: [peer],
    ...(number === undefined ? {} : { ports: [{ port: k8s.IntOrString.fromNumber(number), protocol: 'TCP' }] }),
  };
}
