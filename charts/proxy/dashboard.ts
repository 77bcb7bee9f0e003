import { ConfigMap, k8s, Volume } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import type { ClusterConfiguration } from '../../dashboard/cluster/cluster-system';
import { program, programFiles } from '../../dashboard/cluster/program-files';
import type { ProxyModel } from '../../model/proxy';
import { describedRoutes } from '../../model/routes/description';
import { port } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import { imageReference } from '../../validation/names';
import { type Table, type Values, withDefault } from '../../validation/options';
import type { Backend } from '../backend';
import { type Identity, recommendedLabels, selectorLabels } from '../labels';
import { ipFamilyPatches, type NamespaceModel } from '../namespace';
import { immutableName, patchWhatIsWritten, whenWritten } from '../patches';
import { dns, PodNetworkPolicy } from '../pods/pod-network-policy';
import { imagePullPolicy, type PodModel } from '../pods/pod-options';
import { type DeploymentManifest, RollingDeployment } from '../pods/rolling-deployment';
import type { WeightsConfigMap } from './nginx-deployment';
import { metricsPortName, weightsFile } from './nginx-pod';

/** The page that shows live what proxies do. */
export interface DashboardOptions {
  /**
   * The image that runs it: nothing of it but Node 20 or newer, and not as root. The program is in a ConfigMap.
   *
   * @default 'node:26-slim'
   * @see https://hub.docker.com/_/node
   */
  readonly image?: string;

  /**
   * The port on the loopback address of its pod, which `kubectl port-forward` leads to and nothing else reaches.
   *
   * @default 9114
   * @see https://kubernetes.io/docs/tasks/access-application-cluster/port-forward-access-application-cluster/
   */
  readonly port?: number;
}

export const dashboardOptions = {
  image: withDefault('node:26-slim', imageReference),
  port: withDefault(9114, port),
} satisfies Table<DashboardOptions>;

/** The user `node` of the image. */
const nodeUser = 1000;
const directory = '/dashboard';
const systemFile = 'system.json';
const weightsDirectory = '/weights';
const programVolume = 'program';
const longestLabel = 63;

interface DashboardProps {
  /** Of the proxy. */
  readonly name: string;
  readonly namespace: NamespaceModel;
  readonly proxyLabels: Readonly<Record<string, string>>;
  readonly metricsPort: number;
  readonly pods: PodModel;
  /** In seconds. */
  readonly unreachableToleration: number;
  readonly settings: Values<typeof dashboardOptions>;
  /** Where clients ask, and the image of the proxies. */
  readonly url: string;
  readonly nginx: string;
  /** Known when every route is. */
  readonly complete: () => {
    readonly model: ProxyModel;
    readonly backends: readonly Backend[];
    readonly weights: WeightsConfigMap | undefined;
  };
}

/** What its objects are called, of a proxy with this name. */
export function dashboardNames(name: string): { readonly own: string; readonly metrics: string } {
  const own = `${name}-dashboard`;
  if (own.length > longestLabel) {
    throw new InvalidOption(
      'dashboard',
      own,
      `is too long for a name: give the proxy one of at most ${longestLabel - '-dashboard'.length} letters`,
    );
  }
  return { own, metrics: `${name}-metrics` };
}

/** A pod that finds proxies and instances by DNS, and reads the metrics of the former. It has no rights in the cluster, and nobody connects to it. */
export class Dashboard extends Construct {
  readonly configMap: ConfigMap;
  readonly deployment: RollingDeployment;
  /** The addresses of the proxies, of those too that are not ready, in DNS. */
  readonly service: k8s.KubeService;
  readonly networkPolicy: PodNetworkPolicy;
  readonly matchLabels: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    const { name, namespace, proxyLabels, metricsPort, settings } = props;
    const names = dashboardNames(name);
    const identity: Identity = { name: 'dashboard', instance: name, namespace: namespace.name };
    const labels = recommendedLabels(identity, 'dashboard');
    this.matchLabels = selectorLabels(identity);
    const files = (): Readonly<Record<string, string>> => ({
      ...programFiles(),
      [systemFile]: `${JSON.stringify(configurationOf(props), undefined, 2)}\n`,
    });

    this.service = new k8s.KubeService(this, 'Service', {
      metadata: { name: names.metrics, labels: recommendedLabels(identity, 'dashboard') },
      spec: {
        clusterIp: 'None',
        publishNotReadyAddresses: true,
        selector: { ...proxyLabels },
        ports: [
          {
            name: metricsPortName,
            port: metricsPort,
            targetPort: k8s.IntOrString.fromNumber(metricsPort),
            protocol: 'TCP',
          },
        ],
      },
    });
    this.service.addJsonPatch(...ipFamilyPatches(namespace));
    this.networkPolicy = new PodNetworkPolicy(this, 'NetworkPolicy', {
      name: names.own,
      labels,
      matchLabels: this.matchLabels,
      ingress: [],
      egress: [dns([53])],
    });
    this.networkPolicy.allowToPods(proxyLabels, metricsPort);
    this.configMap = new ConfigMap(this, 'ConfigMap', {
      metadata: { name: names.own, labels: { ...labels } },
      immutable: true,
    });
    whenWritten(this.configMap, (manifest: { metadata: { name: string }; data: Record<string, string> }) => {
      const all = files();
      manifest.metadata.name = immutableName(names.own, all);
      manifest.data = Object.fromEntries(Object.entries(all).map(([path, text]) => [keyOf(path), text]));
    });
    this.deployment = new RollingDeployment(this, 'Deployment', {
      name: names.own,
      labels,
      podLabels: { ...namespace.labels, ...labels },
      matchLabels: this.matchLabels,
      replicas: 1,
      revisionHistoryLimit: namespace.revisionHistoryLimit,
      pods: { ...props.pods, annotations: {} },
      unreachableToleration: props.unreachableToleration,
      preStop: 1,
      terminationGracePeriod: 10,
      resources: {
        cpu: { request: '10m', limit: '500m' },
        memory: { request: '64Mi', limit: '192Mi' },
        ephemeralStorage: { request: '16Mi' },
      },
      securityContext: { user: nodeUser, group: nodeUser },
      container: {
        name: 'dashboard',
        image: settings.image,
        imagePullPolicy: imagePullPolicy(props.pods),
        command: ['node', `${directory}/${program}`, `${directory}/${systemFile}`],
        securityContext: {
          ensureNonRoot: true,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          user: nodeUser,
          group: nodeUser,
        },
      },
    });
    const [container] = this.deployment.containers;
    const configMap = ConfigMap.fromConfigMapName(this, 'Program', names.own);
    const items = Object.fromEntries(
      [...Object.keys(programFiles()), systemFile].map((path) => [keyOf(path), { path }]),
    );
    container?.mount(directory, Volume.fromConfigMap(this, 'Volume', configMap, { name: programVolume, items }), {
      readOnly: true,
    });
    whenWritten(this.deployment, (manifest: DeploymentManifest) => {
      const { spec } = manifest.spec.template;
      for (const { name: volume, configMap: source } of spec.volumes) {
        if (volume === programVolume && source !== undefined) source.name = immutableName(names.own, files());
      }
      const { weights } = props.complete();
      if (weights === undefined) return;
      spec.volumes.push({ name: 'weights', configMap: { name: weights.name } });
      spec.containers[0]?.volumeMounts.push({ name: 'weights', mountPath: weightsDirectory, readOnly: true });
    });
    patchWhatIsWritten(this);
  }
}

function configurationOf({
  name,
  namespace,
  metricsPort,
  settings,
  url,
  nginx,
  complete,
}: DashboardProps): ClusterConfiguration {
  const { model, backends, weights } = complete();
  const domain = `${namespace.name}.svc.${namespace.clusterDomain}`;
  return {
    nginx,
    url,
    namespace: namespace.name,
    port: settings.port,
    proxies: { host: `${dashboardNames(name).metrics}.${domain}`, port: metricsPort },
    backends: backends.map(({ node: { id }, settings: { image, port: own }, model: { version } }) => ({
      name: id,
      backend: version?.of ?? id,
      version: version?.name ?? '',
      program: image,
      host: `${id}.${domain}`,
      port: own,
    })),
    routes: describedRoutes(model.hosts),
    families: (namespace.ipFamilies ?? ['IPv4']).map((family) => (family === 'IPv6' ? 6 : 4)),
    ...(weights === undefined ? {} : { weightsFile: `${weightsDirectory}/${weightsFile}` }),
  };
}

/** A ConfigMap has no directories: its volume has, by the paths of its items. */
function keyOf(path: string): string {
  return path.replaceAll('/', '_');
}
