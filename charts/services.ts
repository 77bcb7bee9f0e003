import { ApiObject, JsonPatch } from 'cdk8s';
import { Service, type ServicePort, ServiceType } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import type { IpFamily } from '../nginx/proxy';
import { apiClusterIpName, recommendedLabels, selectorLabels } from './labels';
import type { Model } from './model';
import { httpPort, httpsPort } from './nginx-pod';

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

/** The IP families of a Service, which cdk8s-plus-27 cannot set. */
export function ipFamilies(families: readonly IpFamily[] | undefined): JsonPatch[] {
  if (families === undefined) return [];
  return [
    JsonPatch.add('/spec/ipFamilies', families),
    JsonPatch.add('/spec/ipFamilyPolicy', families.length > 1 ? 'RequireDualStack' : 'SingleStack'),
  ];
}
