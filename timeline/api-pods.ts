import { apiProbes } from '../model/timeline';
import { after, type Chain, type Configuration, exactly, option, type Range, upTo } from './chain';
import { discovery, dnsCacheTtl, figures } from './figures';

export function apiPodStarts({ backend }: Configuration): Chain {
  const known = discovery(backend);
  return {
    title: 'A pod of the API starts',
    beginning: 'the pod is Ready',
    steps: [
      {
        at: exactly(0),
        what: 'The pod is Ready: the path of healthCheck.liveness has answered the startup probe, and that of healthCheck.readiness its first probe',
        movedBy: [figures.startupProbe, figures.readinessStatus],
      },
      {
        at: after(figures.endpointSlices.range, upTo(dnsCacheTtl(backend))),
        what: "The cluster's DNS gives its address",
        movedBy: [figures.endpointSlices, option('dnsCacheTtl', dnsCacheTtl(backend))],
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

export function apiPodEnds({ backend }: Configuration): Chain {
  const { apiPreStop, apiShutdownTimeout, apiTerminationGracePeriod, requestTimeout } = backend;
  const known = discovery(backend);
  const preStop = [option('dnsCacheTtl', dnsCacheTtl(backend)), option('resolverValid', backend.resolverValid)];
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

export function apiProcessDies({ backend, failTimeout }: Configuration): Chain {
  const known = discovery(backend);
  const listens = after(figures.relist.range, figures.containerStart.range);
  const ready = after(listens, figures.startupProbe.range, figures.readinessStatus.range);
  const byDns = after(ready, known.takes);
  const byFailTimeout = after(listens, upTo(failTimeout));
  return {
    title: 'A process of the API dies',
    beginning: 'the process is killed, or is out of memory',
    steps: [
      {
        at: exactly(0),
        what: 'Its connections break: an idempotent request goes to another pod at once, and so does one of which nothing was sent; a POST that was sent is answered 502',
        movedBy: [],
      },
      {
        at: exactly(0),
        what: 'New tries are refused at once and go to another pod; after maxFails of them a proxy leaves the pod out for failTimeout',
        movedBy: [option('failTimeout', failTimeout)],
      },
      {
        at: figures.relist.range,
        what: 'The kubelet sees it, tells that the pod is not Ready, and starts the container again (at once the first time, then after 10 s, 20 s and so on up to 5 min)',
        movedBy: [figures.relist],
      },
      {
        at: after(figures.relist.range, known.takes),
        what: 'The last request that is tried on it: every proxy has asked DNS again, unless it is back before that',
        movedBy: [figures.relist, ...known.movedBy],
        moment: 'api-process-dies.last-try',
      },
      {
        at: ready,
        what: 'It is Ready again',
        movedBy: [figures.relist, figures.containerStart, figures.startupProbe, figures.readinessStatus],
      },
      {
        at: { from: 0, to: Math.max(byDns.to, byFailTimeout.to) },
        what: 'Its first request again: as soon as it listens if no proxy has missed it, else when DNS gives it again or failTimeout is over',
        movedBy: [
          figures.containerStart,
          ...(byFailTimeout.to > byDns.to ? [option('failTimeout', failTimeout)] : known.movedBy),
        ],
        moment: 'api-process-dies.first-request-again',
      },
    ],
  };
}

export function apiProcessHangs({ route }: Configuration): Chain {
  const known = discovery(route);
  const killed = after(figures.livenessProbe.range, exactly(apiProbes.liveness.terminationGracePeriod));
  const timeouts = [
    option('requestTimeout', route.requestTimeout),
    option('connectTimeout', route.connectTimeout),
    option('retries.timeout', route.nextUpstreamTimeout),
  ];
  return {
    title: 'A process of the API hangs',
    beginning: 'the process still accepts connections, and answers nothing',
    steps: [
      {
        at: upTo(route.longestWaitOnHungPods),
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
