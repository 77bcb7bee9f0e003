import { createHash } from 'node:crypto';
import { type AlertPanel, type DashboardModel, withRunbook } from './alert-panel';
import { dashboard, type Dashboard, type LabelVariable, type Section } from './grafana-json';
import { certificates, discovery, limits, proxies } from './panels-of-proxies';
import { backends, instances, routes, whatUsersSee } from './panels-of-requests';
import { series } from './queries';

/** The dashboard of Grafana for a proxy: from what its users see, down to what the metrics themselves have lost. */
export function grafanaDashboard(model: DashboardModel): Dashboard {
  const { proxy, title, interval } = model;
  const section = (name: string, panels: readonly AlertPanel[]): Section => ({
    title: name,
    panels: panels.map((panel) => withRunbook(model, panel)),
  });
  return dashboard({
    // Grafana takes 40 characters, and namespace and name may have more.
    uid: `fairlead-${createHash('sha256').update(proxy).digest('hex').slice(0, 16)}`,
    title,
    description: `The proxy ${proxy}, as its nginx counts. Made by fairlead: what is changed in Grafana is lost with the next deployment.`,
    interval,
    variables: variables(model),
    sections: [
      section('What users see', whatUsersSee(model)),
      section('Routes', routes(model)),
      section('Backends and versions', backends(model)),
      section('Instances', instances()),
      section('Limits and connections', limits()),
      section('TLS and certificates', certificates(model)),
      section('DNS', discovery()),
      section('Proxies, and what their metrics lost', proxies()),
    ],
  });
}

/** Labels that Prometheus puts on what it reads from pods; a backend has its name from the start, asked or not. */
function variables({ namespace, proxy }: DashboardModel): LabelVariable[] {
  const configurations = 'fairlead_configuration_info';
  return [
    {
      name: 'namespace',
      label: 'Namespace',
      query: `label_values(${configurations}, namespace)`,
      first: namespace,
    },
    {
      name: 'proxy',
      label: 'Proxy',
      query: `label_values(${configurations}{namespace="$namespace"}, job)`,
      first: proxy,
    },
    {
      name: 'backend',
      label: 'Backend',
      query: `label_values(${series('fairlead_upstream_no_peer_total')}, backend)`,
    },
  ];
}
