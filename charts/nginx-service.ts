import { ApiObject, JsonPatch } from 'cdk8s';
import { Service, type ServicePort, ServiceType } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { ipFamilies } from './ip-families';
import { recommendedLabels, selectorLabels } from './labels';
import type { Model } from './model';
import { httpPort, httpsPort } from './nginx-pod';

const types = {
  ClusterIP: ServiceType.CLUSTER_IP,
  NodePort: ServiceType.NODE_PORT,
  LoadBalancer: ServiceType.LOAD_BALANCER,
};

/** Where clients come in. */
export class NginxService extends Service {
  constructor(scope: Construct, id: string, model: Model) {
    const { service } = model;
    super(scope, id, {
      metadata: {
        name: 'nginx',
        labels: recommendedLabels(model.name, 'proxy'),
        annotations: { ...service.annotations },
      },
      type: types[service.type],
      ports: [
        servicePort('http', service.httpPort, httpPort, service.httpNodePort),
        servicePort('https', service.httpsPort, httpsPort, service.httpsNodePort),
      ],
      ...(service.loadBalancerSourceRanges === undefined
        ? {}
        : { loadBalancerSourceRanges: [...service.loadBalancerSourceRanges] }),
    });
    for (const [key, value] of Object.entries(selectorLabels(model.name, 'proxy'))) this.selectLabel(key, value);
    ApiObject.of(this).addJsonPatch(
      ...ipFamilies(model.ipFamilies),
      ...given('/spec/externalTrafficPolicy', service.externalTrafficPolicy),
      ...given('/spec/loadBalancerClass', service.loadBalancerClass),
    );
  }
}

function servicePort(name: string, port: number, targetPort: number, nodePort: number | undefined): ServicePort {
  return { name, port, targetPort, ...(nodePort === undefined ? {} : { nodePort }) };
}

/** What cdk8s-plus-27 cannot set. */
function given(path: string, value: string | undefined): JsonPatch[] {
  return value === undefined ? [] : [JsonPatch.add(path, value)];
}
