import { Duration, Size } from 'cdk8s';
import { ConfigMap, ConnectionScheme, EmptyDirMedium, Probe, Secret, Volume } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import type { AuthFile } from '../../model/auth/auth-file';
import { certificatesOf } from '../../model/proxy';
import type { Timeline } from '../../model/timeline';
import { accessTokensScript } from '../../nginx/auth/access-tokens-section';
import { authVariablesScript } from '../../nginx/auth/auth-variables-section';
import { awaitedBackendsScript } from '../../nginx/backends/awaited-backends-section';
import { liveWeightsScript } from '../../nginx/backends/live-weights-section';
import { lastMetricsConfName, untilScrapedCommand, untilScrapedScript } from '../../nginx/metrics/last-metrics';
import { metricsScriptNames, metricsVolume } from '../../nginx/metrics/metrics-section';
import { staleAnswersScript } from '../../nginx/routes/cache-section';
import { lastGoodCertificateScript } from '../../nginx/tls/last-good-certificate-section';
import { spansStorage, tracingScriptName } from '../../nginx/tracing/tracing-section';
import type { CompleteProxy } from './complete-proxy';
import { mountFiles } from '../routes/files-volumes';
import { versionLabel } from '../labels';
import type { NamespaceModel } from '../namespace';
import {
  authDirectory,
  authoritiesDirectory,
  cacheDirectory,
  certificateDirectory,
  certificateStore,
  hostCertificatesDirectory,
  httpPort,
  httpsPort,
  metricsDirectory,
  metricsPath,
  metricsPortName,
  probePort,
  spansDirectory,
  weightsDirectory,
  weightsFile,
} from './nginx-pod';
import type { NginxProxySettings } from './nginx-proxy-props';
import { immutableName, shortHash, whenWritten } from '../patches';
import { imagePullPolicy } from '../pods/pod-options';
import { type DeploymentManifest, RollingDeployment } from '../pods/rolling-deployment';

/** MiB of `/tmp` that are not request bodies, and of the container's log, which the kubelet rotates (5 files of 10 MiB). */
const besidesBodies = 16;
const logMebibytes = 64;

/** User and group of nginx in its own image. */
const nginxUser = 101;

/** Volumes that follow from the routes. */
const configVolume = 'config';
const temporaryVolume = 'tmp';
const authoritiesVolume = 'certificate-authorities';
const authVolume = 'auth';
const storeVolume = 'certificates';
const cacheVolume = 'kept-answers';

/** For each certificate. A Secret holds 1 MiB at most: room for the pair served, one before, one to be proved. */
const storeMebibytes = 4;

interface NginxDeploymentProps {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly settings: NginxProxySettings;
  readonly namespace: NamespaceModel;
  readonly secretName: string;
  /** What of the times does not follow from routes. */
  readonly timeline: Timeline;
  /** Known when every route is. */
  readonly complete: () => CompleteProxy;
}

/** The pods of nginx. */
export class NginxDeployment extends RollingDeployment {
  private readonly config: Volume;

  constructor(scope: Construct, id: string, props: NginxDeploymentProps) {
    const { settings, namespace } = props;
    const labels = { ...props.labels, ...versionLabel(settings.image) };
    const user = settings.pods.user ?? nginxUser;
    super(scope, id, {
      name: props.name,
      labels,
      podLabels: { ...namespace.labels, ...labels },
      matchLabels: props.matchLabels,
      replicas: 'fixed' in settings.replicas ? settings.replicas.fixed : undefined,
      revisionHistoryLimit: namespace.revisionHistoryLimit,
      pods: settings.pods,
      unreachableToleration: props.timeline.unreachableToleration,
      preStop: props.timeline.proxyPreStop,
      terminationGracePeriod: props.timeline.proxyTerminationGracePeriod,
      resources: { cpu: settings.cpu, memory: settings.memory, ephemeralStorage: { request: '64Mi', limit: '64Mi' } },
      // The group reads the private key; its file belongs to root.
      securityContext: { user, group: user, fsGroup: user },
      container: {
        name: 'nginx',
        image: settings.image,
        imagePullPolicy: imagePullPolicy(settings.pods),
        command: ['nginx', '-c', '/etc/nginx/nginx.conf'],
        ports: [
          { name: 'http', number: httpPort },
          { name: 'https', number: httpsPort },
          { name: 'probe', number: probePort },
        ],
        securityContext: {
          ensureNonRoot: true,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          user,
          group: user,
        },
        // A new proxy has to reach the API before it replaces an old one, and waits for that as long as it takes.
        startup: probe('/startup', { periodSeconds: Duration.seconds(1), timeoutSeconds: Duration.seconds(5) }),
        readiness: probe('/healthz', { periodSeconds: Duration.seconds(5), failureThreshold: 2 }),
        liveness: probe('/healthz', { periodSeconds: Duration.seconds(10), failureThreshold: 6 }),
      },
    });
    const [container] = this.containers;
    const configMap = ConfigMap.fromConfigMapName(this, 'ConfigMap', props.name);
    this.config = Volume.fromConfigMap(this, 'Config', configMap, { name: configVolume });
    for (const file of ['nginx.conf', lastGoodCertificateScript.name]) this.mountConfig(file);
    const secret = Secret.fromSecretName(this, 'Secret', props.secretName);
    // A directory, never a subPath: only so does the kubelet bring a renewed certificate into a running pod.
    container?.mount(
      certificateDirectory,
      Volume.fromSecret(this, 'Tls', secret, { name: 'tls', defaultMode: 0o440 }),
      { readOnly: true },
    );
    // It outlives a restart of the container.
    const store = { medium: EmptyDirMedium.MEMORY, sizeLimit: Size.mebibytes(storeMebibytes) };
    container?.mount(certificateStore, Volume.fromEmptyDir(this, 'Certificates', storeVolume, store));
    container?.mount('/tmp', Volume.fromEmptyDir(this, 'Tmp', temporaryVolume, { sizeLimit: Size.mebibytes(1) }));
    if (settings.tracing !== undefined) this.keepSpans(settings.workers);
    this.setTcpKeepAlive(props.timeline);
    this.completeWhenWritten(props);
  }

  /** Lets nginx read the certificate of a host. The pod starts without its Secret too, as it has other hosts. */
  mountCertificate(host: string, secretName: string): void {
    const secret = Secret.fromSecretName(this, `Secret of ${host}`, secretName);
    const name = `tls-${host.replaceAll('.', '-').slice(0, 46)}-${shortHash(host)}`;
    const volume = Volume.fromSecret(this, `Tls of ${host}`, secret, { name, defaultMode: 0o440, optional: true });
    this.containers[0]?.mount(`${hostCertificatesDirectory}/${host}`, volume, { readOnly: true });
  }

  /** Lets nginx read weights from a ConfigMap while it runs. */
  mountWeights({ name }: ConfigMap): void {
    this.mountConfig(liveWeightsScript.name);
    const configMap = ConfigMap.fromConfigMapName(this, 'WeightsConfigMap', name);
    // A directory, as that of the certificate is.
    const weights = Volume.fromConfigMap(this, 'Weights', configMap, { name: 'weights' });
    this.containers[0]?.mount(weightsDirectory, weights, { readOnly: true });
  }

  /** Lets nginx serve metrics on a port of its own. */
  serveMetrics(
    { port, workers, maxSeries }: { readonly port: number; readonly workers: number; readonly maxSeries: number },
    isAnnotated: boolean,
  ): void {
    for (const file of [...metricsScriptNames, lastMetricsConfName, untilScrapedScript.name]) this.mountConfig(file);
    this.mountMemory('Metrics', metricsDirectory, metricsVolume(workers, maxSeries));
    this.containers[0]?.addPort({ name: metricsPortName, number: port });
    if (!isAnnotated) return;
    this.podMetadata.addAnnotation('prometheus.io/scrape', 'true');
    this.podMetadata.addAnnotation('prometheus.io/port', String(port));
    this.podMetadata.addAnnotation('prometheus.io/path', metricsPath);
  }

  /** Lets nginx keep what its spans are made of until they are sent. */
  private keepSpans(workers: number): void {
    this.mountConfig(tracingScriptName);
    this.mountMemory('Spans', spansDirectory, spansStorage(workers));
  }

  private mountMemory(id: string, directory: string, bytes: number): void {
    const limited = { medium: EmptyDirMedium.MEMORY, sizeLimit: Size.mebibytes(Math.ceil(bytes / 2 ** 20)) };
    this.containers[0]?.mount(directory, Volume.fromEmptyDir(this, id, id.toLowerCase(), limited));
  }

  private mountConfig(file: string): void {
    this.containers[0]?.mount(`/etc/nginx/${file}`, this.config, { subPath: file, readOnly: true });
  }

  /** The configuration, and what has to suffice for it, follow from routes that are added until everything is written. */
  private completeWhenWritten({ name, complete, settings }: NginxDeploymentProps): void {
    whenWritten(this, (manifest: DeploymentManifest) => {
      const { model, timeline, budget, files, authoritySecrets, authFiles, staticFiles } = complete();
      const mebibytes = Math.ceil(budget.temporaryStorage / 2 ** 20) + besidesBodies;
      const ofFiles = Math.ceil((budget.files + budget.keptAnswers) / 2 ** 20);
      const ofCaches = Math.ceil(budget.cacheStorage / 2 ** 20);
      const beyondKept = Math.ceil((budget.cacheStorage - budget.keptAnswers) / 2 ** 20);
      const { spec } = manifest.spec.template;
      spec.terminationGracePeriodSeconds = timeline.proxyTerminationGracePeriod;
      const [container] = spec.containers;
      if (container !== undefined) {
        if (timeline.lastScrape > 0) {
          container.command = untilScrapedCommand('/etc/nginx', metricsDirectory, timeline.lastScrape);
        }
        const { requests, limits } = container.resources;
        limits['ephemeral-storage'] = `${mebibytes + ofFiles + beyondKept + logMebibytes}Mi`;
        requests['ephemeral-storage'] = `${ofFiles + logMebibytes}Mi`;
      }
      for (const { name: volume, configMap, emptyDir } of spec.volumes) {
        if (volume === configVolume && configMap !== undefined) configMap.name = immutableName(name, files);
        if (volume === temporaryVolume && emptyDir !== undefined) emptyDir.sizeLimit = `${mebibytes}Mi`;
        if (volume === storeVolume && emptyDir !== undefined) {
          emptyDir.sizeLimit = `${storeMebibytes * certificatesOf(model.hosts).length}Mi`;
        }
      }
      mountFiles(spec, staticFiles, settings.pods.imagePullPolicy);
      if (ofCaches > 0) {
        spec.volumes.push({ name: cacheVolume, emptyDir: { sizeLimit: `${ofCaches}Mi` } });
        container?.volumeMounts.push({ name: cacheVolume, mountPath: cacheDirectory });
      }
      for (const { name: script } of [awaitedBackendsScript, staleAnswersScript, authVariablesScript]) {
        if (script in files) container?.volumeMounts.push(mountOf(script));
      }
      const mount = (volume: { readonly name: string }, mountPath: string): void => {
        spec.volumes.push(volume);
        container?.volumeMounts.push({ name: volume.name, mountPath, readOnly: true });
      };
      if (authoritySecrets.length > 0) mount(authorities(authoritySecrets), authoritiesDirectory);
      if (authFiles.length > 0) mount(auth(authFiles), authDirectory);
      if (accessTokensScript.name in files) container?.volumeMounts.push(mountOf(accessTokensScript.name));
    });
  }
}

/** One file of the configuration, as `mountConfig` has it. */
function mountOf(file: string): object {
  return { name: configVolume, mountPath: `/etc/nginx/${file}`, subPath: file, readOnly: true };
}

/** A directory for each Secret with its CA alone: a key that may be beside it is nothing for a proxy. */
function authorities(secrets: readonly string[]) {
  const items = (name: string) => [{ key: 'ca.crt', path: `${name}/ca.crt` }];
  const sources = secrets.map((name) => ({ secret: { name, items: items(name) } }));
  return { name: authoritiesVolume, projected: { defaultMode: 0o444, sources } };
}

/**
 * Of each object the entry that is needed. One that is not there keeps no proxy from starting, and is brought when it comes; but for what nginx reads
 * when it starts, for which a new pod waits.
 */
function auth(files: readonly AuthFile[]) {
  const sources = files.map(({ kind, name, key, path, isNeededAtStart = false }) => ({
    [kind]: { name, items: [{ key, path }], ...(isNeededAtStart ? {} : { optional: true }) },
  }));
  return { name: authVolume, projected: { defaultMode: 0o440, sources } };
}

/** Over TLS, so that it proves the certificate too. */
function probe(
  path: string,
  options: { periodSeconds: Duration; timeoutSeconds?: Duration; failureThreshold?: number },
): Probe {
  return Probe.fromHttpGet(path, {
    port: probePort,
    scheme: ConnectionScheme.HTTPS,
    timeoutSeconds: Duration.seconds(2),
    // The greatest that Kubernetes takes, which is never.
    failureThreshold: 2 ** 31 - 1,
    ...options,
  });
}

/**
 * One configuration of nginx, for ever: the name carries the hash of the content. Another configuration is another
 * ConfigMap, and so a rollout that stops if its pods are never ready, and that can be rolled back.
 * @see https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable
 */
export class NginxConfigMap extends ConfigMap {
  constructor(
    scope: Construct,
    id: string,
    props: Pick<NginxDeploymentProps, 'name' | 'complete'> & { readonly labels: Readonly<Record<string, string>> },
  ) {
    super(scope, id, { metadata: { name: props.name, labels: { ...props.labels } }, immutable: true });
    whenWritten(this, (manifest: { metadata: { name: string }; data: Record<string, string> }) => {
      const { files } = props.complete();
      manifest.metadata.name = immutableName(props.name, files);
      manifest.data = { ...files };
    });
  }
}

/** How much of the requests of a route each backend has, by name. */
export type Weights = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Weights of routes that several backends share: nginx reads them while it runs, so that another weight is no rollout. */
export class WeightsConfigMap extends ConfigMap {
  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      readonly weights: () => Weights;
    },
  ) {
    super(scope, id, { metadata: { name: props.name, labels: { ...props.labels } } });
    whenWritten(this, (manifest: { data: Record<string, string> }) => {
      manifest.data = { [weightsFile]: `${JSON.stringify(props.weights(), undefined, 2)}\n` };
    });
  }
}
