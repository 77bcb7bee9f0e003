import { apiProbes, type ProbeTimes, type Timeline } from '../model/timeline';
import { after, exactly, type Figure, type Mover, option, type Range, upTo } from './chain';

const docs = 'https://kubernetes.io/docs';

/** What Kubernetes and fairlead's own manifests add, and no option changes. */
export const figures = {
  endpointSlices: {
    name: 'endpoint slices',
    range: upTo(1),
    source: `the controller and CoreDNS follow by watches, without a period of their own: a second is taken (${docs}/concepts/services-networking/endpoint-slices/)`,
  },
  kubeProxy: {
    name: 'kube-proxy',
    range: upTo(1),
    source: `minSyncPeriod of kube-proxy, 1 s (${docs}/reference/config-api/kube-proxy-config.v1alpha1/)`,
  },
  reResolve: {
    name: 're-resolve timer of nginx',
    range: exactly(1),
    source:
      'nginx asks DNS again a second after resolverValid (https://nginx.org/en/docs/http/ngx_http_upstream_module.html#resolve)',
  },
  relist: {
    name: 'relist of the kubelet',
    range: upTo(1),
    source:
      'the kubelet lists its containers every second (https://github.com/kubernetes/kubernetes/tree/master/pkg/kubelet/pleg)',
  },
  removal: {
    name: 'removal of a pod',
    range: upTo(8),
    source:
      'from the end of its processes until the object is gone: two relists of the kubelet, and more where a node removes several at once',
  },
  containerStart: {
    name: 'start of the container',
    range: upTo(5),
    source:
      'scheduled, image on the node, and an app that listens within seconds: 5 s are taken; yours may take longer',
  },
  startupProbe: {
    name: 'startup probe',
    range: upTo(apiProbes.startup.period),
    source: `every ${apiProbes.startup.period} s, and the readiness probe at once after its success (model/timeline.ts)`,
  },
  readinessStatus: {
    name: 'first readiness probe',
    range: upTo(1),
    source: `it asks and the API server is told; a second is taken (${docs}/concepts/configuration/liveness-readiness-startup-probes/)`,
  },
  readinessProbe: {
    name: 'readiness probe',
    range: failureRange(apiProbes.readiness),
    source: failureSource(apiProbes.readiness),
  },
  livenessProbe: {
    name: 'liveness probe',
    range: failureRange(apiProbes.liveness),
    source: failureSource(apiProbes.liveness),
  },
  nodeNotReady: {
    name: 'node-monitor-grace-period',
    range: { from: 40, to: 60 },
    source: `50 s since Kubernetes 1.32, 40 s before, since the last lease that was seen: the kubelet renews it every 10 s, and the controller looks every 5 s (${docs}/reference/command-line-tools-reference/kube-controller-manager/)`,
  },
  secretSync: {
    name: 'syncFrequency of the kubelet',
    range: upTo(91),
    source: `each pod is looked at again after 60 s, and up to half as much by chance; 1 s for the queue and the mount (${docs}/concepts/configuration/secret/#using-secrets-as-files-from-a-pod)`,
  },
} as const satisfies Readonly<Record<string, Figure>>;

/** What breaks right before a probe is found first; what breaks right after one is found last. */
function failureRange({ period, timeout, failureThreshold }: ProbeTimes): Range {
  return { from: (failureThreshold - 1) * period + timeout, to: failureThreshold * period + timeout };
}

function failureSource({ period, timeout, failureThreshold }: ProbeTimes): string {
  return `every ${period} s, ${failureThreshold} failures in a row, each after ${timeout} s without an answer (model/timeline.ts)`;
}

/** From a change of the ready pods until every proxy goes by it, and what moves that. */
export function discovery(timeline: Timeline): { readonly takes: Range; readonly movedBy: readonly Mover[] } {
  return {
    takes: after(figures.endpointSlices.range, upTo(timeline.discovery)),
    movedBy: [
      figures.endpointSlices,
      option('dnsCacheTtl', dnsCacheTtl(timeline)),
      option('resolverValid', timeline.resolverValid),
      figures.reResolve,
    ],
  };
}

/** What is left of the time that DNS and nginx take together. */
export function dnsCacheTtl({ discovery: whole, resolverValid }: Timeline): number {
  return whole - resolverValid - figures.reResolve.range.to;
}
