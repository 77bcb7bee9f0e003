import { cidr } from '../validation/addresses';
import { port, whole } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { isQualifiedName, wordOf } from '../validation/names';
import { listOf, optional, type Table, values, withDefault } from '../validation/options';
import { userAnnotations } from './labels';

/** How clients reach the proxies. */
export interface ProxyServiceProps {
  /**
   * `LoadBalancer` (the cloud's, or MetalLB's), `NodePort` or `ClusterIP`.
   *
   * @default 'LoadBalancer'
   * @see https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types
   */
  readonly serviceType?: 'ClusterIP' | 'NodePort' | 'LoadBalancer';

  /**
   * The port of every node for HTTP, from 30000 to 32767; not with `ClusterIP`.
   *
   * @default - Kubernetes chooses
   */
  readonly httpNodePort?: number;

  /**
   * The port of every node for HTTPS, from 30000 to 32767; not with `ClusterIP`.
   *
   * @default - Kubernetes chooses
   */
  readonly httpsNodePort?: number;

  /**
   * Annotations of the proxies' Service: external-dns and cloud load balancers are told there what to do.
   *
   * @default - none
   */
  readonly serviceAnnotations?: Readonly<Record<string, string>>;

  /**
   * Networks (CIDR) that may connect to the load balancer. With `externalTrafficPolicy: 'Local'` given outright, a
   * NetworkPolicy of the proxies holds everyone else off as well: give it only if your load balancer passes the addresses
   * of clients on.
   *
   * @default - everyone
   * @see https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
   */
  readonly loadBalancerSourceRanges?: readonly string[];

  /**
   * `Local` gives connections only to proxies on the node that they arrive at, and keeps the client's address: the load
   * balancer checks each node for a ready proxy, and leaves out one whose proxy or whole node is lost within seconds.
   * `Cluster` lets every node pass connections on to any proxy, and hides the client's address: a lost proxy's share goes
   * on being sent to it until Kubernetes has noticed the loss, 40 to 50 s. Not with `ClusterIP`.
   *
   * @default 'Local' with `LoadBalancer`; else Kubernetes' own, which is Cluster
   * @see https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
   */
  readonly externalTrafficPolicy?: 'Cluster' | 'Local';

  /**
   * Which implementation of load balancers takes the Service; it cannot be changed afterwards.
   *
   * @default - the cluster's default
   * @see https://kubernetes.io/docs/concepts/services-networking/service/#load-balancer-class
   */
  readonly loadBalancerClass?: string;

  /**
   * The port that clients use for HTTP, and the port of the Service.
   *
   * @default 80
   */
  readonly externalHttpPort?: number;

  /**
   * The port that clients use for HTTPS: the port of the Service, and the one that redirects from HTTP name.
   *
   * @default 443
   */
  readonly externalHttpsPort?: number;
}

/** The Service of nginx with every value known. */
export interface ProxyServiceModel {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly httpNodePort: number | undefined;
  readonly httpsNodePort: number | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly loadBalancerSourceRanges: readonly string[] | undefined;
  readonly loadBalancerClass: string | undefined;
  readonly externalTrafficPolicy: 'Cluster' | 'Local' | undefined;
  /** The only networks whose addresses the proxies' pods accept; undefined accepts every one. */
  readonly clientNetworks: readonly string[] | undefined;
}

const nodePort = whole(30_000, 32_767);

export const proxyServiceOptions = {
  serviceType: withDefault('LoadBalancer', wordOf(['ClusterIP', 'NodePort', 'LoadBalancer'])),
  httpNodePort: optional(nodePort),
  httpsNodePort: optional(nodePort),
  serviceAnnotations: withDefault({}, userAnnotations),
  loadBalancerSourceRanges: optional(listOf(cidr, '["192.0.2.0/24"]')),
  loadBalancerClass: optional(loadBalancerClass),
  externalTrafficPolicy: optional(wordOf(['Cluster', 'Local'])),
  externalHttpPort: withDefault(80, port),
  externalHttpsPort: withDefault(443, port),
} satisfies Table<ProxyServiceProps>;

export function proxyServiceModel(props: ProxyServiceProps): ProxyServiceModel {
  const given = values(props, proxyServiceOptions);
  const type = given.serviceType;
  const only = (types: readonly string[], ...options: (keyof ProxyServiceProps)[]): void => {
    for (const option of options) {
      if (props[option] === undefined || types.includes(type)) continue;
      const remedy = `does not go with serviceType ${JSON.stringify(type)}: take it out, or give serviceType ${types.map((word) => JSON.stringify(word)).join(' or ')}`;
      throw new InvalidOption(option, props[option], remedy);
    }
  };
  only(['NodePort', 'LoadBalancer'], 'httpNodePort', 'httpsNodePort', 'externalTrafficPolicy');
  only(['LoadBalancer'], 'loadBalancerSourceRanges', 'loadBalancerClass');

  const { httpNodePort, httpsNodePort, externalHttpPort, externalHttpsPort } = given;
  if (httpsNodePort !== undefined && httpsNodePort === httpNodePort) {
    throw new InvalidOption('httpsNodePort', httpsNodePort, 'is httpNodePort as well: give a port of its own');
  }
  if (externalHttpsPort === externalHttpPort) {
    const [option, other] =
      props.externalHttpsPort === undefined
        ? ['externalHttpPort', 'externalHttpsPort']
        : ['externalHttpsPort', 'externalHttpPort'];
    throw new InvalidOption(option, externalHttpsPort, `is ${other} as well: give a port of its own`);
  }
  return {
    type,
    httpPort: externalHttpPort,
    httpsPort: externalHttpsPort,
    httpNodePort,
    httpsNodePort,
    annotations: given.serviceAnnotations,
    loadBalancerSourceRanges: given.loadBalancerSourceRanges,
    loadBalancerClass: given.loadBalancerClass,
    externalTrafficPolicy: given.externalTrafficPolicy ?? (type === 'LoadBalancer' ? 'Local' : undefined),
    // Not of the default Local: a load balancer that makes connections of its own would be held off whole.
    clientNetworks: given.externalTrafficPolicy === 'Local' ? given.loadBalancerSourceRanges : undefined,
  };
}

function loadBalancerClass(option: string, value: unknown): string {
  if (isQualifiedName(value)) return value;
  throw new InvalidOption(option, value, 'is not the name of a class: give one such as "example.com/internal"');
}
