import { type Chain, type Figure, option } from './chain';
import type { Configuration } from './configuration';
import { discovery } from './discovery';
import { figures } from './kubernetes-figures';
import { after, exactly, upTo } from './range';
import type { Timeline } from './timeline';

export function nodeDies({ timeline, failTimeout }: Configuration): Chain {
  const { connectTimeout, unreachableToleration } = timeline;
  const known = discovery(timeline);
  const keepAlive = tcpKeepAlive(timeline);
  const notReady = figures.nodeNotReady.range;
  const evicted = after(notReady, exactly(unreachableToleration));
  const connect = option('connectTimeout', connectTimeout);
  const nextUpstream = option('nextUpstreamTimeout', timeline.nextUpstreamTimeout);
  const toleration = option('unreachableToleration', unreachableToleration);
  return {
    title: 'A node dies',
    beginning: 'the node is lost, with pods of the API and a proxy on it: it refuses nothing, it is silent',
    steps: [
      {
        at: upTo(connectTimeout),
        what: 'Each new try on its pods is given up after connectTimeout, and goes to another pod; after maxFails of them a proxy leaves the pod out for failTimeout',
        movedBy: [connect, option('failTimeout', failTimeout)],
      },
      {
        at: keepAlive.range,
        what: 'Connections to its pods are found dead, be they idle or waiting for an answer: a GET goes to another pod, a POST that was sent is answered 502',
        movedBy: [keepAlive],
        moment: 'node-dies.connections-found',
      },
      {
        at: upTo(timeline.longestWaitOnSilentPods),
        what: 'The longest that a request waits that needs a new connection',
        movedBy: [connect, nextUpstream],
      },
      {
        at: upTo(timeline.longestWaitOnHungPods),
        what: 'The longest that a request waits that was written to a connection not yet found dead: TCP sends it again and again, and only requestTimeout ends that',
        movedBy: [option('requestTimeout', timeline.requestTimeout), connect, nextUpstream],
      },
      {
        at: notReady,
        what: 'Kubernetes notices: its pods are not Ready',
        movedBy: [figures.nodeNotReady],
        moment: 'node-dies.not-ready',
      },
      {
        at: after(notReady, figures.endpointSlices.range, figures.kubeProxy.range),
        what: 'Every node sends new connections to other proxies; until then those to the proxy on it fail, unless a cloud load balancer checks it sooner',
        movedBy: [figures.nodeNotReady, figures.endpointSlices, figures.kubeProxy],
      },
      {
        // One that failed is tried once a failTimeout; such a try may be the last.
        at: {
          from: Math.max(0, notReady.from - failTimeout - connectTimeout),
          to: after(notReady, known.takes).to,
        },
        what: 'The last request that is tried on its pods: every proxy has asked DNS again',
        movedBy: [figures.nodeNotReady, option('failTimeout', failTimeout), ...known.movedBy],
        moment: 'node-dies.last-try',
      },
      {
        at: evicted,
        what: 'Its pods are given up, and new ones are made on other nodes',
        movedBy: [figures.nodeNotReady, toleration],
      },
      {
        at: after(evicted, figures.containerStart.range, figures.startupProbe.range, figures.readinessStatus.range),
        what: 'The new pods are Ready',
        movedBy: [
          figures.nodeNotReady,
          toleration,
          figures.containerStart,
          figures.startupProbe,
          figures.readinessStatus,
        ],
        moment: 'node-dies.pods-replaced',
      },
    ],
  };
}

/** The first probe goes out at once if the connection has been idle already, and tcpKeepAliveTime later if it has not. */
function tcpKeepAlive({
  tcpKeepAliveTime,
  tcpKeepAliveInterval,
  tcpKeepAliveProbes,
  deadConnectionFound,
}: Timeline): Figure {
  return {
    name: 'TCP keep-alive',
    range: { from: tcpKeepAliveInterval * tcpKeepAliveProbes, to: deadConnectionFound },
    source: `first probe after ${tcpKeepAliveTime} s without traffic, then ${tcpKeepAliveProbes} in all without an answer, ${tcpKeepAliveInterval} s each (sysctls of the pods of nginx, https://docs.kernel.org/networking/ip-sysctl.html)`,
  };
}
