import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { recommendedLabels, selectorLabels } from './labels';
import type { Model } from './model';
import { httpPort, httpsPort, probePort } from './nginx-pod';

// L1: what cdk8s-plus-27 has needs a peer for every rule, and "anywhere" as a block of addresses leaves out pods where
// the network plugin knows those by identity (Cilium).

/** Nobody may connect to a pod of the namespace unless another policy says so. */
export class DenyIngress extends k8s.KubeNetworkPolicy {
  constructor(scope: Construct, id: string, model: Model) {
    super(scope, id, {
      metadata: {
        name: 'deny-ingress',
        namespace: model.namespace,
        labels: recommendedLabels(model.name, 'namespace'),
      },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
  }
}

/** The proxies alone may connect to the API, and only on its port. */
export class ApiNetworkPolicy extends k8s.KubeNetworkPolicy {
  constructor(scope: Construct, id: string, model: Model) {
    const { apiEgress } = model;
    super(scope, id, {
      metadata: { name: 'api', labels: recommendedLabels(model.name, 'api') },
      spec: {
        podSelector: { matchLabels: selectorLabels(model.name, 'api') },
        policyTypes: apiEgress === undefined ? ['Ingress'] : ['Ingress', 'Egress'],
        ingress: [
          {
            from: [{ podSelector: { matchLabels: selectorLabels(model.name, 'proxy') } }],
            ports: [tcp(model.container.port)],
          },
        ],
        ...(apiEgress === undefined ? {} : { egress: [dns([53]), ...apiEgress] }),
      },
    });
  }
}

/** Clients may connect to the proxies' two ports, the kubelet to that of the probes; proxies to the API and to DNS. */
export class NginxNetworkPolicy extends k8s.KubeNetworkPolicy {
  constructor(scope: Construct, id: string, model: Model) {
    const { clientNetworks } = model.service;
    super(scope, id, {
      metadata: { name: 'nginx', labels: recommendedLabels(model.name, 'proxy') },
      spec: {
        podSelector: { matchLabels: selectorLabels(model.name, 'proxy') },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            ...(clientNetworks === undefined ? {} : { from: clientNetworks.map((cidr) => ({ ipBlock: { cidr } })) }),
            ports: [tcp(httpPort), tcp(httpsPort)],
          },
          { ports: [tcp(probePort)] },
        ],
        egress: [
          {
            to: [{ podSelector: { matchLabels: selectorLabels(model.name, 'api') } }],
            ports: [tcp(model.container.port)],
          },
          dns([53, ...model.resolvers.map(resolverPort)]),
        ],
      },
    });
  }
}

/** DNS is UDP, and TCP when an answer is long; to anywhere, as a cache may run on the node. */
function dns(ports: readonly number[]): k8s.NetworkPolicyEgressRule {
  return { ports: [...new Set(ports)].flatMap((port) => [{ ...tcp(port), protocol: 'UDP' }, tcp(port)]) };
}

function tcp(port: number): k8s.NetworkPolicyPort {
  return { port: k8s.IntOrString.fromNumber(port), protocol: 'TCP' };
}

/** The port in `dns.example.com:5353` or `[fd00::a]:5353`. */
function resolverPort(resolver: string): number {
  const port = /[^:\]]:(\d+)$|\]:(\d+)$/.exec(resolver);
  return Number(port?.[1] ?? port?.[2] ?? 53);
}
