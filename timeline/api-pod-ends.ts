import { type Chain, option } from './chain';
import type { Configuration } from './configuration';
import { discovery, dnsCache } from './discovery';
import { figures } from './kubernetes-figures';
import { after, exactly, type Range, upTo } from './range';

export function apiPodEnds({ timeline }: Configuration): Chain {
  const { apiPreStop, apiShutdownTimeout, apiTerminationGracePeriod, requestTimeout } = timeline;
  const known = discovery(timeline);
  const preStop = [option('dnsCache', dnsCache(timeline)), option('resolverValid', timeline.resolverValid)];
  const told: Range = after(exactly(apiPreStop), figures.relist.range);
  return {
    title: 'A pod of the API ends',
    beginning: 'a rollout, a drain or a scale-down deletes the pod',
    steps: [
      {
        at: exactly(0),
        what: 'It leaves the endpoint slices; preStop begins, and it serves on',
        movedBy: [],
      },
      {
        at: known.takes,
        what: 'Its last new request: every proxy has asked DNS again',
        movedBy: known.movedBy,
        moment: 'api-pod-ends.last-request',
      },
      {
        at: told,
        what: 'preStop is over: SIGTERM. serve() turns not ready and answers what it holds',
        movedBy: [...preStop, figures.relist],
      },
      {
        at: after(told, upTo(apiShutdownTimeout)),
        what: 'serve() has answered the last request, closed event streams and WebSockets (1001), and ends',
        movedBy: [...preStop, option('requestTimeout', requestTimeout)],
      },
      {
        at: { from: apiPreStop, to: apiTerminationGracePeriod + figures.removal.range.to },
        what: 'The pod is gone: as soon as nothing holds it, and by SIGKILL when its grace period is over',
        movedBy: [...preStop, option('requestTimeout', requestTimeout), figures.removal],
        moment: 'api-pod-ends.gone',
      },
    ],
  };
}
