import { type Check, ok, warning } from './check';

/** A DaemonSet, as far as it tells of a network plugin. */
export interface DaemonSet {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly name: string; readonly args?: readonly string[] }[] };
    };
  };
}

/** Network plugins that enforce NetworkPolicies, by the name of their DaemonSet. */
const enforcing: Readonly<Record<string, string>> = {
  anetd: 'GKE Dataplane V2',
  'antrea-agent': 'Antrea',
  'azure-npm': 'Azure Network Policy Manager',
  'calico-node': 'Calico',
  canal: 'Canal',
  cilium: 'Cilium',
  kindnet: 'kindnet (since kind 0.24)',
  'kube-ovn-cni': 'Kube-OVN',
  'kube-router': 'kube-router',
  'ovnkube-node': 'OVN-Kubernetes',
  'weave-net': 'Weave Net',
};

const mend =
  'without them whoever is in the cluster reaches the pods: see https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites';

/**
 * Whether NetworkPolicies hold. No API says so: it is judged by the DaemonSets of network plugins, which may be configured not to, and
 * by the name of the server's version.
 */
export function networkPolicyCheck(daemonSets: readonly DaemonSet[], serverVersion: string): Check {
  const check = 'NetworkPolicy';
  const [name] = daemonSets.map(({ metadata }) => metadata.name).filter((each) => each in enforcing);
  if (name !== undefined) return ok(check, `judged by the DaemonSet ${name}: ${String(enforcing[name])} enforces them`);
  if (serverVersion.includes('+k3s') || serverVersion.includes('+rke2')) {
    return ok(check, `judged by the version ${serverVersion}, which enforces them unless told not to`);
  }
  const agent = daemonSets
    .find(({ metadata }) => metadata.name === 'aws-node')
    ?.spec.template.spec.containers.find((container) => container.name === 'aws-eks-nodeagent');
  if (agent?.args?.includes('--enable-network-policy=true') === true) {
    return ok(check, 'judged by the DaemonSet aws-node, whose agent enforces them');
  }
  const known = ['aws-node', 'kube-flannel-ds', 'kube-flannel'].find((each) =>
    daemonSets.some(({ metadata }) => metadata.name === each),
  );
  if (known !== undefined)
    return warning(check, `judged by the DaemonSet ${known}, which does not enforce them as it is`, mend);
  return warning(check, 'cannot be told: no DaemonSet here is known as a network plugin that enforces them', mend);
}
