import type { BudgetProps } from '../model/budget';
import type { TimelineProps } from '../model/timeline';
import type { IpFamily, ProxyOptions } from '../nginx/proxy';
import type { CertificateProps } from './certificate';
import type { ContainerProps } from './container';
import type { EgressRule } from './egress-rule';
import type { ProxyPodsProps } from './proxy-pods';
import type { ProxyServiceProps } from './proxy-service';
import type { ReplicasProps } from './replicas';

/** Options of a LoadBalancedApi. All but `container.image` have a default. */
export interface LoadBalancedApiProps
  extends
    ProxyOptions,
    Omit<TimelineProps, 'keepAliveTimeout'>,
    BudgetProps,
    ReplicasProps,
    ProxyPodsProps,
    ProxyServiceProps,
    CertificateProps,
    ClusterProps {
  /** The container of the API: its image, port, environment, resources and health checks. */
  readonly container: ContainerProps;
}

/** What the deployment has to know of its cluster. */
export interface ClusterProps {
  /**
   * The Namespace that is made, and that everything is in. One LoadBalancedApi has it for itself.
   *
   * @default - the id of the construct
   */
  readonly namespace?: string;

  /**
   * The cluster's DNS domain.
   *
   * @default 'cluster.local'
   */
  readonly clusterDomain?: string;

  /**
   * DNS servers that nginx asks for the pods of the API: addresses, or names that are resolved when nginx starts, each
   * with an optional port.
   *
   * @default - kube-dns.kube-system.svc.CLUSTERDOMAIN, which kubeadm, EKS, GKE and AKS have
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver
   */
  readonly resolvers?: readonly string[];

  /**
   * IP families of the Services, the first of which is preferred, and of the addresses by which nginx reaches pods.
   *
   * @default - the cluster's own for the Services; nginx uses IPv4
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

  /**
   * What the API may connect to; DNS is always allowed. A cluster whose network plugin knows no NetworkPolicy ignores it.
   *
   * @default - everything
   * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
   */
  readonly apiEgress?: readonly EgressRule[];

  /**
   * More labels for every object and pod.
   *
   * @default - none
   * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
   */
  readonly labels?: Readonly<Record<string, string>>;
}
