import { createHash } from 'node:crypto';
import { Duration, Size } from 'cdk8s';
import { ConfigMap, ConnectionScheme, EmptyDirMedium, ImagePullPolicy, Probe, Secret, Volume } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { lastGoodCertificateScript } from '../nginx/last-good-certificate-section';
import { recommendedLabels, selectorLabels, versionLabel } from './labels';
import type { Model } from './model';
import { certificateDirectory, certificateStore, httpPort, httpsPort, probePort } from './nginx-pod';
import { RollingDeployment } from './rolling-deployment';

/** MiB of `/tmp` that are not request bodies, and of the container's log, which the kubelet rotates (5 files of 10 MiB). */
const besidesBodies = 16;
const logMebibytes = 64;

/** User and group of nginx in its own image. */
const nginxUser = 101;

interface NginxDeploymentProps {
  readonly model: Model;
  readonly configMapName: string;
  readonly secretName: string;
}

/** The pods of nginx. */
export class NginxDeployment extends RollingDeployment {
  constructor(scope: Construct, id: string, { model, configMapName, secretName }: NginxDeploymentProps) {
    const { proxy, timeline } = model;
    const labels = { ...recommendedLabels(model.name, 'proxy'), ...versionLabel(proxy.image) };
    super(scope, id, {
      name: 'nginx',
      labels,
      podLabels: { ...model.labels, ...labels },
      matchLabels: selectorLabels(model.name, 'proxy'),
      replicas: 'fixed' in proxy.replicas ? proxy.replicas.fixed : undefined,
      revisionHistoryLimit: model.revisionHistoryLimit,
      imagePullSecrets: [],
      preStop: timeline.proxyPreStop,
      terminationGracePeriod: timeline.proxyTerminationGracePeriod,
      resources: {
        cpu: proxy.cpu,
        memory: proxy.memory,
        ephemeralStorage: { request: '64Mi', limit: `${temporaryMebibytes(model) + logMebibytes}Mi` },
      },
      // The group reads the private key; its file belongs to root.
      securityContext: { user: nginxUser, group: nginxUser, fsGroup: nginxUser },
      container: {
        name: 'nginx',
        image: proxy.image,
        imagePullPolicy: ImagePullPolicy.IF_NOT_PRESENT,
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
          user: nginxUser,
          group: nginxUser,
        },
        // A new proxy has to reach the API before it replaces an old one, and waits for that as long as it takes.
        startup: probe('/startup', { periodSeconds: Duration.seconds(1), timeoutSeconds: Duration.seconds(5) }),
        readiness: probe('/healthz', { periodSeconds: Duration.seconds(5), failureThreshold: 2 }),
        liveness: probe('/healthz', { periodSeconds: Duration.seconds(10), failureThreshold: 6 }),
      },
    });
    const [container] = this.containers;
    const configMap = ConfigMap.fromConfigMapName(this, 'ConfigMap', configMapName);
    const config = Volume.fromConfigMap(this, 'Config', configMap, { name: 'config' });
    for (const file of ['nginx.conf', lastGoodCertificateScript.name]) {
      container?.mount(`/etc/nginx/${file}`, config, { subPath: file, readOnly: true });
    }
    const secret = Secret.fromSecretName(this, 'Secret', secretName);
    // A directory, never a subPath: only so does the kubelet bring a renewed certificate into a running pod.
    container?.mount(
      certificateDirectory,
      Volume.fromSecret(this, 'Tls', secret, { name: 'tls', defaultMode: 0o440 }),
      { readOnly: true },
    );
    // It outlives a restart of the container. A Secret holds 1 MiB at most: room for the pair served, one before, one to be proved.
    const store = { medium: EmptyDirMedium.MEMORY, sizeLimit: Size.mebibytes(4) };
    container?.mount(certificateStore, Volume.fromEmptyDir(this, 'Certificates', 'certificates', store));
    const sizeLimit = Size.mebibytes(temporaryMebibytes(model));
    container?.mount('/tmp', Volume.fromEmptyDir(this, 'Tmp', 'tmp', { sizeLimit }));
  }
}

function temporaryMebibytes({ budget }: Model): number {
  return Math.ceil(budget.temporaryStorage / 2 ** 20) + besidesBodies;
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
  constructor(scope: Construct, id: string, props: { readonly instance: string; readonly nginxConf: string }) {
    const { name, text } = lastGoodCertificateScript;
    const data = { 'nginx.conf': props.nginxConf, [name]: text };
    const hash = createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 10);
    super(scope, id, {
      metadata: { name: `nginx-${hash}`, labels: recommendedLabels(props.instance, 'nginx-config') },
      data,
      immutable: true,
    });
  }
}
