import type { LoadBalancedApi } from '../charts/load-balanced-api';
import { certificateInterval } from '../nginx/last-good-certificate-section';
import type { Timeline } from './timeline';

/** What of a deployment moves what happens in it, and when. */
export interface Configuration {
  readonly timeline: Timeline;
  /** In seconds: how long nginx leaves an instance out that failed. */
  readonly failTimeout: number;
  /** In seconds: how often nginx looks at the certificate. */
  readonly certificateInterval: number;
}

export function configuration({ timeline, failTimeout }: LoadBalancedApi): Configuration {
  return { timeline, failTimeout, certificateInterval: certificateInterval(timeline) };
}
