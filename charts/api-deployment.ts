import { ApiObject, Duration, JsonPatch, Size } from 'cdk8s';
import { Probe, Volume } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { apiProbes, type ProbeTimes } from '../model/timeline';
import { recommendedLabels, selectorLabels, versionLabel } from './labels';
import type { Model } from './model';
import { RollingDeployment } from './rolling-deployment';
import { temporaryDirectory, temporaryVolume } from './volume-mounts';

/** The pods of the API. */
export class ApiDeployment extends RollingDeployment {
  constructor(scope: Construct, id: string, model: Model) {
    const { container, timeline } = model;
    const { port } = container;
    const labels = { ...recommendedLabels(model.name, 'api'), ...versionLabel(container.image) };
    const usesTmp = container.volumes.some(({ path }) => path === temporaryDirectory);
    const mounts = [...container.volumes];
    super(scope, id, {
      name: 'api',
      labels,
      podLabels: { ...model.labels, ...labels },
      matchLabels: selectorLabels(model.name, 'api'),
      replicas: 'fixed' in model.replicas ? model.replicas.fixed : undefined,
      revisionHistoryLimit: model.revisionHistoryLimit,
      imagePullSecrets: container.imagePullSecrets,
      preStop: timeline.apiPreStop,
      terminationGracePeriod: timeline.apiTerminationGracePeriod,
      resources: container.resources,
      securityContext: {},
      container: {
        name: 'api',
        image: container.image,
        imagePullPolicy: container.imagePullPolicy,
        ...(container.command === undefined ? {} : { command: [...container.command] }),
        ...(container.args === undefined ? {} : { args: [...container.args] }),
        ports: [{ name: 'http', number: port }],
        envVariables: { ...container.environment },
        envFrom: [...container.envFrom],
        volumeMounts: mounts,
        securityContext: {
          ensureNonRoot: true,
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          ...(container.user === undefined ? {} : { user: container.user }),
        },
        startup: probe(container.livenessPath, port, apiProbes.startup),
        readiness: probe(container.readinessPath, port, apiProbes.readiness),
        liveness: probe(container.livenessPath, port, apiProbes.liveness),
      },
    });
    // cdk8s-plus-27 cannot set it.
    ApiObject.of(this).addJsonPatch(
      JsonPatch.add(
        '/spec/template/spec/containers/0/livenessProbe/terminationGracePeriodSeconds',
        apiProbes.liveness.terminationGracePeriod,
      ),
    );
    if (!usesTmp) {
      this.containers[0]?.mount(
        temporaryDirectory,
        Volume.fromEmptyDir(this, 'Tmp', temporaryVolume, { sizeLimit: Size.gibibytes(1) }),
      );
    }
  }
}

function probe(path: string, port: number, { period, timeout, failureThreshold }: ProbeTimes): Probe {
  return Probe.fromHttpGet(path, {
    port,
    periodSeconds: Duration.seconds(period),
    timeoutSeconds: Duration.seconds(timeout),
    failureThreshold,
  });
}
