import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import type { LoadBalancedApiProps } from '../../charts/load-balanced-api-props';
import { forEnvironment } from '../../environments';
import { cluster, kubectl, suite } from './suite';

type Props = Partial<Omit<LoadBalancedApiProps, 'container'>>;

/** The manifests of main.ts for the environment "kind", with some options changed, in a directory of their own. */
export function synthesizeVariant(props: Props): string {
  const { namespace, ports } = suite();
  process.env.FAIRLEAD_ENVIRONMENT = 'kind';
  process.env.FAIRLEAD_HTTP_PORT = String(ports.httpPort);
  process.env.FAIRLEAD_HTTPS_PORT = String(ports.httpsPort);
  const main = forEnvironment({ container: { image: 'fairlead-api:dev', port: 3000, keepAliveTimeout: '65s' } });
  return synthesize(namespace, { ...main, ...props });
}

/** The manifests of any LoadBalancedApi. */
export function synthesize(id: string, props: LoadBalancedApiProps): string {
  const outdir = mkdtempSync(join(cluster.directory, 'variant-'));
  const app = new App({ outdir });
  new LoadBalancedApi(app, id, props);
  app.synth();
  return outdir;
}

/** As a user does it: all of it, again. */
export async function apply(manifests: string): Promise<void> {
  await kubectl.run(['apply', `--filename=${manifests}`]);
}
