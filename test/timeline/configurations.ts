import { timeline } from '../../model/timeline';
import type { Configuration } from '../../timeline/chain';

/** Where the cluster's DNS keeps nothing, with times that are easy to tell apart. */
export const withoutDnsCache: Configuration = {
  timeline: timeline({
    dnsCache: '0s',
    resolverValid: '5s',
    requestTimeout: '20s',
    connectTimeout: '2s',
    nextUpstreamTimeout: '10s',
    proxyDeregistrationDelay: '5s',
    clientKeepAliveTimeout: '20s',
    unreachableToleration: '30s',
    certificateValid: '10s',
  }),
  failTimeout: 10,
  certificateInterval: 5,
};
