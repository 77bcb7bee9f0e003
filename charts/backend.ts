import { ApiObject, Duration, JsonPatch, Size } from 'cdk8s';
import { type INetworkPolicyPeer, Probe, Service, ServiceType, Volume } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import type { BackendModel } from '../model/proxy';
import type { IMirrorTarget } from '../model/routes/mirror';
import type { AuthTarget } from '../model/auth/external';
import type { RouteBackend, TargetModel } from '../model/routes/route';
import { apiProbes, type ProbeTimes, type Timeline } from '../model/timeline';
import { InvalidOption, named } from '../validation/invalid-option';
import { dnsLabelName } from '../validation/names';
import { type BackendProps, type BackendSettings, backendSettings } from './backend-props';
import { type Identity, recommendedLabels, selectorLabels, versionLabel } from './labels';
import { ipFamilyPatches, RestrictedNamespace } from './namespace';
import { patchWhatIsWritten, pathOf } from './patches';
import { type Autoscaler, autoscaler, mostPods, PodDisruptionBudget, type ScaledObject } from './pods/autoscaling';
import { PodNetworkPolicy, routePolicy } from './pods/pod-network-policy';
import { imagePullPolicy } from './pods/pod-options';
import { RollingDeployment } from './pods/rolling-deployment';
import { temporaryDirectory, temporaryVolume } from './pods/volume-mounts';
import type { IRouteTarget, Route } from './routes/route';

/** What a Service of ours has behind the name of its backend. */
const clusterIpSuffix = '-cluster-ip';

/**
 * An API: its Deployment, a headless Service whose DNS records nginx follows, an ordinary Service as the fallback, an autoscaler,
 * a disruption budget and a NetworkPolicy. Its objects have the id of the construct as their name.
 *
 * @example
 * const orders = new Backend(shop, 'orders', { image: 'ghcr.io/acme/orders:1.4.2', replicas: { min: 3, max: 12 } });
 * edge.addRoute('/orders', orders);
 */
export class Backend extends Construct implements IRouteTarget, IMirrorTarget {
  readonly settings: BackendSettings;
  readonly deployment: RollingDeployment;
  /** Its DNS records are the addresses of the ready pods. */
  readonly headlessService: Service;
  /**
   * One address that never changes: the fallback, for when DNS names no pod that can be reached. kube-proxy knows the pods from
   * the API server, and refuses at once when there are none.
   */
  readonly clusterIpService: Service;
  /** KEDA's if a metric is; undefined when `replicas` is a number. */
  readonly autoscaler: Autoscaler | ScaledObject | undefined;
  readonly disruptionBudget: PodDisruptionBudget;
  readonly networkPolicy: PodNetworkPolicy;

  private readonly namespace: RestrictedNamespace;
  private readonly identity: Identity;
  private routePolicy: PodNetworkPolicy | undefined;

  constructor(
    private readonly scope: Construct,
    id: string,
    /** What was given for it. */
    readonly props: BackendProps,
  ) {
    const { namespace, settings } = named(pathOf(scope, id), () => {
      const around = RestrictedNamespace.around(scope);
      backendName(id);
      around.reserve(id, `${id}${clusterIpSuffix}`);
      return { namespace: around, settings: backendSettings(props, around.model) };
    });
    super(scope, id);
    this.namespace = namespace;
    this.settings = settings;
    this.identity = { name: settings.versionOf ?? id, instance: id, namespace: namespace.name };
    const labels = recommendedLabels(this.identity, 'api');
    const matchLabels = selectorLabels(this.identity);

    this.networkPolicy = new PodNetworkPolicy(this, 'NetworkPolicy', { name: id, labels, matchLabels, ingress: [] });
    this.headlessService = this.service('Service', id, { clusterIP: 'None' });
    ApiObject.of(this.headlessService).addJsonPatch(JsonPatch.add('/spec/publishNotReadyAddresses', false));
    this.clusterIpService = this.service('ClusterIpService', `${id}${clusterIpSuffix}`, {});
    this.deployment = this.pods(labels, matchLabels);
    const { replicas } = settings;
    this.autoscaler = autoscaler(this, { name: id, labels, target: this.deployment, replicas });
    this.disruptionBudget = new PodDisruptionBudget(this, 'PodDisruptionBudget', { name: id, labels, matchLabels });
    patchWhatIsWritten(this);
  }

  get timeline(): Timeline {
    return this.settings.timeline;
  }

  /**
   * Another version beside this one, with a Deployment, Services and an autoscaler of its own: the same options with some changed.
   * Its name is that of this backend and the id. It stays when this backend goes: `new Backend(shop, 'orders-v2', { …, versionOf: 'orders' })` is the same.
   *
   * @example
   * const canary = orders.addVersion('canary', { image: 'ghcr.io/acme/orders:1.5.0', replicas: { min: 2, max: 4 } });
   */
  addVersion(id: string, changes: Partial<Omit<BackendProps, 'versionOf'>> = {}): Backend {
    const versionOf = this.identity.name;
    return new Backend(this.scope, `${versionOf}-${id}`, { ...this.props, ...changes, versionOf });
  }

  /** Lets a peer connect to the API, beside the proxies of its routes; on its port if no other is given. */
  allowFrom(peer: INetworkPolicyPeer, port: number = this.settings.port): void {
    named(this.node.path, () => {
      this.networkPolicy.allowFrom(peer, port);
    });
  }

  /** Called by a proxy that has its first route to it. The proxies of before still ask when the last one goes, or its port is another. */
  letIn(proxyLabels: Readonly<Record<string, string>>): void {
    const labels = recommendedLabels(this.identity, 'api');
    const { node, matchLabels } = this;
    this.routePolicy ??= routePolicy(this, { name: `${node.id}-from`, labels, matchLabels, ingress: [] });
    this.routePolicy.allowFromPods(proxyLabels, this.settings.port);
  }

  /** Lets the API connect to a peer, on every port if none is given. The first call closes everything else but DNS. */
  allowTo(peer: INetworkPolicyPeer, port?: number): void {
    named(this.node.path, () => {
      this.networkPolicy.allowTo(peer, port);
    });
  }

  bindRoute(route: Route): TargetModel {
    this.refuseOtherNamespace('target', route);
    route.connect(this);
    return { kind: 'backend', backend: this.node.id };
  }

  bindMirror({ proxy }: Route): RouteBackend {
    this.refuseOtherNamespace('mirror', { proxy });
    proxy.connect(this);
    return { name: this.node.id, protocol: this.settings.protocol, requestTimeout: this.timeline.requestTimeout };
  }

  bindAuth({ proxy }: Route): AuthTarget {
    this.refuseOtherNamespace('auth', { proxy });
    if (this.settings.protocol === 'grpc') {
      throw new InvalidOption(
        'auth',
        this.node.path,
        'speaks gRPC, and is asked over HTTP/1.1 who may use a route: give a backend that answers it',
      );
    }
    proxy.connect(this);
    return { kind: 'backend', backend: this.node.id };
  }

  /** How a proxy sees it. */
  get model(): BackendModel {
    const { settings, namespace } = this;
    const domain = `${namespace.name}.svc.${namespace.model.clusterDomain}`;
    const host = `${this.node.id}.${domain}`;
    const { keepAliveTimeout, upstreamKeepAliveTimeout } = settings.timeline;
    return {
      name: this.node.id,
      // With address records all pods have one name; a hash needs one for each, which SRV records have.
      instances:
        settings.loadBalancing.method === 'hash' ? { host, service: settings.protocol } : { host, port: settings.port },
      fallback: `${this.node.id}${clusterIpSuffix}.${domain}:${settings.port}`,
      loadBalancing: settings.loadBalancing,
      maxFails: settings.maxFails,
      failTimeout: settings.failTimeout,
      mostInstances: mostPods(settings.replicas),
      keepAliveTimeout,
      upstreamKeepAliveTimeout,
      ...(settings.protocol === 'http' ? {} : { protocol: settings.protocol }),
      healthCheckPath: settings.protocol === 'http' ? settings.healthCheck.path : grpcHealthCheck,
      ...(settings.versionOf === undefined ? {} : { version: versionNamed(this.node.id, settings.versionOf) }),
    };
  }

  get matchLabels(): Readonly<Record<string, string>> {
    return selectorLabels(this.identity);
  }

  private refuseOtherNamespace(option: string, { proxy }: Pick<Route, 'proxy'>): void {
    if (proxy.namespace === this.namespace) return;
    throw new InvalidOption(
      option,
      this.node.path,
      `is in the namespace ${this.namespace.name}, and the proxy in ${proxy.namespace.name}: make both in one`,
    );
  }

  private service(id: string, name: string, more: { readonly clusterIP?: string }): Service {
    const { port, protocol } = this.settings;
    const service = new Service(this, id, {
      metadata: { name, labels: recommendedLabels(this.identity, 'api') },
      type: ServiceType.CLUSTER_IP,
      // The name makes the SRV record `_http._tcp` or `_grpc._tcp`. The pods' own port: some network plugins judge a connection before its address
      // is exchanged for a pod's.
      ports: [{ name: protocol, port, targetPort: port }],
      ...more,
    });
    for (const [key, value] of Object.entries(this.matchLabels)) service.selectLabel(key, value);
    ApiObject.of(service).addJsonPatch(...ipFamilyPatches(this.namespace.model));
    if (protocol === 'grpc') {
      // HTTP/2 without TLS, as Kubernetes calls it: for service meshes and network plugins that look into connections.
      ApiObject.of(service).addJsonPatch(JsonPatch.add('/spec/ports/0/appProtocol', 'kubernetes.io/h2c'));
    }
    return service;
  }

  private pods(labels: Readonly<Record<string, string>>, matchLabels: Readonly<Record<string, string>>) {
    const { settings, namespace } = this;
    const { port, protocol, timeline, volumes, command, args, healthCheck } = settings;
    const allLabels = { ...labels, ...versionLabel(settings.image) };
    const deployment = new RollingDeployment(this, 'Deployment', {
      name: this.node.id,
      labels: allLabels,
      podLabels: { ...namespace.model.labels, ...allLabels },
      matchLabels,
      replicas: 'fixed' in settings.replicas ? settings.replicas.fixed : undefined,
      revisionHistoryLimit: namespace.model.revisionHistoryLimit,
      pods: settings.pods,
      unreachableToleration: timeline.unreachableToleration,
      preStop: timeline.apiPreStop,
      terminationGracePeriod: timeline.apiTerminationGracePeriod,
      resources: settings.resources,
      securityContext: {},
      container: {
        name: 'api',
        image: settings.image,
        imagePullPolicy: imagePullPolicy(settings.pods),
        ...(command === undefined ? {} : { command: [...command] }),
        ...(args === undefined ? {} : { args: [...args] }),
        ports: [{ name: protocol, number: port }],
        envVariables: { ...settings.environment },
        envFrom: [...settings.envFrom],
        volumeMounts: [...volumes],
        securityContext: {
          ensureNonRoot: true,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          ...(settings.pods.user === undefined ? {} : { user: settings.pods.user }),
        },
        startup: probe(settings, healthCheck.liveness, apiProbes.startup),
        readiness: probe(settings, healthCheck.readiness, apiProbes.readiness),
        liveness: probe(settings, healthCheck.liveness, apiProbes.liveness),
      },
    });
    if (protocol === 'grpc') ApiObject.of(deployment).addJsonPatch(...grpcProbes(settings));
    // cdk8s-plus-27 cannot set it.
    ApiObject.of(deployment).addJsonPatch(
      JsonPatch.add(
        '/spec/template/spec/containers/0/livenessProbe/terminationGracePeriodSeconds',
        apiProbes.liveness.terminationGracePeriod,
      ),
    );
    if (!volumes.some(({ path }) => path === temporaryDirectory)) {
      const sizeLimit = Size.gibibytes(1);
      deployment.containers[0]?.mount(
        temporaryDirectory,
        Volume.fromEmptyDir(deployment, 'Tmp', temporaryVolume, { sizeLimit }),
      );
    }
    return deployment;
  }
}

/** What a version is called beside the backend that it is of: `canary` of `orders-canary`. */
function versionNamed(id: string, of: string): BackendModel['version'] {
  return { of, name: id.startsWith(`${of}-`) ? id.slice(of.length + 1) : id };
}

/** Refuses an id that the objects of a backend cannot have as their name. */
export function backendName(id: string): void {
  dnsLabelName('id', id);
  const room = 63 - clusterIpSuffix.length;
  if (id.length > room) {
    throw new InvalidOption('id', id, `is too long for the name of a Service behind it: give at most ${room} letters`);
  }
}

function probe(
  { port, protocol }: BackendSettings,
  path: string,
  { period, timeout, failureThreshold }: ProbeTimes,
): Probe {
  const options = {
    port,
    periodSeconds: Duration.seconds(period),
    timeoutSeconds: Duration.seconds(timeout),
    failureThreshold,
  };
  // What is put into the place of the latter, cdk8s-plus-27 has no name for.
  return protocol === 'http' ? Probe.fromHttpGet(path, options) : Probe.fromTcpSocket(options);
}

/** The method that every server with the health protocol of gRPC has. @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const grpcHealthCheck = '/grpc.health.v1.Health/Check';

/** The kubelet asks by the health protocol of gRPC. @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#define-a-grpc-liveness-probe */
function grpcProbes({ port, healthCheck: { liveness, readiness } }: BackendSettings): JsonPatch[] {
  const probes = { startupProbe: liveness, readinessProbe: readiness, livenessProbe: liveness };
  return Object.entries(probes).flatMap(([name, service]) => {
    const path = `/spec/template/spec/containers/0/${name}`;
    const grpc = { port, ...(service === '' ? {} : { service }) };
    return [JsonPatch.remove(`${path}/tcpSocket`), JsonPatch.add(`${path}/grpc`, grpc)];
  });
}
