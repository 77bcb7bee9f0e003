import { Failure } from '../../cluster/command-line';
import type { Workloads } from '../../cluster/workloads';

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

const secondsOf: Readonly<Record<string, number>> = { ms: 0.001, '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** The configuration with connections of clients that end after so many seconds, whatever it says of that. */
export function withKeepaliveTime(nginxConf: string, seconds: number): string {
  const line = `keepalive_time ${seconds}s;`;
  let replaced = 0;
  const conf = nginxConf.replaceAll(/^( *)keepalive_time (\d+)(ms|[smhd]?);/gm, (given, indent, value, unit) => {
    // A connection of nginx to the API lives for seconds; one of a client is meant to last.
    if (Number(value) * (secondsOf[String(unit)] ?? 1) < 60) return given;
    replaced += 1;
    return `${String(indent)}${line}`;
  });
  if (replaced > 0) return conf;
  const http = /^http \{$/m;
  if (!http.test(conf)) throw new Failure('the nginx.conf of the proxies has no line "http {"');
  return conf.replace(http, `http {\n  ${line}`);
}

/** Rolls the proxies out with such a configuration; applying main.ts again takes it back. */
export async function applyKeepaliveTime(workloads: Workloads, seconds: number): Promise<void> {
  const deployment = JSON.parse(
    await workloads.run('get', workloads.deployment('proxy'), '--output=json'),
  ) as Deployment;
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
    workloads.deployment('proxy'),
    `--patch=${JSON.stringify({ spec: { template: { spec: { volumes } } } })}`,
  );
  await workloads.rolledOut('proxy');
}
