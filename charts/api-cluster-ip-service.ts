import { ApiObject } from 'cdk8s';
import { Service, ServiceType } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { ipFamilies } from './ip-families';
import { recommendedLabels, selectorLabels } from './labels';
import type { Model } from './model';

export const apiClusterIpName = 'api-cluster-ip';

/**
 * An ordinary Service of the API, whose one address never changes: the fallback, for when DNS names no pod that can be
 * reached. kube-proxy knows the pods from the API server, and refuses at once when there are none.
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#type-clusterip
 */
export class ApiClusterIpService extends Service {
  constructor(scope: Construct, id: string, model: Model) {
    super(scope, id, {
      metadata: { name: apiClusterIpName, labels: recommendedLabels(model.name, 'api') },
      type: ServiceType.CLUSTER_IP,
      // The pods' own port: some network plugins judge a connection before its address is exchanged for a pod's.
      ports: [{ name: 'http', port: model.container.port, targetPort: model.container.port }],
    });
    for (const [key, value] of Object.entries(selectorLabels(model.name, 'api'))) this.selectLabel(key, value);
    ApiObject.of(this).addJsonPatch(...ipFamilies(model.ipFamilies));
  }
}
