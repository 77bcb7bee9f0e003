import { timeline, type TimelineProps } from '../../model/timeline';
import type { Configuration } from '../../timeline/chain';

/** One route, whose backend and proxy have the same times. */
export function configuration(times: TimelineProps, failTimeout: number, name = '/'): Configuration {
  const all = timeline(times);
  return { name, route: all, backend: all, proxy: all, failTimeout, certificateInterval: 5 };
}

/** Where the cluster's DNS keeps nothing, with times that are easy to tell apart. */
export const withoutDnsCache = configuration(
  {
    dnsCacheTtl: '0s',
    resolverValid: '5s',
    requestTimeout: '20s',
    connectTimeout: '2s',
    nextUpstreamTimeout: '10s',
    deregistrationDelay: '5s',
    clientKeepAliveTimeout: '20s',
    unreachableToleration: '30s',
    certificateValid: '10s',
  },
  10,
);
