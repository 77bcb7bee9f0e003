import { ApiObject } from 'cdk8s';
import type { INetworkPolicyPeer } from 'cdk8s-plus-27';
import { Construct } from 'constructs';
import { defaultMaxSeries } from '../../nginx/metrics/metrics-model';
import { port, seconds, type TimeText, whole } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import {
  flag,
  flagOrGroup,
  knownValues,
  optional,
  type Reader,
  type Table,
  type Values,
  values,
  withDefault,
} from '../../validation/options';
import { alertRules } from './alert-rules';
import { dashboardOptions, type DashboardOptions } from './dashboard';
import { grafanaDashboard } from './grafana/grafana-dashboard';
import { userLabels } from '../labels';
import {
  certificateCheckPort,
  connectionCount,
  httpPort,
  httpsPort,
  metricsPath,
  metricsPortName,
  probePort,
} from './nginx-pod';
import { patchWhatIsWritten } from '../patches';

/** How Prometheus is told of the proxies by its operator. */
export interface PodMonitorOptions {
  /**
   * Labels by which a Prometheus chooses its PodMonitors: `{ release: 'kube-prometheus-stack' }` where that chart was installed with
   * its defaults.
   *
   * @default - none
   * @see https://prometheus-operator.dev/docs/developer/getting-started/
   */
  readonly labels?: Readonly<Record<string, string>>;

  /**
   * How often each proxy is asked, in whole seconds.
   *
   * @default '30s'
   */
  readonly interval?: TimeText;
}

/** When somebody is called. */
export interface AlertOptions {
  /**
   * Labels by which a Prometheus chooses its rules.
   *
   * @default - those of the PodMonitor
   */
  readonly labels?: Readonly<Record<string, string>>;

  /**
   * Percent of the requests that are to be answered without an error (5xx), over 30 days; from 90 to 99.999. It is what
   * `FairleadErrorBudgetBurn` goes by.
   *
   * @default 99.9
   * @see https://sre.google/workbook/alerting-on-slos/
   */
  readonly availability?: number;

  /**
   * What one request in a hundred may take, in whole seconds up to 10, before `FairleadLatency` calls.
   *
   * @default '1s'
   */
  readonly latency?: TimeText;

  /**
   * How long before its end a certificate that was not renewed is said, in whole seconds.
   *
   * @default '14d'
   */
  readonly certificateEnds?: TimeText;

  /**
   * The URL of the page of runbooks, where your people read it: it gets `runbook_url` its value, with a `#` and the alert's name behind.
   *
   * @default - the alert names docs/runbooks.md of fairlead
   */
  readonly runbooks?: string;
}

/** What Grafana shows of a proxy. */
export interface GrafanaDashboardOptions {
  /**
   * Labels by which Grafana's sidecar finds the ConfigMap. The default is what the charts grafana and kube-prometheus-stack look for.
   *
   * @default { grafana_dashboard: '1' }
   * @see https://github.com/grafana/helm-charts/tree/main/charts/grafana#sidecar-for-dashboards
   */
  readonly labels?: Readonly<Record<string, string>>;

  /**
   * The folder that it is in, as the annotation `grafana_folder`. The charts go by it if their values say so:
   * `folderAnnotation: grafana_folder` and `provider: { foldersFromFilesStructure: true }` in `sidecar.dashboards`.
   *
   * @default - where the sidecar puts what names no folder
   */
  readonly folder?: string;

  /**
   * What Grafana calls it.
   *
   * @default - `fairlead` with the namespace and the name of the proxy, such as `fairlead shop/edge`
   */
  readonly title?: string;
}

/** What is measured of a proxy, and who may read it. */
export interface MonitoringOptions {
  /**
   * The port of the pods that metrics are served on (`/metrics`, plain HTTP), in no Service.
   *
   * @default 9113
   * @see https://github.com/prometheus/prometheus/wiki/Default-port-allocations
   */
  readonly port?: number;

  /**
   * The most series that one proxy serves, from 150 to 20,000. Where routes and backends are too many for it, histograms are told apart by host,
   * and then not at all; requests and peers beyond it are counted as `other`. nginx.conf says how many there can be.
   *
   * @default 500
   */
  readonly maxSeries?: number;

  /**
   * Who may connect to the port, and nobody else: pods, namespaces or addresses, such as `Namespaces.select(…)` of cdk8s-plus.
   *
   * @default - pods of any namespace with the label `app.kubernetes.io/name: prometheus`, which the operator gives to its own
   * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
   */
  readonly allowFrom?: INetworkPolicyPeer | readonly INetworkPolicyPeer[];

  /**
   * Whether the pods have the annotations `prometheus.io/scrape`, `port` and `path`, which many configurations of Prometheus go by.
   *
   * @default - true without a PodMonitor, as each pod would be asked twice
   */
  readonly annotations?: boolean;

  /**
   * Whether there is a PodMonitor, for the Prometheus operator. Its CRDs have to be in the cluster.
   *
   * @default false
   * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor
   */
  readonly podMonitor?: boolean | PodMonitorOptions;

  /**
   * Whether there are alerts (a PrometheusRule), each with a section in docs/runbooks.md. They go by the job of the PodMonitor.
   *
   * @default false
   * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
   */
  readonly alerts?: boolean | AlertOptions;

  /**
   * Whether there is a page that shows live what the proxies do, in a pod of its own. It finds them and the instances by DNS, has no rights in
   * the cluster, and is reached by `kubectl port-forward` alone.
   *
   * @default false
   */
  readonly dashboard?: boolean | DashboardOptions;

  /**
   * Whether there is a dashboard for Grafana (11 or newer): a ConfigMap, which the sidecar of its chart finds. Lines are drawn where `alerts`
   * call, or would call by their defaults.
   *
   * @default false
   * @see https://grafana.com/docs/grafana/latest/dashboards/
   */
  readonly grafanaDashboard?: boolean | GrafanaDashboardOptions;
}

const labels: Reader<Readonly<Record<string, string>>> = userLabels;

export const podMonitorOptions = {
  labels: withDefault({}, labels),
  interval: withDefault('30s', seconds({ min: '1s', max: '1h' })),
} satisfies Table<PodMonitorOptions>;

export const alertOptions = {
  labels: optional(labels),
  availability: withDefault(99.9, availability),
  latency: withDefault('1s', seconds({ min: '1s', max: '10s' })),
  certificateEnds: withDefault('14d', seconds({ min: '1h', max: '365d' })),
  runbooks: optional(pageUrl),
} satisfies Table<AlertOptions>;

export const grafanaDashboardOptions = {
  labels: withDefault({ grafana_dashboard: '1' }, labels),
  folder: optional(folderName),
  title: optional(shownName),
} satisfies Table<GrafanaDashboardOptions>;

export const monitoringOptions = {
  port: withDefault(9113, metricsPort),
  maxSeries: withDefault(defaultMaxSeries, whole(150, 20_000)),
  allowFrom: optional(peers),
  annotations: optional(flag),
  podMonitor: withDefault(false, flagOrGroup(podMonitorOptions, '{ labels: { release: "kube-prometheus-stack" } }')),
  alerts: withDefault(false, flagOrGroup(alertOptions, '{ availability: 99.5 }')),
  dashboard: withDefault(false, flagOrGroup(dashboardOptions, '{ port: 9114 }')),
  grafanaDashboard: withDefault(false, flagOrGroup(grafanaDashboardOptions, '{ folder: "Shop" }')),
} satisfies Table<MonitoringOptions>;

export type MonitoringSettings = Values<typeof monitoringOptions>;

/** Reads the options, and refuses alerts that nothing would bring to Prometheus. */
export function monitoringSettings(options: MonitoringOptions): MonitoringSettings {
  const given = record('options', options, '{ podMonitor: true, alerts: true }');
  const settings = knownValues(given, monitoringOptions, '');
  if (settings.alerts !== undefined && settings.podMonitor === undefined) {
    throw new InvalidOption(
      'alerts',
      true,
      'go by the job of a PodMonitor, which is not there: give podMonitor as well',
    );
  }
  return settings;
}

interface MonitoringProps {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly settings: MonitoringSettings;
}

/** What tells the Prometheus operator and Grafana of a proxy. */
export class Monitoring extends Construct {
  /** Undefined where none was asked for. */
  readonly podMonitor: ApiObject | undefined;
  readonly prometheusRule: ApiObject | undefined;
  /** A ConfigMap. */
  readonly grafanaDashboard: ApiObject | undefined;

  constructor(scope: Construct, id: string, { name, namespace, labels: own, matchLabels, settings }: MonitoringProps) {
    super(scope, id);
    const { podMonitor, alerts } = settings;
    const proxy = `${namespace}/${name}`;
    const object = (kind: string, more: Readonly<Record<string, string>>, spec: object): ApiObject =>
      new ApiObject(this, kind, {
        apiVersion: 'monitoring.coreos.com/v1',
        kind,
        metadata: { name, labels: { ...more, ...own } },
        spec,
      });
    if (podMonitor !== undefined) {
      this.podMonitor = object('PodMonitor', podMonitor.labels, {
        selector: { matchLabels: { ...matchLabels } },
        podMetricsEndpoints: [{ port: metricsPortName, path: metricsPath, interval: `${podMonitor.interval}s` }],
      });
    }
    if (alerts !== undefined) {
      const { labels: given = podMonitor?.labels ?? {}, ...model } = alerts;
      this.prometheusRule = object('PrometheusRule', given, {
        groups: [
          {
            name: `fairlead ${proxy}`,
            rules: alertRules({ ...model, proxy, selector: `job="${proxy}"` }),
          },
        ],
      });
    }
    if (settings.grafanaDashboard !== undefined) {
      const { labels: given, folder, title = `fairlead ${proxy}` } = settings.grafanaDashboard;
      const { availability, latency, certificateEnds, runbooks } = alerts ?? values({}, alertOptions);
      const dashboard = grafanaDashboard({
        namespace,
        proxy,
        title,
        interval: podMonitor?.interval,
        availability,
        latency,
        certificateEnds,
        runbooks,
      });
      this.grafanaDashboard = new ApiObject(this, 'GrafanaDashboard', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: `${name}-grafana-dashboard`,
          labels: { ...given, ...own },
          ...(folder === undefined ? {} : { annotations: { grafana_folder: folder } }),
        },
        // The sidecar writes the files of all namespaces into one directory. No name has a dot.
        data: { [`${namespace}.${name}.json`]: `${JSON.stringify(dashboard, null, 2)}\n` },
      });
    }
    patchWhatIsWritten(this);
  }
}

/** What the operator has the pods of a Prometheus be known by. */
export const prometheusLabels = { 'app.kubernetes.io/name': 'prometheus' } as const;

function metricsPort(option: string, given: unknown): number {
  const number = port(option, given);
  const taken = [httpPort, httpsPort, probePort, certificateCheckPort, ...Object.values(connectionCount)];
  if (!taken.includes(number)) return number;
  throw new InvalidOption(option, given, 'is a port of the proxy itself: give another, such as 9113');
}

function availability(option: string, given: unknown): number {
  if (typeof given === 'number' && given >= 90 && given <= 99.999) return given;
  throw new InvalidOption(option, given, 'is not from 90 to 99.999: give percent, such as 99.9');
}

function pageUrl(option: string, given: unknown): string {
  if (typeof given === 'string' && /^https?:\/\/[^\s#"\\{}]+$/.test(given)) return given;
  throw new InvalidOption(
    option,
    given,
    'is not the URL of a page: give one, such as "https://wiki.example.com/fairlead"',
  );
}

const longestName = 100;

/** A line that Grafana shows. */
function shownName(option: string, given: unknown): string {
  if (typeof given === 'string' && given.length <= longestName && given.isWellFormed()) {
    if (/^\S(?:.*\S)?$/.test(given) && !/\p{Cc}/u.test(given)) return given;
  }
  throw new InvalidOption(
    option,
    given,
    `is not a name to show: give a line of 1 to ${longestName} characters, without spaces around it, such as "Shop"`,
  );
}

/** The sidecar makes a directory of it: what led elsewhere would be written there. */
function folderName(option: string, given: unknown): string {
  const name = shownName(option, given);
  if (!/^\.|[/\\]/.test(name)) return name;
  throw new InvalidOption(
    option,
    given,
    'is not the name of a folder: give one without "/" and "\\" that does not begin with ".", such as "Shop"',
  );
}

/** A list of peers, which the NetworkPolicy looks at. */
function peers(option: string, given: unknown): readonly INetworkPolicyPeer[] {
  if (Array.isArray(given) && given.length === 0) {
    throw new InvalidOption(
      option,
      given,
      'lets nobody in: name who may connect, or leave it out for Prometheus of the operator',
    );
  }
  return (Array.isArray(given) ? given : [given]) as readonly INetworkPolicyPeer[];
}
