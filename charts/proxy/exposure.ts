import { ApiObject, JsonPatch } from 'cdk8s';
import { Service, type ServicePort, ServiceType } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { timelineOptions } from '../../model/timeline';
import { cidr } from '../../validation/addresses';
import { port, type TimeText, whole } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { isQualifiedName, wordOf } from '../../validation/names';
import { knownValues, listOf, optional, type Table, withDefault } from '../../validation/options';
import { userAnnotations } from '../labels';
import { ipFamilyPatches, type NamespaceModel } from '../namespace';
import { httpPort, httpsPort } from './nginx-pod';

/** What every way in has. */
export interface ClusterIpOptions {
  /**
   * The port of the Service for plain HTTP, which redirects to HTTPS.
   *
   * @default 80
   */
  readonly httpPort?: number;

  /**
   * The port of the Service for HTTPS, which the redirect names.
   *
   * @default 443
   */
  readonly httpsPort?: number;

  /**
   * Annotations of the Service: external-dns and cloud load balancers are told there what to do.
   *
   * @default - none
   */
  readonly annotations?: Readonly<Record<string, string>>;

  /**
   * How long a proxy that ends goes on accepting connections, in whole seconds: what kube-proxy needs to stop sending it new ones,
   * or the health check of a cloud load balancer (interval × failures: AWS NLB 10 s × 3, Google 8 s × 3).
   *
   * @default '30s' with `loadBalancer`; '5s' where nothing checks the nodes
   * @see https://kubernetes.io/docs/tutorials/services/pods-and-endpoint-termination-flow/
   */
  readonly deregistrationDelay?: TimeText;
}

/** What a port of every node has besides. */
export interface NodePortOptions extends ClusterIpOptions {
  /**
   * The port of every node for plain HTTP, from 30000 to 32767.
   *
   * @default - Kubernetes chooses
   */
  readonly httpNodePort?: number;

  /**
   * The port of every node for HTTPS, from 30000 to 32767.
   *
   * @default - Kubernetes chooses
   */
  readonly httpsNodePort?: number;

  /**
   * `Local` gives connections only to proxies on the node that they arrive at, and keeps the client's address: the load
   * balancer checks each node for a ready proxy, and leaves out one whose proxy or whole node is lost within seconds.
   * `Cluster` lets every node pass connections on to any proxy, and hides the client's address: a lost proxy's share goes
   * on being sent to it until Kubernetes has noticed the loss, 40 to 50 s.
   *
   * @default 'Local' with `loadBalancer`; else Kubernetes' own, which is Cluster
   * @see https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
   */
  readonly externalTrafficPolicy?: 'Cluster' | 'Local';
}

/** What a load balancer has besides. */
export interface LoadBalancerOptions extends NodePortOptions {
  /**
   * Networks (CIDR) that may connect to the load balancer. With `externalTrafficPolicy: 'Local'` given outright, a
   * NetworkPolicy of the proxies holds everyone else off as well: give it only if your load balancer passes the addresses
   * of clients on.
   *
   * @default - everyone
   * @see https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer
   */
  readonly sourceRanges?: readonly string[];

  /**
   * Which implementation of load balancers takes the Service; it cannot be changed afterwards.
   *
   * @default - the cluster's default
   * @see https://kubernetes.io/docs/concepts/services-networking/service/#load-balancer-class
   */
  readonly loadBalancerClass?: string;
}

const nodePort = whole(30_000, 32_767);

export const clusterIpOptions = {
  httpPort: withDefault(80, port),
  httpsPort: withDefault(443, port),
  annotations: withDefault({}, userAnnotations),
  deregistrationDelay: optional(timelineOptions.deregistrationDelay.read),
} satisfies Table<ClusterIpOptions>;

export const nodePortOptions = {
  ...clusterIpOptions,
  httpNodePort: optional(nodePort),
  httpsNodePort: optional(nodePort),
  externalTrafficPolicy: optional(wordOf(['Cluster', 'Local'])),
} satisfies Table<NodePortOptions>;

export const loadBalancerOptions = {
  ...nodePortOptions,
  sourceRanges: optional(listOf(cidr, '["192.0.2.0/24"]')),
  loadBalancerClass: optional(loadBalancerClass),
} satisfies Table<LoadBalancerOptions>;

/** The Service of a proxy with every value known. */
export interface ExposureModel {
  readonly type: ServiceType;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly httpNodePort?: number | undefined;
  readonly httpsNodePort?: number | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly sourceRanges?: readonly string[] | undefined;
  readonly loadBalancerClass?: string | undefined;
  readonly externalTrafficPolicy?: 'Cluster' | 'Local' | undefined;
  /** The only networks whose addresses the proxies' pods accept; undefined accepts every one. */
  readonly clientNetworks?: readonly string[] | undefined;
  /** In seconds. */
  readonly deregistrationDelay: number;
}

/**
 * In seconds, unless told: until the slowest health check of the clouds has failed (AWS NLB, 10 s × 3), and until every kube-proxy knows, for
 * which 5 s were enough in each rollout that docs/reliability.md measured.
 */
const deregistrationDelays = { ofHealthChecks: 30, ofKubeProxy: 5 } as const;

/** How clients reach a proxy. */
export class Exposure {
  private constructor(readonly model: ExposureModel) {}

  /** Through a load balancer of the cloud, or of MetalLB. @see https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer */
  static loadBalancer(options: LoadBalancerOptions = {}): Exposure {
    const name = 'Exposure.loadBalancer';
    const given = knownValues(record(name, options, '{ httpsPort: 443 }'), loadBalancerOptions, `${name} `);
    return new Exposure({
      ...withDistinctPorts(name, given),
      type: ServiceType.LOAD_BALANCER,
      externalTrafficPolicy: given.externalTrafficPolicy ?? 'Local',
      // Not of the default Local: a load balancer that makes connections of its own would be held off whole.
      clientNetworks: given.externalTrafficPolicy === 'Local' ? given.sourceRanges : undefined,
      deregistrationDelay: given.deregistrationDelay ?? deregistrationDelays.ofHealthChecks,
    });
  }

  /** On a port of every node. @see https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport */
  static nodePort(options: NodePortOptions = {}): Exposure {
    const name = 'Exposure.nodePort';
    const given = knownValues(record(name, options, '{ httpsNodePort: 30443 }'), nodePortOptions, `${name} `);
    return new Exposure({
      ...withDistinctPorts(name, given),
      type: ServiceType.NODE_PORT,
      deregistrationDelay: given.deregistrationDelay ?? deregistrationDelays.ofKubeProxy,
    });
  }

  /** Inside the cluster alone. @see https://kubernetes.io/docs/concepts/services-networking/service/#type-clusterip */
  static clusterIp(options: ClusterIpOptions = {}): Exposure {
    const name = 'Exposure.clusterIp';
    const given = knownValues(record(name, options, '{ httpsPort: 443 }'), clusterIpOptions, `${name} `);
    return new Exposure({
      ...withDistinctPorts(name, given),
      type: ServiceType.CLUSTER_IP,
      deregistrationDelay: given.deregistrationDelay ?? deregistrationDelays.ofKubeProxy,
    });
  }
}

/** Refuses one port for both protocols. */
function withDistinctPorts<
  Options extends {
    readonly httpPort: number;
    readonly httpsPort: number;
    readonly httpNodePort?: number | undefined;
    readonly httpsNodePort?: number | undefined;
  },
>(name: string, given: Options): Options {
  if (given.httpPort === given.httpsPort) {
    throw new InvalidOption(`${name} httpPort`, given.httpPort, 'is httpsPort as well: give a port of its own');
  }
  if (given.httpNodePort !== undefined && given.httpNodePort === given.httpsNodePort) {
    throw new InvalidOption(
      `${name} httpNodePort`,
      given.httpNodePort,
      'is httpsNodePort as well: give a port of its own',
    );
  }
  return given;
}

function loadBalancerClass(option: string, value: unknown): string {
  if (isQualifiedName(value)) return value;
  throw new InvalidOption(option, value, 'is not the name of a class: give one such as "example.com/internal"');
}

interface ProxyServiceProps {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly exposure: ExposureModel;
  readonly namespace: NamespaceModel;
}

/** Where clients come in. */
export class ProxyService extends Service {
  constructor(scope: Construct, id: string, { name, labels, matchLabels, exposure, namespace }: ProxyServiceProps) {
    super(scope, id, {
      metadata: { name, labels: { ...labels }, annotations: { ...exposure.annotations } },
      type: exposure.type,
      ports: [
        servicePort('http', exposure.httpPort, httpPort, exposure.httpNodePort),
        servicePort('https', exposure.httpsPort, httpsPort, exposure.httpsNodePort),
      ],
      ...(exposure.sourceRanges === undefined ? {} : { loadBalancerSourceRanges: [...exposure.sourceRanges] }),
    });
    for (const [key, value] of Object.entries(matchLabels)) this.selectLabel(key, value);
    // What cdk8s-plus-27 cannot set.
    ApiObject.of(this).addJsonPatch(
      ...ipFamilyPatches(namespace),
      ...given('/spec/externalTrafficPolicy', exposure.externalTrafficPolicy),
      ...given('/spec/loadBalancerClass', exposure.loadBalancerClass),
    );
  }
}

function servicePort(name: string, external: number, targetPort: number, onNodes: number | undefined): ServicePort {
  return { name, port: external, targetPort, ...(onNodes === undefined ? {} : { nodePort: onNodes }) };
}

function given(path: string, value: string | undefined): JsonPatch[] {
  return value === undefined ? [] : [JsonPatch.add(path, value)];
}
