import { type Chain, option } from './chain';
import type { Configuration } from './configuration';
import { discovery, dnsCache } from './discovery';
import { figures } from './kubernetes-figures';
import { after, exactly, upTo } from './range';

export function apiPodStarts({ timeline }: Configuration): Chain {
  const known = discovery(timeline);
  return {
    title: 'A pod of the API starts',
    beginning: 'the pod is Ready',
    steps: [
      {
        at: exactly(0),
        what: 'The pod is Ready: livenessPath has answered the startup probe, and readinessPath its first probe',
        movedBy: [figures.startupProbe, figures.readinessStatus],
      },
      {
        at: after(figures.endpointSlices.range, upTo(dnsCache(timeline))),
        what: "The cluster's DNS gives its address",
        movedBy: [figures.endpointSlices, option('dnsCache', dnsCache(timeline))],
      },
      {
        at: known.takes,
        what: 'Its first request: a proxy has asked DNS again',
        movedBy: known.movedBy,
        moment: 'api-pod-starts.first-request',
      },
    ],
  };
}
