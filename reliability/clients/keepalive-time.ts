import type { Workloads } from '../../cluster/workloads';
import { Failure } from '../../cluster/failure';

interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly volumes: readonly { readonly name: string; readonly configMap?: { name: string } }[] };
    };
  };
}

/** The configuration with connections of clients that end after so many seconds, whatever it says of that. */
export function withKeepaliveTime(nginxConf: string, seconds: number): string {
  const line = `keepalive_time ${seconds}s;`;
  // Those in hours and days are for clients: what nginx keeps to the API lives for seconds.
  const given = /^( *)keepalive_time \d+[hdwMy];/gm;
  if (given.test(nginxConf)) return nginxConf.replaceAll(given, `$1${line}`);
  const http = /^http \{$/m;
  if (!http.test(nginxConf)) throw new Failure('the nginx.conf of the proxies has no line "http {"');
  return nginxConf.replace(http, `http {\n  ${line}`);
}

/** Rolls the proxies out with such a configuration; applying main.ts again takes it back. */
export async function applyKeepaliveTime(workloads: Workloads, seconds: number): Promise<void> {
  const deployment = JSON.parse(await workloads.run('get', 'deployment/nginx', '--output=json')) as Deployment;
  const volume = deployment.spec.template.spec.volumes.find(({ configMap }) => configMap !== undefined);
  if (volume?.configMap === undefined) throw new Failure('the Deployment nginx mounts no ConfigMap');
  const given = JSON.parse(
    await workloads.run('get', `configmap/${volume.configMap.name}`, '--output=json'),
  ) as ConfigMap;
  const name = `nginx-keepalive-time-${seconds}s`;
  const changed = { ...given.data, 'nginx.conf': withKeepaliveTime(given.data['nginx.conf'] ?? '', seconds) };
  await workloads.run('delete', `configmap/${name}`, '--ignore-not-found');
  await workloads.kubectl.run(['create', '--filename=-'], {
    input: JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: workloads.namespace },
      data: changed,
    }),
  });
  const volumes = [{ name: volume.name, configMap: { name } }];
  await workloads.run(
    'patch',
    'deployment/nginx',
    `--patch=${JSON.stringify({ spec: { template: { spec: { volumes } } } })}`,
  );
  await workloads.rolledOut('proxy');
}
