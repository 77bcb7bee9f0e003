import { Construct } from 'constructs';
import type { Budget } from '../../model/budget';
import { Path } from '../../model/routes/matching';
import type { ProxyModel } from '../../model/proxy';
import type { TimesAround } from '../../model/routes/route-model';
import type { RouteOptions } from '../../model/routes/route-options';
import { Snippet } from '../../model/snippet';
import { proxyTimeline, type Timeline } from '../../model/timeline';
import { InvalidOption, named } from '../../validation/invalid-option';
import { dnsLabelName } from '../../validation/names';
import { instanceOf } from '../../validation/options';
import type { ServiceUrl } from '../../validation/urls';
import { Backend } from '../backend';
import type { ProxyTlsSecret } from './certificate';
import { type CompleteProxy, completeProxy } from './complete-proxy';
import { Dashboard, dashboardNames } from './dashboard';
import { ProxyService } from './exposure';
import { type Identity, recommendedLabels, selectorLabels } from '../labels';
import {
  Monitoring,
  type MonitoringOptions,
  type MonitoringSettings,
  monitoringSettings,
  prometheusLabels,
} from './monitoring';
import { RestrictedNamespace } from '../namespace';
import { NginxConfigMap, NginxDeployment, WeightsConfigMap } from './nginx-deployment';
import { httpPort, httpsPort, probePort } from './nginx-pod';
import { type NginxProxyProps, type NginxProxySettings, nginxProxySettings } from './nginx-proxy-props';
import { errorsOf, patchWhatIsWritten, pathOf } from '../patches';
import { type Autoscaler, autoscaler, PodDisruptionBudget, type ScaledObject } from '../pods/autoscaling';
import { dns, networksOf, PodNetworkPolicy, podsOf, routePolicy, tcp } from '../pods/pod-network-policy';
import { type IRouteTarget, Route, type RouteHost } from '../routes/route';
import { type HostOptions, ProxyHosts, type VirtualHost } from '../routes/virtual-host';

/**
 * The front door: nginx in pods of its own, which finds backends by DNS. Its objects have the id of the construct as their name.
 *
 * @example
 * const edge = new NginxProxy(shop, 'edge', { host: 'shop.example.com', certificate: Certificate.fromSecret('shop-tls') });
 * edge.addRoute('/orders', orders);
 */
export class NginxProxy extends Construct implements RouteHost {
  readonly settings: NginxProxySettings;
  readonly namespace: RestrictedNamespace;
  readonly deployment: NginxDeployment;
  readonly service: ProxyService;
  /** A changed route is another ConfigMap, and so a rollout of the proxies. */
  readonly configMap: NginxConfigMap;
  /** KEDA's if a metric is; undefined when `replicas` is a number. */
  readonly autoscaler: Autoscaler | ScaledObject | undefined;
  readonly disruptionBudget: PodDisruptionBudget;
  readonly networkPolicy: PodNetworkPolicy;
  /** Undefined where no route is shared by several backends. */
  weights: WeightsConfigMap | undefined;
  /** Undefined without `addMonitoring`. */
  monitoring: Monitoring | undefined;
  /** Undefined unless `addMonitoring` has one. */
  dashboard: Dashboard | undefined;
  /** Undefined where the certificate is in a Secret that something else makes. */
  readonly tlsSecret: ProxyTlsSecret | undefined;

  readonly proxy: NginxProxy = this;
  private readonly identity: Identity;
  private readonly hosts: ProxyHosts;
  private readonly backends = new Map<string, Backend>();
  private routePolicy: PodNetworkPolicy | undefined;
  private readonly snippets: Snippet[] = [];
  private measured: MonitoringSettings | undefined;
  private completed: CompleteProxy | undefined;

  constructor(scope: Construct, id: string, props: NginxProxyProps = {}) {
    const { namespace, settings } = named(pathOf(scope, id), () => {
      const around = RestrictedNamespace.around(scope);
      around.reserve(dnsLabelName('id', id));
      return { namespace: around, settings: nginxProxySettings(props) };
    });
    super(scope, id);
    this.namespace = namespace;
    this.settings = settings;
    this.identity = { name: 'nginx', instance: id, namespace: namespace.name };
    const labels = recommendedLabels(this.identity, 'proxy');
    const { matchLabels } = this;
    const complete = (): CompleteProxy => this.complete();

    this.hosts = new ProxyHosts(this, recommendedLabels(this.identity, 'tls'));
    const { secretName, secret } = this.hosts.keepOwnCertificate();
    this.tlsSecret = secret;
    this.networkPolicy = new PodNetworkPolicy(this, 'NetworkPolicy', {
      name: id,
      labels,
      matchLabels,
      ingress: [
        {
          peers: settings.exposure.clientNetworks?.map((cidr) => ({ ipBlock: { cidr } })),
          ports: [tcp(httpPort), tcp(httpsPort)],
        },
        { ports: [tcp(probePort)] },
      ],
      // The policies of backends say which proxies they take.
      egress: [dns([53, ...namespace.model.resolvers.map(resolverPort)]), { peers: [podsOf('api')] }],
    });
    if (settings.tracing !== undefined) this.connectCollector(settings.tracing.endpoint);
    this.configMap = new NginxConfigMap(this, 'ConfigMap', {
      name: id,
      labels: recommendedLabels(this.identity, 'nginx-config'),
      complete,
    });
    this.service = new ProxyService(this, 'Service', {
      name: id,
      labels,
      matchLabels,
      exposure: settings.exposure,
      namespace: namespace.model,
    });
    this.deployment = new NginxDeployment(this, 'Deployment', {
      name: id,
      labels,
      matchLabels,
      settings,
      namespace: namespace.model,
      secretName,
      timeline: proxyTimeline(this.times),
      complete,
    });
    const { replicas } = settings;
    this.autoscaler = autoscaler(this, { name: id, labels, target: this.deployment, replicas });
    this.disruptionBudget = new PodDisruptionBudget(this, 'PodDisruptionBudget', { name: id, labels, matchLabels });
    patchWhatIsWritten(this);
    // What is wrong with all its routes together.
    this.node.addValidation({ validate: () => errorsOf(complete) });
  }

  get host(): string {
    return this.settings.host;
  }

  get routeDefaults(): RouteOptions {
    return this.settings.routeDefaults;
  }

  get matchLabels(): Readonly<Record<string, string>> {
    return selectorLabels(this.identity);
  }

  /**
   * Lets requests to a path go to a target. Which route a request takes: the exact path before a prefix, the longer prefix before the
   * shorter, at one path what has `when` in the order of adding, then what has none. A changed route is a rollout of the proxies.
   *
   * @param path a prefix by whole segments, as an Ingress has it, or a `Path`
   */
  addRoute(path: string | Path, target: IRouteTarget, options: RouteOptions = {}): Route {
    return this.addRouteOf(this, path, target, options);
  }

  /**
   * Raw directives of nginx for what has no option, in the http block or in the servers of all hosts. Nothing but `nginx -t` looks at
   * them: what they break, a new proxy shows by never being ready.
   */
  addSnippet(snippet: Snippet): void {
    named(this.node.path, () => {
      instanceOf(Snippet, 'Snippet.http("gzip_comp_level 4;")')('snippet', snippet);
    });
    this.completed = undefined;
    this.snippets.push(snippet);
  }

  /** Another DNS name, with routes of its own, and a certificate of its own unless that of the proxy is valid for it too. */
  addHost(host: string, options: HostOptions = {}): VirtualHost {
    this.completed = undefined;
    return named(this.node.path, () => this.hosts.add(host, options));
  }

  /**
   * Lets the proxies serve metrics to Prometheus, of requests, instances, connections and certificates: on a port of their own, which the
   * NetworkPolicy opens to the scraper alone.
   *
   * @example
   * edge.addMonitoring({ podMonitor: true, alerts: true, grafanaDashboard: true });
   */
  addMonitoring(options: MonitoringOptions = {}): void {
    named(`${this.node.path}, addMonitoring`, () => {
      if (this.measured !== undefined) {
        throw new InvalidOption('options', '(object)', 'are given a second time: give all of them in one call');
      }
      const settings = monitoringSettings(options);
      const { port, maxSeries, allowFrom, annotations = settings.podMonitor === undefined, dashboard } = settings;
      if (dashboard !== undefined) this.namespace.reserve(...Object.values(dashboardNames(this.node.id)));
      if (allowFrom === undefined) this.networkPolicy.allowFromPodsAnywhere(prometheusLabels, port);
      for (const peer of allowFrom ?? []) this.networkPolicy.allowFrom(peer, port);
      this.deployment.serveMetrics({ port, workers: this.settings.workers, maxSeries }, annotations);
      this.completed = undefined;
      this.measured = settings;
      this.monitoring = new Monitoring(this, 'Monitoring', {
        name: this.node.id,
        namespace: this.namespace.name,
        labels: recommendedLabels(this.identity, 'monitoring'),
        matchLabels: this.matchLabels,
        settings,
      });
      if (dashboard !== undefined) this.addDashboard(dashboard, port);
    });
  }

  /** What nginx.conf is made from. */
  get model(): ProxyModel {
    return this.complete().model;
  }

  /** Every timeout of the proxy, for all its routes. */
  get timeline(): Timeline {
    return this.complete().timeline;
  }

  /** How much one proxy takes on at a time, and what of. */
  get budget(): Budget {
    return this.complete().budget;
  }

  /** Every route of every host. */
  get routes(): readonly Route[] {
    return this.node.findAll().filter((construct) => construct instanceof Route);
  }

  /** What times of its routes are derived with. */
  get times(): TimesAround {
    const { settings, namespace } = this;
    return {
      ...namespace.model.times,
      deregistrationDelay: `${settings.exposure.deregistrationDelay}s`,
      clientKeepAliveTimeout: `${settings.clients.keepAliveTimeout}s`,
      certificateValid: `${settings.certificateValid}s`,
    };
  }

  /** Lets the pods of a backend take connections of the proxies. */
  connect(backend: Backend): void {
    const { id } = backend.node;
    if (this.backends.has(id)) return;
    this.backends.set(id, backend);
    backend.letIn(this.matchLabels);
  }

  /** What lets the proxies connect to external services of routes. The proxies of before still ask those that go. */
  get externalPolicy(): PodNetworkPolicy {
    const labels = recommendedLabels(this.identity, 'proxy');
    const { node, matchLabels } = this;
    this.routePolicy ??= routePolicy(this, { name: `${node.id}-to`, labels, matchLabels, egress: [] });
    return this.routePolicy;
  }

  /** A Service is known by its name; what is behind it listens on the same port. */
  private connectCollector(collector: ServiceUrl): void {
    const { networkPolicy, namespace } = this;
    const { clusterDomain } = namespace.model;
    const ofService = `.svc.${clusterDomain}`;
    if (!collector.host.endsWith(ofService)) {
      networkPolicy.allowToNetworks(networksOf(collector), collector.port);
      return;
    }
    const name = collector.host.slice(0, -ofService.length).split('.').at(-1);
    networkPolicy.allowToNamespace(name === namespace.name ? undefined : name, collector.port);
  }

  /** Every backend that a route leads to, by name. */
  get targets(): readonly Backend[] {
    return [...this.backends.values()].sort((a, b) => (a.node.id < b.node.id ? -1 : 1));
  }

  /** Called by a route that is another now. */
  changed(): void {
    this.completed = undefined;
  }

  /** Called by a host that gets a route. */
  addRouteOf(host: RouteHost, path: string | Path, target: IRouteTarget, options: RouteOptions): Route {
    this.completed = undefined;
    const where = named(host.node.path, () => Path.of(path));
    const route = new Route(host, where, target, options);
    if (route.model.target.kind === 'split') this.weights ??= this.weightsOfRoutes();
    return route;
  }

  private weightsOfRoutes(): WeightsConfigMap {
    const configMap = new WeightsConfigMap(this, 'Weights', {
      name: `${this.node.id}-weights`,
      labels: recommendedLabels(this.identity, 'weights'),
      weights: () =>
        Object.fromEntries(
          this.routes.flatMap(({ model: { name, target } }) =>
            target.kind === 'split'
              ? [[name, Object.fromEntries(target.shares.map(({ backend, weight }) => [backend, weight]))]]
              : [],
          ),
        ),
    });
    patchWhatIsWritten(configMap);
    this.deployment.mountWeights(configMap);
    return configMap;
  }

  private addDashboard(dashboard: NonNullable<MonitoringSettings['dashboard']>, metricsPort: number): void {
    const { settings, namespace } = this;
    const { httpsPort } = settings.exposure;
    this.dashboard = new Dashboard(this, 'Dashboard', {
      name: this.node.id,
      namespace: namespace.model,
      proxyLabels: this.matchLabels,
      metricsPort,
      pods: settings.pods,
      unreachableToleration: proxyTimeline(this.times).unreachableToleration,
      settings: dashboard,
      url: `https://${settings.host}${httpsPort === 443 ? '' : `:${httpsPort}`}`,
      nginx: settings.image,
      complete: () => ({ model: this.model, backends: this.targets, weights: this.weights }),
    });
    this.networkPolicy.allowFromPods(this.dashboard.matchLabels, metricsPort);
  }

  private complete(): CompleteProxy {
    const { settings, namespace, times, targets: backends, snippets } = this;
    const parts = {
      ...{ id: this.node.id, settings, namespace: namespace.model, times, backends, snippets },
      ...{ hosts: this.hosts.all, metrics: this.measured },
    };
    this.completed ??= named(this.node.path, () => completeProxy({ ...parts, hasWeights: this.weights !== undefined }));
    return this.completed;
  }
}

/** The port in `dns.example.com:5353` or `[fd00::a]:5353`. */
function resolverPort(resolver: string): number {
  const port = /[^:\]]:(\d+)$|\]:(\d+)$/.exec(resolver);
  return Number(port?.[1] ?? port?.[2] ?? 53);
}
