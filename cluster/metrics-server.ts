import { join } from 'node:path';
import { ExternalCommandFailure } from './external-command';
import type { Kubectl } from './kubectl';

/** Applies metrics-server, which kind does not bring and no HorizontalPodAutoscaler works without. */
export async function applyMetricsServer(kubectl: Kubectl, signal?: AbortSignal): Promise<void> {
  await kubectl.run(['apply', `--filename=${join(__dirname, 'metrics-server.yaml')}`], { signal });
}

/** Waits until metrics are served; false if that does not come, as on a machine that cannot pull the image. */
export async function metricsServed(kubectl: Kubectl, signal?: AbortSignal): Promise<boolean> {
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
