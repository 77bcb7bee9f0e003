import { type Chain, option } from './chain';
import type { Configuration } from './configuration';
import { figures } from './kubernetes-figures';
import { after, exactly, upTo } from './range';

export function proxyEnds({ timeline }: Configuration): Chain {
  const { proxyPreStop, clientKeepAliveMinimum, workerShutdownTimeout, proxyTerminationGracePeriod } = timeline;
  const preStop = option('proxyDeregistrationDelay', proxyPreStop);
  const requestTimeout = option('requestTimeout', timeline.requestTimeout);
  const clientKeepAliveTimeout = option('clientKeepAliveTimeout', timeline.clientKeepAliveHint);
  const told = after(exactly(proxyPreStop), figures.relist.range);
  return {
    title: 'A proxy ends',
    beginning: 'a rollout, a drain or a scale-down deletes the pod of nginx',
    steps: [
      {
        at: after(figures.endpointSlices.range, figures.kubeProxy.range),
        what: 'Every node sends new connections elsewhere; a cloud load balancer takes the interval × failures of its health check',
        movedBy: [figures.endpointSlices, figures.kubeProxy],
      },
      {
        at: upTo(proxyPreStop),
        what: 'Its last new connection: it accepts them until preStop is over',
        movedBy: [preStop],
        moment: 'proxy-ends.last-connection',
      },
      {
        at: told,
        what: 'preStop is over: SIGQUIT. nginx closes its listening sockets and answers what it holds',
        movedBy: [preStop, figures.relist],
      },
      {
        at: after(told, upTo(clientKeepAliveMinimum)),
        what: 'The last idle connection of a client is closed, later than the client was told (Keep-Alive: timeout=)',
        movedBy: [preStop, clientKeepAliveTimeout],
      },
      {
        at: after(told, upTo(workerShutdownTimeout)),
        what: 'What is still open is closed (worker_shutdown_timeout): WebSockets and event streams',
        movedBy: [preStop, requestTimeout, clientKeepAliveTimeout],
      },
      {
        at: { from: proxyPreStop, to: proxyTerminationGracePeriod + figures.removal.range.to },
        what: 'The pod is gone: as soon as nothing holds it, and by SIGKILL when its grace period is over',
        movedBy: [preStop, requestTimeout, clientKeepAliveTimeout, figures.removal],
        moment: 'proxy-ends.gone',
      },
    ],
  };
}
