import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import type { Budget } from '../model/budget';
import type { Timeline } from '../model/timeline';
import { InvalidOption, named } from '../validation/invalid-option';
import { ApiDeployment } from './api-deployment';
import { CpuAutoscaler, PodDisruptionBudget } from './autoscaling';
import { NginxTlsSecret, tlsSecretName } from './certificate';
import { recommendedLabels, selectorLabels } from './labels';
import type { LoadBalancedApiProps } from './load-balanced-api-props';
import { deploymentModel, type Model } from './model';
import { RestrictedNamespace } from './namespace';
import { ApiNetworkPolicy, DenyIngress, NginxNetworkPolicy } from './network-policies';
import { NginxConfigMap, NginxDeployment } from './nginx-deployment';
import { patchWhatIsWritten } from './patches';
import { ApiClusterIpService, ApiService, NginxService } from './services';

/**
 * An API behind nginx, whole: its Namespace, the API's Deployment, the proxies' Deployment with configuration and
 * certificate, Services, autoscalers, disruption budgets and network policies. Every part is public and can be changed
 * further.
 *
 * @example
 * new LoadBalancedApi(app, 'orders', { container: { image: 'ghcr.io/acme/orders:1.4.2' }, host: 'orders.example.com' });
 */
export class LoadBalancedApi extends Construct {
  /** Every timeout of both sides. */
  readonly timeline: Timeline;
  /** How much one proxy takes on at a time, and what of. */
  readonly budget: Budget;
  /** In seconds: how long nginx leaves a pod out that failed. */
  readonly failTimeout: number;
  readonly namespace: RestrictedNamespace;
  readonly denyIngress: DenyIngress;

  readonly apiDeployment: ApiDeployment;
  readonly apiService: ApiService;
  readonly apiClusterIpService: ApiClusterIpService;
  /** Undefined when `replicas` is given. */
  readonly apiAutoscaler: CpuAutoscaler | undefined;
  readonly apiDisruptionBudget: PodDisruptionBudget;
  readonly apiNetworkPolicy: ApiNetworkPolicy;

  readonly nginxDeployment: NginxDeployment;
  readonly nginxConfigMap: NginxConfigMap;
  readonly nginxService: NginxService;
  /** Undefined when `proxyReplicas` is given. */
  readonly nginxAutoscaler: CpuAutoscaler | undefined;
  readonly nginxDisruptionBudget: PodDisruptionBudget;
  readonly nginxNetworkPolicy: NginxNetworkPolicy;
  /** Undefined when `tlsSecretName` is given. */
  readonly tlsSecret: NginxTlsSecret | undefined;

  constructor(scope: Construct, id: string, props: LoadBalancedApiProps) {
    const model = named(pathOf(scope, id), () => {
      const whole = deploymentModel(id, props);
      refuseTakenNamespace(scope, whole.namespace);
      return whole;
    });
    super(scope, id);
    this.timeline = model.timeline;
    this.budget = model.budget;
    this.failTimeout = model.failTimeout;

    // cdk8s names a file after its chart, and `kubectl apply -f dist/` goes by name: the digits are the order.
    const namespaceChart = new Chart(this, '0-namespace', { labels: model.labels });
    this.namespace = new RestrictedNamespace(namespaceChart, 'Namespace', model);
    this.denyIngress = new DenyIngress(namespaceChart, 'DenyIngress', model);

    const inNamespace = { namespace: model.namespace, labels: model.labels };
    this.tlsSecret =
      'keyPair' in model.certificate
        ? new NginxTlsSecret(new Chart(this, '1-tls', inNamespace), 'Secret', {
            instance: model.name,
            keyPair: model.certificate.keyPair,
          })
        : undefined;

    const apiChart = new Chart(this, '2-api', inNamespace);
    this.apiNetworkPolicy = new ApiNetworkPolicy(apiChart, 'NetworkPolicy', model);
    this.apiService = new ApiService(apiChart, 'Service', model);
    this.apiClusterIpService = new ApiClusterIpService(apiChart, 'ClusterIpService', model);
    this.apiDeployment = new ApiDeployment(apiChart, 'Deployment', model);
    this.apiDeployment.tolerateUnreachable(model.timeline.unreachableToleration);
    this.apiAutoscaler = autoscaler(apiChart, model, model.replicas, this.apiDeployment, 'api');
    this.apiDisruptionBudget = disruptionBudget(apiChart, model, 'api');

    const nginxChart = new Chart(this, '3-nginx', inNamespace);
    this.nginxNetworkPolicy = new NginxNetworkPolicy(nginxChart, 'NetworkPolicy', model);
    this.nginxConfigMap = new NginxConfigMap(nginxChart, 'ConfigMap', {
      instance: model.name,
      nginxConf: model.nginxConf,
    });
    this.nginxService = new NginxService(nginxChart, 'Service', model);
    this.nginxDeployment = new NginxDeployment(nginxChart, 'Deployment', {
      model,
      configMapName: this.nginxConfigMap.name,
      secretName: 'secretName' in model.certificate ? model.certificate.secretName : tlsSecretName,
    });
    this.nginxDeployment.tolerateUnreachable(model.timeline.unreachableToleration);
    this.nginxDeployment.setTcpKeepAlive(model.timeline);
    this.nginxAutoscaler = autoscaler(nginxChart, model, model.proxy.replicas, this.nginxDeployment, 'proxy');
    this.nginxDisruptionBudget = disruptionBudget(nginxChart, model, 'proxy');
    patchWhatIsWritten(this);
  }
}

const objectNames = { api: 'api', proxy: 'nginx' } as const;

function autoscaler(
  scope: Chart,
  model: Model,
  replicas: Model['replicas'],
  target: ApiDeployment | NginxDeployment,
  component: 'api' | 'proxy',
): CpuAutoscaler | undefined {
  if ('fixed' in replicas) return undefined;
  return new CpuAutoscaler(scope, 'HorizontalPodAutoscaler', {
    name: objectNames[component],
    labels: recommendedLabels(model.name, component),
    target,
    scaleDownStabilizationWindow: model.scaleDownStabilizationWindow,
    ...replicas,
  });
}

function disruptionBudget(scope: Chart, model: Model, component: 'api' | 'proxy'): PodDisruptionBudget {
  return new PodDisruptionBudget(scope, 'PodDisruptionBudget', {
    name: objectNames[component],
    labels: recommendedLabels(model.name, component),
    matchLabels: selectorLabels(model.name, component),
  });
}

/** As cdk8s names it: `shop/orders`. */
function pathOf(scope: Construct, id: string): string {
  return [scope.node.path, id].filter((name) => name !== '').join('/');
}

/** Two of them would write the same objects. */
function refuseTakenNamespace(scope: Construct, namespace: string): void {
  for (const other of scope.node.root.node.findAll()) {
    if (other instanceof LoadBalancedApi && other.namespace.name === namespace) {
      throw new InvalidOption(
        'namespace',
        namespace,
        `is that of ${JSON.stringify(other.node.id)} already: give one for this API alone`,
      );
    }
  }
}
