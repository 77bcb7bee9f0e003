import { ApiObject, JsonPatch } from 'cdk8s';
import { Service, ServiceType } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { ipFamilies } from './ip-families';
import { recommendedLabels, selectorLabels } from './labels';
import type { Model } from './model';

/**
 * The headless Service of the API: its DNS records are the addresses of the ready pods, which nginx follows.
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#headless-services
 */
export class ApiService extends Service {
  constructor(scope: Construct, id: string, model: Model) {
    super(scope, id, {
      metadata: { name: 'api', labels: recommendedLabels(model.name, 'api') },
      type: ServiceType.CLUSTER_IP,
      clusterIP: 'None',
      // The name makes the SRV record `_http._tcp`.
      ports: [{ name: 'http', port: model.container.port, targetPort: model.container.port }],
    });
    for (const [key, value] of Object.entries(selectorLabels(model.name, 'api'))) this.selectLabel(key, value);
    ApiObject.of(this).addJsonPatch(
      JsonPatch.add('/spec/publishNotReadyAddresses', false),
      ...ipFamilies(model.ipFamilies),
    );
  }
}
