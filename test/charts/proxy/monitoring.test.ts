import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { JsonPatch } from 'cdk8s';
import { Namespaces, Pods } from 'cdk8s-plus-27';
import type { AlertRule } from '../../../charts/proxy/alert-rules';
import type { Dashboard } from '../../../charts/proxy/grafana/grafana-json';
import type { MonitoringOptions } from '../../../charts/proxy/monitoring';
import { metricFamilies } from '../../../nginx/metrics/metric-families';
import { testConfiguration } from '../../nginx/support/real-nginx';
import { schemaErrors } from '../custom-resources';
import {
  containerOf,
  find,
  Manifest,
  newBackend,
  newProxy,
  newShop,
  nginxConfOf,
  nginxFilesOf,
  objectsAround,
  podSpecOf,
} from '../manifests';

function monitored(options?: MonitoringOptions): Manifest[] {
  const shop = newShop();
  const edge = newProxy(shop);
  edge.addRoute('/', newBackend(shop, 'orders'));
  edge.addMonitoring(options);
  return objectsAround(shop);
}

function withoutMonitoring(): Manifest[] {
  const shop = newShop();
  newProxy(shop).addRoute('/', newBackend(shop, 'orders'));
  return objectsAround(shop);
}

function annotationsOf(manifests: readonly Manifest[]): unknown {
  const { spec } = find(manifests, 'Deployment', 'edge') as unknown as {
    spec: { template: { metadata: { annotations?: unknown } } };
  };
  return spec.template.metadata.annotations;
}

function ingressOf(manifests: readonly Manifest[]): unknown[] {
  return (find(manifests, 'NetworkPolicy', 'edge').spec as { ingress: unknown[] }).ingress;
}

function rulesOf(manifests: readonly Manifest[]): AlertRule[] {
  const { spec } = find(manifests, 'PrometheusRule', 'edge') as unknown as {
    spec: { groups: readonly { readonly rules: AlertRule[] }[] };
  };
  return spec.groups.flatMap(({ rules }) => rules);
}

/** As Grafana gets it. */
function dashboardTextOf(manifests: readonly Manifest[]): string {
  const { data = {} } = find(manifests, 'ConfigMap', 'edge-grafana-dashboard');
  // A name that no other proxy has: a sidecar puts the files of all namespaces into one directory.
  expect(Object.keys(data)).toEqual(['shop.edge.json']);
  return String(data['shop.edge.json']);
}

const everything = { podMonitor: true, alerts: true } as const;

test('metrics are on a port of the pods, with the annotations that scrapers look for', async () => {
  const manifests = monitored();
  expect(containerOf(manifests, 'edge')).toMatchObject({
    ports: expect.arrayContaining([{ name: 'metrics', containerPort: 9113 }]) as unknown,
  });
  expect(annotationsOf(manifests)).toEqual({
    'prometheus.io/scrape': 'true',
    'prometheus.io/port': '9113',
    'prometheus.io/path': '/metrics',
  });
  for (const name of ['metrics.mjs', 'exposition.mjs']) {
    expect(containerOf(manifests, 'edge').volumeMounts).toContainEqual(
      expect.objectContaining({ mountPath: `/etc/nginx/${name}`, subPath: name }),
    );
    expect(nginxFilesOf(manifests)).toHaveProperty([name]);
  }
  expect(nginxConfOf(manifests)).toContain('listen 9113;');
  expect(find(manifests, 'Service', 'edge').spec).toMatchObject({
    ports: expect.not.arrayContaining([expect.objectContaining({ port: 9113 })]) as unknown,
  });
  await testConfiguration(nginxConfOf(manifests));
});

test('a proxy with them has no other objects, and room in memory for what waits to be counted', () => {
  const kinds = (manifests: readonly Manifest[]): string[] => manifests.map(({ kind }) => kind);
  expect(kinds(monitored())).toEqual(kinds(withoutMonitoring()));
  const { volumes } = podSpecOf(monitored(), 'edge');
  expect(volumes).toContainEqual({ name: 'metrics', emptyDir: { medium: 'Memory', sizeLimit: '17Mi' } });
  expect(containerOf(monitored(), 'edge').volumeMounts).toContainEqual({ name: 'metrics', mountPath: '/run/metrics' });
  const shop = newShop();
  const edge = newProxy(shop);
  edge.addRoute('/', newBackend(shop, 'orders'));
  const without = edge.budget;
  edge.addMonitoring();
  expect(edge.budget.memorySum).toBeLessThanOrEqual(0.8 * edge.budget.memoryLimit);
  expect(edge.budget.requests).toBeLessThan(without.requests);
});

test('the last metrics of a pod wait for who asks regularly, and its grace period has room for that', async () => {
  const { command } = containerOf(monitored(), 'edge');
  expect(command).toEqual([
    'sh',
    '/etc/nginx/until-scraped.sh',
    '/etc/nginx/nginx.conf',
    '/etc/nginx/last-metrics.conf',
    '/run/metrics',
    '65',
  ]);
  expect(containerOf(withoutMonitoring(), 'edge').command).toEqual(['nginx', '-c', '/etc/nginx/nginx.conf']);
  const grace = (manifests: readonly Manifest[]): number => podSpecOf(manifests, 'edge').terminationGracePeriodSeconds;
  expect(grace(monitored())).toBe(grace(withoutMonitoring()) + 65);
  const files = nginxFilesOf(monitored());
  for (const name of ['last-metrics.conf', 'until-scraped.sh']) {
    expect(files).toHaveProperty([name]);
    expect(containerOf(monitored(), 'edge').volumeMounts).toContainEqual({
      mountPath: `/etc/nginx/${name}`,
      name: 'config',
      readOnly: true,
      subPath: name,
    });
    expect(nginxFilesOf(withoutMonitoring())).not.toHaveProperty([name]);
  }
  const last = String(files['last-metrics.conf']);
  expect(last).toContain('listen 9113;');
  expect(last).not.toContain('listen 8443');
  const counting = /js_(?:var \$metrics|shared_dict_zone zone=metrics).*/g;
  expect(last.match(counting)).toEqual([
    ...(nginxConfOf(monitored()).match(counting) ?? []),
    'js_var $metrics_are_last yes;',
  ]);
  await testConfiguration(last);
});

test('only the scraper reaches the port', () => {
  const rule = (manifests: readonly Manifest[]): unknown[] =>
    ingressOf(manifests).filter((each) => JSON.stringify(each).includes('9113'));
  const ports = [{ port: 9113, protocol: 'TCP' }];
  expect(ingressOf(monitored()).length).toBe(ingressOf(withoutMonitoring()).length + 1);
  expect(rule(monitored())).toEqual([
    {
      from: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } } }],
      ports,
    },
  ]);
  const shop = newShop();
  const edge = newProxy(shop);
  edge.addRoute('/', newBackend(shop, 'orders'));
  edge.addMonitoring({
    allowFrom: [
      Namespaces.select(shop, 'Monitoring', { names: ['monitoring'] }),
      Pods.select(shop, 'Agents', { labels: { app: 'agent' } }),
    ],
  });
  expect(rule(objectsAround(shop))).toEqual(
    expect.arrayContaining([
      { from: [expect.objectContaining({ podSelector: { matchLabels: { app: 'agent' } } })], ports },
      {
        from: [
          expect.objectContaining({
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
          }),
        ],
        ports,
      },
    ]) as unknown,
  );
});

test("the operator's objects have the shape of its CRDs, and name the port and the pods that are there", () => {
  const manifests = monitored({ ...everything, podMonitor: { labels: { release: 'kps' }, interval: '1m' } });
  const podMonitor = find(manifests, 'PodMonitor', 'edge');
  const rule = find(manifests, 'PrometheusRule', 'edge');
  expect(schemaErrors('PodMonitor', podMonitor)).toEqual([]);
  expect(schemaErrors('PrometheusRule', rule)).toEqual([]);
  expect(schemaErrors('PodMonitor', { ...podMonitor, spec: { ...podMonitor.spec, selectors: {} } })).not.toEqual([]);
  for (const object of [podMonitor, rule]) {
    expect(object).toMatchObject({
      apiVersion: 'monitoring.coreos.com/v1',
      metadata: { namespace: 'shop', labels: { release: 'kps', 'app.kubernetes.io/managed-by': 'fairlead' } },
    });
  }
  expect(podMonitor.spec).toEqual({
    selector: (find(manifests, 'Deployment', 'edge').spec as { selector: unknown }).selector,
    podMetricsEndpoints: [{ port: 'metrics', path: '/metrics', interval: '60s' }],
  });
  // Each pod would else be asked twice.
  expect(annotationsOf(manifests)).toBeUndefined();
});

test('alerts name no metric and no label that nginx does not serve, and the job of their own proxy', () => {
  const rules = rulesOf(monitored(everything));
  expect(rules.length).toBeGreaterThan(8);
  const families = metricFamilies as Readonly<Record<string, { readonly labels: readonly string[] } | undefined>>;
  for (const { alert, expr, annotations } of rules) {
    const names = [...expr.matchAll(/\b(fairlead_\w+)\{([^}]*)\}/g)];
    expect([alert, names.length]).not.toEqual([alert, 0]);
    expect([...expr.matchAll(/\bfairlead_\w+/g)].length).toBe(names.length);
    for (const [, name = '', selector = ''] of names) {
      const family = families[name] ?? families[name.replace(/_bucket$/, '')];
      expect([alert, name, family === undefined]).toEqual([alert, name, false]);
      const labels = [...selector.matchAll(/(\w+)(?:=~|!=|=)"/g)].map(([, label]) => label);
      expect(labels).toContain('job');
      expect(selector).toContain('job="shop/edge"');
      expect(labels.filter((label) => label !== 'job' && !family?.labels.includes(String(label)))).toEqual([]);
    }
    const by = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
    const known = [...names.flatMap(([, name = '']) => families[name]?.labels ?? []), 'le'];
    expect(by.filter((label) => !known.includes(label))).toEqual([]);
    const shown = Object.values(annotations).flatMap((text) => [...text.matchAll(/\$labels\.(\w+)/g)]);
    expect(shown.map(([, label]) => label).filter((label) => !by.includes(String(label)))).toEqual([]);
  }
});

test('every alert has a section on the page of runbooks, and the page no other', () => {
  const page = readFileSync(resolve('docs/runbooks.md'), 'utf8');
  const sections = [...page.matchAll(/^## (Fairlead\w+)$/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual([...new Set(rulesOf(monitored(everything)).map(({ alert }) => alert))].sort());
  const [first] = rulesOf(monitored(everything));
  expect(first?.annotations.runbook).toBe('docs/runbooks.md#fairleaderrorbudgetburn');
  const [own] = rulesOf(monitored({ ...everything, alerts: { runbooks: 'https://wiki.example.com/fairlead' } }));
  expect(own?.annotations.runbook_url).toBe('https://wiki.example.com/fairlead#fairleaderrorbudgetburn');
});

test('alerts go by what was given', () => {
  const alerts = { availability: 99.5, latency: '2s', certificateEnds: '30d' } as const;
  const expression = (name: string): string =>
    rulesOf(monitored({ podMonitor: true, alerts })).find(({ alert }) => alert === name)?.expr ?? '';
  expect(expression('FairleadErrorBudgetBurn')).toContain('> 14.4 * 0.005 and');
  expect(expression('FairleadLatency')).toMatch(/> 2$/);
  expect(expression('FairleadCertificateEnds')).toMatch(/< 2592000$/);
});

test("the dashboard is a ConfigMap that the sidecar of Grafana's chart finds, and that kubectl can apply", () => {
  const configMap = find(monitored({ grafanaDashboard: true }), 'ConfigMap', 'edge-grafana-dashboard');
  expect(configMap).toMatchObject({
    apiVersion: 'v1',
    metadata: { namespace: 'shop', labels: { grafana_dashboard: '1', 'app.kubernetes.io/managed-by': 'fairlead' } },
  });
  expect(configMap.metadata.annotations).toBeUndefined();
  // kubectl apply keeps all of it in an annotation, and annotations have 256 KiB.
  expect(JSON.stringify(configMap).length).toBeLessThan(200 * 2 ** 10);
  const { title } = JSON.parse(dashboardTextOf(monitored({ grafanaDashboard: true }))) as Dashboard;
  expect(title).toBe('fairlead shop/edge');
});

test('the dashboard has the labels, the folder and the title that are given', () => {
  const grafanaDashboard = { labels: { dashboards: 'shop' }, folder: 'Front doors', title: 'Shop' };
  const manifests = monitored({ grafanaDashboard });
  const { labels, annotations } = find(manifests, 'ConfigMap', 'edge-grafana-dashboard').metadata;
  expect(labels).toMatchObject({ dashboards: 'shop' });
  expect(labels).not.toHaveProperty('grafana_dashboard');
  expect(annotations).toEqual({ grafana_folder: 'Front doors' });
  expect((JSON.parse(dashboardTextOf(manifests)) as Dashboard).title).toBe('Shop');
});

test('the dashboard goes by what alerts and the PodMonitor were given, or by the defaults of alerts', () => {
  const alerts = { availability: 99.5, runbooks: 'https://wiki.example.com/fairlead' };
  const text = dashboardTextOf(monitored({ podMonitor: { interval: '1m' }, alerts, grafanaDashboard: true }));
  expect(text).toContain(' / 0.005"');
  expect(text).toContain('"https://wiki.example.com/fairlead#fairleadlatency"');
  expect(text).toContain('"interval": "60s"');
  expect(dashboardTextOf(monitored({ grafanaDashboard: true }))).toContain(' / 0.001"');
});

test('a patch of the user is applied to the objects of the operator, and to the dashboard', () => {
  const shop = newShop();
  const edge = newProxy(shop);
  edge.addRoute('/', newBackend(shop, 'orders'));
  edge.addMonitoring({ podMonitor: true, grafanaDashboard: true });
  edge.monitoring?.podMonitor?.addJsonPatch(JsonPatch.add('/spec/sampleLimit', 1000));
  edge.monitoring?.grafanaDashboard?.addJsonPatch(JsonPatch.add('/immutable', true));
  expect(find(objectsAround(shop), 'PodMonitor', 'edge').spec).toMatchObject({ sampleLimit: 1000 });
  expect(find(objectsAround(shop), 'ConfigMap', 'edge-grafana-dashboard').immutable).toBe(true);
});

test('what cannot work is refused with what to do', () => {
  const refused =
    (options: unknown): (() => unknown) =>
    () =>
      monitored(options as MonitoringOptions);
  const at = 'shop/edge, addMonitoring ';
  expect(refused({ alerts: true })).toThrow(`${at}alerts: true go by the job of a PodMonitor, which is not there`);
  expect(refused({ port: 8443 })).toThrow(`${at}port: 8443 is a port of the proxy itself: give another, such as 9113`);
  expect(refused({ maxSeries: 10 })).toThrow(`${at}maxSeries: 10 is out of range`);
  expect(refused({ maxSerie: 500 })).toThrow(`${at}maxSerie`);
  expect(refused({ podMonitor: true, alerts: { availability: 100 } })).toThrow(
    `${at}alerts.availability: 100 is not from 90 to 99.999: give percent, such as 99.9`,
  );
  expect(refused({ podMonitor: { interval: '0s' } })).toThrow(`${at}podMonitor.interval: "0s" is too short`);
  expect(refused({ podMonitor: true, alerts: { runbooks: 'wiki' } })).toThrow(`${at}alerts.runbooks: "wiki" is not`);
  expect(refused({ allowFrom: '10.0.0.0/8' })).toThrow('is not a peer of a NetworkPolicy');
  const dashboard = (options: object): (() => unknown) => refused({ grafanaDashboard: options });
  for (const title of ['', ' Shop', 'Shop\n', 'S'.repeat(101), 1]) {
    expect(dashboard({ title })).toThrow('is not a name to show: give a line of 1 to 100 characters, without spaces');
  }
  for (const folder of ['..', '.shop', 'a/b', '/tmp', 'a\\b']) {
    expect(dashboard({ folder })).toThrow(
      `${at}grafanaDashboard.folder: ${JSON.stringify(folder)} is not the name of a folder: give one without "/"`,
    );
  }
  expect(dashboard({ labels: { team: 'a b' } })).toThrow(
    `${at}grafanaDashboard.labels["team"]: "a b" is not the value of a label`,
  );
  expect(dashboard({ uid: 'edge' })).toThrow(`${at}grafanaDashboard.uid: "edge" is an option that does not exist`);
  const shop = newShop();
  const edge = newProxy(shop);
  edge.addMonitoring();
  expect(() => {
    edge.addMonitoring({ podMonitor: true });
  }).toThrow(`${at}options: "(object)" are given a second time: give all of them in one call`);
});
