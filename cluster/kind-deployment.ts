import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './command-line';
import { ExternalCommandFailure, run } from './external-command';
import type { KindCluster } from './kind-cluster';
import type { HostPorts } from './kind-config';
import type { Kubectl } from './kubectl';
import { buildApiImage, loadImage, pullMissingImage } from './node-images';
import type { Progress } from './progress';
import { type Deployment, deploymentsOf, leastReplicas, rolledOut } from './workloads';

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

/** What is synthesized, and where to. */
export interface KindSynthOptions {
  /** @default - that of cdk8s.yaml */
  readonly main?: string;
  /** The ports of this machine that lead to the proxies. */
  readonly ports: HostPorts;
  /** What lies in `dist/` may be meant for another cluster: another directory leaves it as it is. */
  readonly output: string;
  /** Variables for environments.ts. @default - the environment "kind" */
  readonly environment?: Readonly<Record<string, string>>;
}

/** `cdk8s synth` for a kind cluster. */
export async function synthesizeForKind(options: KindSynthOptions, signal?: AbortSignal): Promise<void> {
  const { main, ports, output, environment = { FAIRLEAD_ENVIRONMENT: 'kind' } } = options;
  const app = main === undefined ? [] : [`--app=node -r ts-node/register -r ./charts/one-line-errors.ts ${main}`];
  const cli = join(dirname(require.resolve('cdk8s-cli/package.json')), 'bin', 'cdk8s');
  try {
    await run(process.execPath, [cli, 'synth', ...app, `--output=${output}`, '--check-upgrade=false'], {
      env: {
        ...process.env,
        ...environment,
        FAIRLEAD_HTTP_PORT: String(ports.httpPort),
        FAIRLEAD_HTTPS_PORT: String(ports.httpsPort),
      },
      signal,
    });
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    throw new Failure(`cdk8s synth failed:\n${(error.stderr || error.stdout).trim()}`);
  }
}

/** How often both addresses are asked, once a second, before that counts as no answer. */
const attempts = 60;

/** Waits until HTTPS answers 200 and HTTP leads to it, through the very ports that a user will ask. */
export async function bothAnswer(ports: HostPorts, healthCheckPath: string, signal?: AbortSignal): Promise<void> {
  const { httpPort, httpsPort } = ports;
  let last = '';
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      const answer = await ask(`https://localhost:${httpsPort}${healthCheckPath}`);
      const redirect = await ask(`http://localhost:${httpPort}${healthCheckPath}`);
      const location = `https://localhost:${httpsPort}${healthCheckPath}`;
      if (answer.statusCode === 200 && redirect.statusCode === 308 && redirect.headers.location === location) return;
      last = `HTTPS answered ${answer.statusCode ?? 'nothing'}, HTTP ${redirect.statusCode ?? 'nothing'} with location ${redirect.headers.location ?? 'none'}`;
    } catch (error) {
      last = (error as Error).message;
    }
    await delay(1000, undefined, { signal });
  }
  throw new Failure(
    `https://localhost:${httpsPort} and http://localhost:${httpPort} do not answer as they should: ${last}`,
  );
}

function ask(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      response.resume();
      resolve(response);
    };
    // The certificate is self-signed: this asks whether the ports lead to the proxies, not who they are.
    const options = { agent: false, rejectUnauthorized: false, family: 4, timeout: 5000 } as const;
    const request = url.startsWith('https:') ? httpsGet(url, options, answered) : httpGet(url, options, answered);
    request.on('timeout', () => request.destroy(new Error('no answer within 5 seconds'))).on('error', reject);
  });
}

/** Applies metrics-server, which kind does not bring and no HorizontalPodAutoscaler works without. */
async function applyMetricsServer(kubectl: Kubectl, signal?: AbortSignal): Promise<void> {
  await kubectl.run(['apply', `--filename=${join(__dirname, 'metrics-server.yaml')}`], { signal });
}

/** Waits until metrics are served; false if that does not come, as on a machine that cannot pull the image. */
async function metricsServed(kubectl: Kubectl, signal?: AbortSignal): Promise<boolean> {
  try {
    await kubectl.run(['rollout', 'status', 'deployment/metrics-server', '--namespace=kube-system', '--timeout=3m'], {
      signal,
    });
    // Only now: the API server would keep a connection that it made to the Service before there was anything behind it.
    await kubectl.run(['apply', `--filename=${join(__dirname, 'metrics-api.yaml')}`], { signal });
    await kubectl.run(['wait', 'apiservice/v1beta1.metrics.k8s.io', '--for=condition=Available', '--timeout=2m'], {
      signal,
    });
    return true;
  } catch (error) {
    if (!(error instanceof ExternalCommandFailure)) throw error;
    return false;
  }
}
