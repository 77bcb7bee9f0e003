import { apiPodEnds } from './api-pod-ends';
import { apiPodStarts } from './api-pod-starts';
import { apiProcessDies } from './api-process-dies';
import { apiProcessHangs } from './api-process-hangs';
import { certificateChanges } from './certificate-changes';
import type { Chain } from './chain';
import type { Configuration } from './configuration';
import { nodeDies } from './node-dies';
import { proxyEnds } from './proxy-ends';

/** What happens in a deployment, and when: one chain for each event. */
export function story(configuration: Configuration): readonly Chain[] {
  return [apiPodStarts, apiPodEnds, apiProcessDies, apiProcessHangs, nodeDies, certificateChanges, proxyEnds].map(
    (chain) => chain(configuration),
  );
}
