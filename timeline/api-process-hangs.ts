import { type Chain, option } from './chain';
import type { Configuration } from './configuration';
import { discovery } from './discovery';
import { figures } from './kubernetes-figures';
import { apiProbes } from './probes';
import { after, exactly, upTo } from './range';

export function apiProcessHangs({ timeline }: Configuration): Chain {
  const known = discovery(timeline);
  const killed = after(figures.livenessProbe.range, exactly(apiProbes.liveness.terminationGracePeriod));
  const timeouts = [
    option('requestTimeout', timeline.requestTimeout),
    option('connectTimeout', timeline.connectTimeout),
    option('nextUpstreamTimeout', timeline.nextUpstreamTimeout),
  ];
  return {
    title: 'A process of the API hangs',
    beginning: 'the process still accepts connections, and answers nothing',
    steps: [
      {
        at: upTo(timeline.longestWaitOnHungPods),
        what: 'The longest that one request waits for its answer, whatever it meets: a GET goes to another pod after requestTimeout, a POST that was sent is answered 504',
        movedBy: timeouts,
      },
      {
        at: figures.readinessProbe.range,
        what: 'The pod is not Ready',
        movedBy: [figures.readinessProbe],
      },
      {
        at: after(figures.readinessProbe.range, known.takes),
        what: 'The last request that is tried on it: every proxy has asked DNS again',
        movedBy: [figures.readinessProbe, ...known.movedBy],
      },
      {
        at: figures.livenessProbe.range,
        what: 'The kubelet ends the container: preStop and SIGTERM, as for any pod that ends',
        movedBy: [figures.livenessProbe],
      },
      {
        at: killed,
        what: 'A process that does not see SIGTERM is killed when the grace period of the probe is over, and started again',
        movedBy: [figures.livenessProbe],
      },
    ],
  };
}
