import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { LoadBalancedApi, type LoadBalancedApiProps } from '../../../charts/load-balanced-api';
import { forEnvironment } from '../../../environments';
import { cluster, kubectl, suite } from './suite';

/** Options that differ from those of the environment "kind"; those of the proxy and the namespace are merged. */
export type Variant = Partial<Omit<LoadBalancedApiProps, 'image'>>;

/** The manifests of main.ts for the environment "kind", with some options changed, in a directory of their own. */
export function synthesizeVariant(variant: Variant): string {
  const { namespace } = suite();
  kindEnvironment();
  const main = forEnvironment({ image: 'fairlead-api:dev' });
  const proxy = { ...main.proxy, ...variant.proxy };
  return synthesize((app) => {
    const props = { ...main, ...variant, proxy, namespace: { ...main.namespace, ...variant.namespace } };
    const api = new LoadBalancedApi(app, namespace, props);
    // As main.ts has them.
    for (const path of ['/sse', '/ws']) api.proxy.addRoute(path, api.backend, { streaming: '1h' });
  });
}

/** Lets `forEnvironment` make what this suite's cluster has. */
export function kindEnvironment(): void {
  const { ports } = suite();
  process.env.FAIRLEAD_ENVIRONMENT = 'kind';
  process.env.FAIRLEAD_HTTP_PORT = String(ports.httpPort);
  process.env.FAIRLEAD_HTTPS_PORT = String(ports.httpsPort);
}

/** The manifests of any app. */
export function synthesize(make: (app: App) => unknown): string {
  const outdir = mkdtempSync(join(cluster.directory, 'variant-'));
  const app = new App({ outdir });
  make(app);
  app.synth();
  return outdir;
}

/** As a user does it: all of it, again. */
export async function apply(manifests: string): Promise<void> {
  await kubectl.run(['apply', `--filename=${manifests}`]);
}
