import { alertThresholds } from '../alert-rules';
import { type AlertPanel, type DashboardModel, figure, lines } from './alert-panel';
import { byPeer, byVersion, chosen, fullest, rate, series, sum, versionName } from './queries';

/** What a proxy holds at a time, and refuses. */
export function limits(): AlertPanel[] {
  return [
    lines({
      title: 'Refused by a limit',
      description:
        'connections and requests: a proxy holds as much as its memory carries, or one client has its part. rate: answered 429 by the rateLimit of a route, which may be what it is for.',
      unit: 'cps',
      queries: { '{{limit}}': sum(rate('fairlead_refused_total'), ['limit']) },
      alert: 'FairleadProxyFull',
      width: 8,
    }),
    lines({
      title: 'How full the fullest proxy is',
      description:
        'Of what its memory carries, its budget. Near the dashed line: more proxies (replicas), or more memory for each (resources.memory.limit), from which the limits follow.',
      unit: 'percentunit',
      queries: {
        connections: fullest('active', 'fairlead_connections_limit'),
        requests: fullest('writing', 'fairlead_requests_limit'),
      },
      thresholds: { base: 'green', steps: [[alertThresholds.full, 'red']] },
      alert: 'FairleadProxyNearlyFull',
      width: 8,
    }),
    lines({
      title: 'Connections',
      description:
        'Of clients, over all proxies: active ones, and of these reading a head, writing an answer, or waiting. Many that read are clients that send slowly, or an attack; many that write are a slow API, or slow clients.',
      unit: 'short',
      queries: { '{{state}}': sum(series('fairlead_connections'), ['state']) },
      width: 8,
    }),
  ];
}

/** What certificates there are, and what clients agree on. */
export function certificates({ certificateEnds }: DashboardModel): AlertPanel[] {
  return [
    lines({
      title: 'Handshakes',
      description:
        'New connections that brought a request, by protocol and key exchange, and whether a session was resumed. Each that was not costs a millisecond of a core: are there clients that open a connection for every request?',
      unit: 'cps',
      queries: {
        '{{protocol}} {{group}} resumed: {{resumed}}': sum(rate('fairlead_tls_connections_total'), [
          'protocol',
          'group',
          'resumed',
        ]),
      },
    }),
    figure({
      title: 'Ends of certificates',
      description:
        'The time that is left to each certificate that is served; proxy is that of the proxy, others are called after their host. Red: it was not renewed. Look at cert-manager, or put a new pair into the Secret.',
      unit: 's',
      queries: {
        '{{certificate}}': `min by (certificate) (${series('fairlead_certificate_not_after_timestamp_seconds')}) - time()`,
      },
      thresholds: { base: 'red', steps: [[certificateEnds, 'green']] },
      alert: 'FairleadCertificateEnds',
      width: 6,
    }),
    figure({
      title: 'Secrets of certificates',
      description:
        'Refused: the Secret holds a pair that is broken or has ended. The last good one is served, but a proxy that starts now is not ready. Put a good pair into the Secret, and restart nothing before.',
      unit: 'short',
      queries: { '{{certificate}}': `max by (certificate) (${series('fairlead_certificate_refused')})` },
      thresholds: { base: 'green', steps: [[1, 'red']] },
      words: { 0: 'good', 1: 'refused' },
      alert: 'FairleadCertificateRefused',
      width: 6,
    }),
  ];
}

/** What DNS led to. */
export function discovery(): AlertPanel[] {
  const peers = sum(series('fairlead_peer_requests_total', [chosen]), byPeer);
  return [
    lines({
      title: 'Tries that found no instance',
      description:
        'DNS names none, all were left out after failures, or each has as many requests as maxConnections allows. Are pods there, and ready? If they are, what does DNS say?',
      unit: 'cps',
      queries: { [versionName]: sum(rate('fairlead_upstream_no_peer_total', [chosen]), byVersion) },
      alert: 'FairleadNoReadyPeers',
    }),
    lines({
      title: 'Instances that were asked',
      description:
        'How many addresses of each version the proxies have gone to in the last ten minutes. Fewer than there are ready pods, with many requests: the answers of DNS are old, or instances are left out.',
      unit: 'short',
      queries: { [versionName]: `count by (backend, version) (${peers})` },
    }),
  ];
}

/** Whether all proxies are seen, and all of what they do. */
export function proxies(): AlertPanel[] {
  const targets = series('up');
  return [
    lines({
      title: 'Proxies',
      description:
        'How many Prometheus reads, and how many do not answer it. None is read: the PodMonitor is not selected, or the NetworkPolicy does not let this Prometheus in (allowFrom).',
      unit: 'short',
      queries: {
        read: `count(${series('fairlead_configuration_info')})`,
        'not answering': `count(${targets}) - sum(${targets})`,
      },
      colors: { 'not answering': 'red' },
      width: 6,
    }),
    lines({
      title: 'Configurations',
      description:
        'How many proxies have which nginx.conf, by its hash. Two of them for longer than a rollout takes: new proxies do not become ready (kubectl rollout status), and the old ones go on.',
      unit: 'short',
      queries: {
        '{{hash}} nginx {{nginx}}': `count by (hash, nginx) (${series('fairlead_configuration_info')})`,
      },
      width: 6,
    }),
    lines({
      title: 'Counted as other',
      description:
        'Requests and tries that had no room in series of their own: sums have them, but what is told apart has not. Give a greater maxSeries.',
      unit: 'cps',
      queries: { 'requests and tries': sum(rate('fairlead_metrics_folded_total')) },
      alert: 'FairleadMetricsIncomplete',
      width: 6,
    }),
    lines({
      title: 'Not counted',
      description:
        'Lines of requests that were lost before they were counted, at least, as counting did not keep up. The requests were served all the same. Give more CPU (resources.cpu.limit), or more proxies.',
      unit: 'Bps',
      queries: { lost: sum(rate('fairlead_metrics_lost_bytes_total')) },
      alert: 'FairleadMetricsIncomplete',
      width: 6,
    }),
  ];
}
