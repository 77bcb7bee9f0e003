import { Output } from './output';
import { packageVersion } from './package-version';
import { StartOptions } from './start-options';

export interface BannerFacts {
  readonly options: StartOptions;
  /** Where nginx is from. */
  readonly nginx: string;
  readonly instances: readonly string[];
}

/** What runs, where it is, and what can be done with it. */
export function banner(output: Output, { options, nginx, instances }: BannerFacts): string[] {
  const { host, httpPort, httpsPort, healthCheckPath } = options;
  const https = `https://${host}:${httpsPort}`;
  const http = `http://${host}:${httpPort}`;
  // What is not a name of this machine must be said to be one.
  const isLocal = host === 'localhost' || host.endsWith('.localhost');
  const resolve = isLocal ? '' : `--resolve ${host}:${httpsPort}:127.0.0.1 `;
  const width = Math.max(https.length, http.length) + 3;
  const link = (url: string): string => output.style('cyan', url) + ' '.repeat(width - url.length);
  const label = (text: string): string => output.style('dim', text.padEnd(8));
  return [
    '',
    `  ${output.style('bold', `fairlead ${packageVersion()}`)}  ${nginx}`,
    '',
    `  ${link(https)}TLS, in front of ${instances.length === 1 ? 'one instance' : `${instances.length} instances`}: ${range(instances)}`,
    `  ${link(http)}redirects to HTTPS`,
    '',
    `  ${label('Try')}curl -k ${resolve}${https}${healthCheckPath}`,
    `  ${label('Scale')}type "scale ${instances.length + 3}" and Enter ("help" shows more)`,
    `  ${label('Stop')}Ctrl-C`,
    '',
  ];
}

function range(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${String(names[0])} … ${String(names.at(-1))}`;
}
