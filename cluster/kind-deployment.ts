import { join } from 'node:path';
import { leastReplicas } from './autoscalers';
import { ExternalCommandFailure } from './external-command';
import type { KindCluster } from './kind-cluster';
import type { HostPorts } from './kind-config';
import { synthesizeForKind } from './kind-manifests';
import { applyMetricsServer, metricsServed } from './metrics-server';
import { buildApiImage, loadImage, pullMissingImage } from './node-images';
import type { Progress } from './progress';
import { type Deployment, deploymentsOf, rolledOut } from './rollouts';

/** The image that the kind environment asks for; it exists nowhere but on this machine. */
const apiImage = 'fairlead-api:dev';
const proxyImage = 'nginx:1.30';

export interface KindDeployment {
  /** The directory that was applied. */
  readonly manifests: string;
  readonly synthSeconds: number;
}

/** Everything between an empty cluster, or one of earlier, and a deployment of this checkout that is ready. */
export async function deployToKind(
  cluster: KindCluster,
  ports: HostPorts,
  progress: Progress,
  signal?: AbortSignal,
  environment: Readonly<Record<string, string>> = { FAIRLEAD_ENVIRONMENT: 'kind' },
): Promise<KindDeployment> {
  const { kubectl } = cluster;
  const manifests = join(cluster.directory, 'manifests');
  let synthSeconds = Number.NaN;
  await progress.step('cdk8s synth', async () => {
    const begin = performance.now();
    await synthesizeForKind({ ports, output: manifests, environment }, signal);
    synthSeconds = (performance.now() - begin) / 1000;
  });
  await applyMetricsServer(kubectl, signal);
  await progress.step(`image ${apiImage}, built`, () => buildApiImage(apiImage, signal));
  const apiImageIsNew = await progress.step('images, loaded into the nodes', async () => {
    await loadProxyImage(cluster, signal);
    return loadImage(cluster, apiImage, signal);
  });
  const before = new Set((await existingDeployments(cluster, signal)).map(fullName));
  await progress.step(`kubectl apply -f ${manifests}`, () =>
    kubectl.run(['apply', `--filename=${manifests}`], { signal }),
  );
  for (const deployment of await deploymentsOf(kubectl, manifests, signal)) {
    await progress.step(`deployment ${fullName(deployment)}, ready`, async (doing) => {
      // The image has the name that it had before: nothing else would make the pods new ones.
      if (apiImageIsNew && before.has(fullName(deployment)) && runs(deployment, apiImage)) {
        const { name, namespace = 'default' } = deployment.metadata;
        await kubectl.run(['rollout', 'restart', `deployment/${name}`, `--namespace=${namespace}`], { signal });
      }
      await rolledOut(kubectl, deployment, doing, signal);
    });
  }
  await progress.step('autoscalers, at their least', (doing) => leastReplicas(kubectl, manifests, doing, signal));
  await progress.step('metrics-server', async (doing) => {
    if (!(await metricsServed(kubectl, signal))) {
      doing('it serves no metrics (could its image be pulled?): the HorizontalPodAutoscalers will not scale');
    }
  });
  return { manifests, synthSeconds };
}

function existingDeployments({ kubectl }: KindCluster, signal?: AbortSignal): Promise<Deployment[]> {
  return kubectl.list<Deployment>(['deployments', '--all-namespaces'], { signal });
}

function fullName({ metadata }: Deployment): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`;
}

function runs({ spec }: Deployment, image: string): boolean {
  return spec.template.spec.containers.some((container) => container.image === image);
}

async function loadProxyImage(cluster: KindCluster, signal?: AbortSignal): Promise<void> {
  try {
    await pullMissingImage(proxyImage, signal);
    await loadImage(cluster, proxyImage, signal);
  } catch (error) {
    // It is public, and the nodes pull what they lack: loading only saves them that.
    if (!(error instanceof ExternalCommandFailure)) throw error;
  }
}
