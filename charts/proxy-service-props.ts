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
