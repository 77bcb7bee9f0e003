import type { BudgetProps } from '../budget/budget';
import type { ProxyOptions } from '../nginx/proxy';
import type { TimelineProps } from '../timeline/timeline';
import type { CertificateProps } from './certificate-props';
import type { ClusterProps } from './cluster-props';
import type { ContainerProps } from './container-props';
import type { ProxyPodsProps } from './proxy-pods-props';
import type { ProxyServiceProps } from './proxy-service-props';
import type { ReplicasProps } from './replicas-props';

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
