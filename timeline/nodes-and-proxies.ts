import type { Timeline } from '../model/timeline';
import { after, type Chain, type Configuration, exactly, type Figure, option, upTo } from './chain';
import { discovery, figures } from './figures';

export function nodeDies({ route, failTimeout }: Configuration): Chain {
  const { connectTimeout, unreachableToleration } = route;
  const known = discovery(route);
  const keepAlive = tcpKeepAlive(route);
  const notReady = figures.nodeNotReady.range;
  const evicted = after(notReady, exactly(unreachableToleration));
  const connect = option('connectTimeout', connectTimeout);
  const nextUpstream = option('retries.timeout', route.nextUpstreamTimeout);
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
        at: upTo(route.longestWaitOnSilentPods),
        what: 'The longest that a request waits that needs a new connection',
        movedBy: [connect, nextUpstream],
      },
      {
        at: upTo(route.longestWaitOnHungPods),
        what: 'The longest that a request waits that was written to a connection not yet found dead: TCP sends it again and again, and only requestTimeout ends that',
        movedBy: [option('requestTimeout', route.requestTimeout), connect, nextUpstream],
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

/** The first probe goes out at once if the connection has been idle already, and tcpKeepAliveTime later if not. */
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

export function certificateChanges({ proxy: { certificateValid }, certificateInterval }: Configuration): Chain {
  const served = after(figures.secretSync.range, upTo(certificateInterval));
  const movedBy = [figures.secretSync, option('certificateValid', certificateValid)];
  return {
    title: 'A certificate changes',
    beginning: 'the Secret is changed',
    steps: [
      { at: exactly(0), what: 'The proxies serve the certificate that they have', movedBy: [] },
      {
        at: figures.secretSync.range,
        what: 'The kubelet brings it into a pod of nginx, to each at a time of its own',
        movedBy: [figures.secretSync],
      },
      {
        at: served,
        what: `The first handshake with it: nginx looks every ${certificateInterval} s (certificateValid, if that is shorter than 5 s), and serves it if it is good`,
        movedBy,
        moment: 'certificate-changes.first-handshake',
      },
      {
        at: served,
        what: 'Every proxy serves it; connections that are open stay as they are',
        movedBy,
        moment: 'certificate-changes.every-proxy',
      },
    ],
  };
}

export function proxyEnds({ proxy }: Configuration): Chain {
  const { proxyPreStop, clientKeepAliveMinimum, workerShutdownTimeout, proxyTerminationGracePeriod, lastScrape } =
    proxy;
  const preStop = option('exposure.deregistrationDelay', proxyPreStop);
  const requestTimeout = option('requestTimeout', proxy.requestTimeout);
  const clientKeepAliveTimeout = option('clients.keepAliveTimeout', proxy.clientKeepAliveHint);
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
      ...(lastScrape === 0
        ? []
        : [
            {
              at: after(told, upTo(workerShutdownTimeout + lastScrape)),
              what: 'Its metrics are read for the last time, by each scraper that asks every minute or more often',
              movedBy: [preStop, requestTimeout, clientKeepAliveTimeout],
            },
          ]),
      {
        at: { from: proxyPreStop, to: proxyTerminationGracePeriod + figures.removal.range.to },
        what: 'The pod is gone: as soon as nothing holds it, and by SIGKILL when its grace period is over',
        movedBy: [preStop, requestTimeout, clientKeepAliveTimeout, figures.removal],
        moment: 'proxy-ends.gone',
      },
    ],
  };
}
