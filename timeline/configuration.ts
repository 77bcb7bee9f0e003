import type { LoadBalancedApi } from '../charts/load-balanced-api';
import type { Timeline } from './timeline';

/** What of a deployment moves what happens in it, and when. */
export interface Configuration {
  readonly timeline: Timeline;
  /** In seconds: how long nginx leaves an instance out that failed. */
  readonly failTimeout: number;
  /** In seconds: how often nginx looks at the certificate. */
  readonly certificateInterval: number;
}

export function configuration(api: LoadBalancedApi): Configuration {
  // Only nginx knows these: they are read from what nginx is given.
  const nginxConf = api.nginxConfigMap.data['nginx.conf'] ?? '';
  return {
    timeline: api.timeline,
    failTimeout: seconds(nginxConf, /\bfail_timeout=(\d+)s\b/),
    certificateInterval: seconds(nginxConf, /\bjs_periodic last_good_certificate\.check interval=(\d+)s\b/),
  };
}

function seconds(nginxConf: string, directive: RegExp): number {
  const found = directive.exec(nginxConf)?.[1];
  if (found === undefined) throw new Error(`nginx.conf has nothing like ${directive.source}`);
  return Number(found);
}
