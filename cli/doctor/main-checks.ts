import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { App } from 'cdk8s';
import { load } from '../command';
import { type Check, failed, ok } from './check';
import { type Manifest, type Needs, needsOf } from './needs';

/** How main.ts is, and what it needs of a cluster, if it can be loaded. */
export function mainChecks(main: string): { readonly checks: readonly Check[]; readonly needs: Needs | undefined } {
  const not = (found: string, mend: string) => ({ checks: [failed('main.ts', found, mend)], needs: undefined });
  if (!existsSync(main)) return not(`${main} is not here`, 'make it, or name another one by --main FILE');
  try {
    const environment = process.env.FAIRLEAD_ENVIRONMENT ?? 'production';
    const { loadedApps } = load('../charts/loaded-apps') as typeof import('../../charts/loaded-apps');
    const apps = loadedApps(resolve(main), { FAIRLEAD_ENVIRONMENT: environment });
    const [wrong] = apps.flatMap((app) => app.node.findAll().flatMap((construct) => construct.node.validate()));
    if (wrong !== undefined) return not(wrong, 'change it in main.ts');
    const { proxies, namespaces } = constructsOf(apps);
    if (proxies.length === 0) {
      return not('has no proxy', 'make a LoadBalancedApi or a NginxProxy in it, and end with app.synth()');
    }
    const manifests = apps.flatMap((app) => app.charts.flatMap((chart) => chart.toJson() as Manifest[]));
    const what = proxies.map(({ path, targets }) => `${path} in front of ${targets.join(', ') || 'no backend'}`);
    return {
      checks: [ok('main.ts', `${what.join('; ')} (environment ${environment})`)],
      needs: needsOf(manifests, namespaces),
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const module = /Cannot find module '([^'./][^']*)'/.exec(message)?.[1];
    return not(
      message.split('\n').find((line) => line.trim() !== '') ?? 'it throws',
      module === undefined ? 'change it in main.ts, or what it loads' : `npm install --save-dev ${module}`,
    );
  }
}

interface Constructs {
  readonly proxies: readonly { readonly path: string; readonly targets: readonly string[] }[];
  readonly namespaces: Needs['namespaces'];
}

function constructsOf(apps: readonly App[]): Constructs {
  const { NginxProxy } = load('../charts/proxy/nginx-proxy') as typeof import('../../charts/proxy/nginx-proxy');
  const { RestrictedNamespace } = load('../charts/namespace') as typeof import('../../charts/namespace');
  const all = apps.flatMap((app) => app.node.findAll());
  return {
    proxies: all
      .filter((construct) => construct instanceof NginxProxy)
      .map(({ node, targets }) => ({ path: node.path, targets: targets.map((target) => target.node.id) })),
    namespaces: all
      .filter((construct) => construct instanceof RestrictedNamespace)
      .map(({ name, model }) => ({
        name,
        clusterDomain: model.clusterDomain,
        dnsCacheTtl: Number.parseInt(model.times.dnsCacheTtl, 10),
      })),
  };
}
