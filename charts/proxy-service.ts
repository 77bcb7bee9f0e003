import { cidr } from '../validation/addresses';
import { integer, port } from '../validation/amounts';
import { list } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { isQualifiedName, oneOf } from '../validation/names';
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

export function proxyServiceModel(props: ProxyServiceProps): ProxyServiceModel {
  const type = oneOf('serviceType', props.serviceType ?? 'LoadBalancer', ['ClusterIP', 'NodePort', 'LoadBalancer']);
  const only = (types: readonly string[], ...options: (keyof ProxyServiceProps)[]): void => {
    for (const option of options) {
      if (props[option] === undefined || types.includes(type)) continue;
      const remedy = `does not go with serviceType ${JSON.stringify(type)}: take it out, or give serviceType ${types.map((word) => JSON.stringify(word)).join(' or ')}`;
      throw new InvalidOption(option, props[option], remedy);
    }
  };
  only(['NodePort', 'LoadBalancer'], 'httpNodePort', 'httpsNodePort', 'externalTrafficPolicy');
  only(['LoadBalancer'], 'loadBalancerSourceRanges', 'loadBalancerClass');

  const httpNodePort = nodePort('httpNodePort', props.httpNodePort);
  const httpsNodePort = nodePort('httpsNodePort', props.httpsNodePort);
  if (httpsNodePort !== undefined && httpsNodePort === httpNodePort) {
    throw new InvalidOption('httpsNodePort', httpsNodePort, 'is httpNodePort as well: give a port of its own');
  }
  const httpPort = port('externalHttpPort', props.externalHttpPort ?? 80);
  const httpsPort = port('externalHttpsPort', props.externalHttpsPort ?? 443);
  if (httpsPort === httpPort) {
    const [option, other] =
      props.externalHttpsPort === undefined
        ? ['externalHttpPort', 'externalHttpsPort']
        : ['externalHttpsPort', 'externalHttpPort'];
    throw new InvalidOption(option, httpsPort, `is ${other} as well: give a port of its own`);
  }
  const sourceRanges =
    props.loadBalancerSourceRanges === undefined
      ? undefined
      : list('loadBalancerSourceRanges', props.loadBalancerSourceRanges, '["192.0.2.0/24"]').map((range) =>
          cidr('loadBalancerSourceRanges', range),
        );
  return {
    type,
    httpPort,
    httpsPort,
    httpNodePort,
    httpsNodePort,
    annotations: userAnnotations('serviceAnnotations', props.serviceAnnotations ?? {}),
    loadBalancerSourceRanges: sourceRanges,
    loadBalancerClass: loadBalancerClass(props.loadBalancerClass),
    externalTrafficPolicy: externalTrafficPolicy(props.externalTrafficPolicy, type),
    // Not of the default Local: a load balancer that makes connections of its own would be held off whole.
    clientNetworks: props.externalTrafficPolicy === 'Local' ? sourceRanges : undefined,
  };
}

function externalTrafficPolicy(
  given: ProxyServiceProps['externalTrafficPolicy'],
  type: ProxyServiceModel['type'],
): ProxyServiceModel['externalTrafficPolicy'] {
  if (given === undefined) return type === 'LoadBalancer' ? 'Local' : undefined;
  return oneOf<'Cluster' | 'Local'>('externalTrafficPolicy', given, ['Cluster', 'Local']);
}

function nodePort(option: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : integer(option, value, 30_000, 32_767);
}

function loadBalancerClass(value: string | undefined): string | undefined {
  if (value !== undefined && !isQualifiedName(value)) {
    throw new InvalidOption(
      'loadBalancerClass',
      value,
      'is not the name of a class: give one such as "example.com/internal"',
    );
  }
  return value;
}
