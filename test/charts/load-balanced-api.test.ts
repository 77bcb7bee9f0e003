import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, Chart, JsonPatch, YamlOutputType } from 'cdk8s';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import { containerOf, find, podSpecOf, props, synthesize } from './manifests';

describe('What is made', () => {
  test('of an image alone: every object, in the order in which it can be applied', () => {
    expect(
      synthesize().map(({ kind, metadata }) => `${kind}/${metadata.name.replace(/-[0-9a-f]{10}$/, '-HASH')}`),
    ).toEqual([
      'Namespace/orders',
      'NetworkPolicy/deny-ingress',
      'NetworkPolicy/api',
      'Service/api',
      'Service/api-cluster-ip',
      'Deployment/api',
      'HorizontalPodAutoscaler/api',
      'PodDisruptionBudget/api',
      'NetworkPolicy/nginx',
      'ConfigMap/nginx-HASH',
      'Service/nginx',
      'Deployment/nginx',
      'HorizontalPodAutoscaler/nginx',
      'PodDisruptionBudget/nginx',
    ]);
  });

  test('is in the namespace, each object of it', () => {
    for (const { kind, metadata } of synthesize({ namespace: 'shop' })) {
      expect(kind === 'Namespace' ? metadata.name : metadata.namespace).toBe('shop');
    }
  });

  test('carries the recommended labels, and those of the user', () => {
    const manifests = synthesize({ labels: { team: 'orders', 'example.com/cost-center': '42' } });
    for (const { metadata } of manifests) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/instance': 'orders',
        'app.kubernetes.io/part-of': 'orders',
        'app.kubernetes.io/managed-by': 'fairlead',
        'example.com/cost-center': '42',
        team: 'orders',
      });
      expect(metadata.labels).toHaveProperty(['app.kubernetes.io/name']);
      expect(metadata.labels).toHaveProperty(['app.kubernetes.io/component']);
    }
    for (const name of ['api', 'nginx'] as const) {
      expect(find(manifests, 'Deployment', name)).toMatchObject({
        spec: { template: { metadata: { labels: { team: 'orders' } } } },
      });
    }
  });

  test.each([{ team: '' }, { tier: '1' }, { t: 'orders' }, { 'x/team': 'orders' }])('takes %j as labels', (labels) => {
    expect(find(synthesize({ labels }), 'Deployment', 'api').metadata.labels).toMatchObject(labels);
  });

  test('selects pods by labels that neither an image nor a user can change', () => {
    const manifests = synthesize({ labels: { team: 'orders' }, container: { image: 'orders:2' } });
    const selectors = [
      find(manifests, 'Deployment', 'api').spec?.selector,
      find(manifests, 'PodDisruptionBudget', 'api').spec?.selector,
      { matchLabels: find(manifests, 'Service', 'api').spec?.selector },
      { matchLabels: find(manifests, 'Service', 'api-cluster-ip').spec?.selector },
      find(manifests, 'NetworkPolicy', 'api').spec?.podSelector,
    ];
    for (const selector of selectors) {
      expect(selector).toEqual({
        matchLabels: { 'app.kubernetes.io/instance': 'orders', 'app.kubernetes.io/name': 'api' },
      });
    }
  });

  test('has the version of an image as a label, unless its tag is none that a label can have', () => {
    const versionOf = (image: string): string | undefined =>
      find(synthesize({ container: { image } }), 'Deployment', 'api').metadata.labels['app.kubernetes.io/version'];
    expect(versionOf('ghcr.io/acme/orders:1.4.2')).toBe('1.4.2');
    expect(versionOf(`ghcr.io/acme/orders:1.4.2@sha256:${'a'.repeat(64)}`)).toBe('1.4.2');
    expect(versionOf('registry.example.com:5000/orders')).toBeUndefined();
    expect(versionOf('orders:7')).toBe('7');
    expect(versionOf(`orders:${'a'.repeat(100)}`)).toBeUndefined();
  });
});

describe('The files', () => {
  const directories: string[] = [];
  const write = (build: (app: App) => void, yamlOutputType = YamlOutputType.FILE_PER_CHART): Record<string, string> => {
    const outdir = mkdtempSync(join(tmpdir(), 'fairlead-charts-'));
    directories.push(outdir);
    const app = new App({ outdir, yamlOutputType });
    build(app);
    app.synth();
    return Object.fromEntries(
      readdirSync(outdir)
        .sort()
        .map((name) => [name, readFileSync(join(outdir, name), 'utf8')]),
    );
  };
  afterAll(() => {
    for (const directory of directories) rmSync(directory, { recursive: true });
  });

  test('come in an order in which the Namespace is first', () => {
    const files = write((app) => new LoadBalancedApi(app, 'orders', props()));
    const names = Object.keys(files);
    expect(names.map((name) => name.replace(/-[0-9a-f]{8}\./, '.'))).toEqual([
      'orders-0-namespace.k8s.yaml',
      'orders-2-api.k8s.yaml',
      'orders-3-nginx.k8s.yaml',
    ]);
    expect(files[names[0] ?? '']).toMatch(/^apiVersion: v1\nkind: Namespace\n/);
  });

  test('are the same, byte for byte, in any order of construction', () => {
    const orders = (app: App): LoadBalancedApi => new LoadBalancedApi(app, 'orders', props());
    const billing = (app: App): LoadBalancedApi => new LoadBalancedApi(app, 'billing', props({ replicas: 2 }));
    const first = write((app) => [orders(app), billing(app)]);
    const second = write((app) => [billing(app), orders(app)]);
    expect(second).toEqual(first);
    expect(Object.keys(first)).toHaveLength(6);
  });

  test('are the same whatever order the options come in', () => {
    const reversed = Object.fromEntries(Object.entries(props({ host: 'a.example.com', replicas: 3 })).reverse());
    expect(write((app) => new LoadBalancedApi(app, 'orders', reversed as never))).toEqual(
      write((app) => new LoadBalancedApi(app, 'orders', props({ host: 'a.example.com', replicas: 3 }))),
    );
  });

  test('can be applied in one piece too: the Namespace is the first object', () => {
    const files = write((app) => new LoadBalancedApi(app, 'orders', props()), YamlOutputType.FILE_PER_APP);
    expect(Object.values(files)[0]).toMatch(/^apiVersion: v1\nkind: Namespace\n/);
  });
});

describe('Two in one app', () => {
  test('live in namespaces of their own', () => {
    const app = new App();
    const orders = new LoadBalancedApi(app, 'orders', props());
    const billing = new LoadBalancedApi(app, 'billing', props());
    expect([orders.namespace.name, billing.namespace.name]).toEqual(['orders', 'billing']);
  });

  test('are refused in one namespace, since the second would overwrite the first', () => {
    const app = new App();
    new LoadBalancedApi(app, 'orders', props());
    expect(() => new LoadBalancedApi(app, 'billing', props({ namespace: 'orders' }))).toThrow(
      'namespace: "orders" is that of "orders" already: give one for this API alone',
    );
  });

  test('may be in one chart of a user', () => {
    const app = new App();
    const shop = new Chart(app, 'shop');
    new LoadBalancedApi(shop, 'orders', props());
    new LoadBalancedApi(shop, 'billing', props());
    const charts = ['0-namespace', '2-api', '3-nginx'];
    expect(app.charts.map((chart) => chart.node.path).sort()).toEqual([
      'shop',
      ...charts.map((chart) => `shop/billing/${chart}`),
      ...charts.map((chart) => `shop/orders/${chart}`),
    ]);
  });
});

describe('Every part can be changed further', () => {
  test('by its own methods', () => {
    const manifests = synthesize({}, (api) => {
      api.nginxService.metadata.addAnnotation('example.com/note', 'changed');
      api.apiDeployment.podMetadata.addAnnotation('example.com/scrape', 'true');
    });
    expect(find(manifests, 'Service', 'nginx').metadata.annotations).toEqual({ 'example.com/note': 'changed' });
    expect(find(manifests, 'Deployment', 'api')).toMatchObject({
      spec: { template: { metadata: { annotations: { 'example.com/scrape': 'true' } } } },
    });
  });

  test('by more containers, which are as restricted as the first and have no part in its timeline', () => {
    const manifests = synthesize({}, (api) => {
      api.apiDeployment.addContainer({ name: 'sidecar', image: 'sidecar:1' });
      api.apiDeployment.addInitContainer({ name: 'migrate', image: 'migrate:1' });
    });
    const { containers, initContainers } = podSpecOf(manifests, 'api');
    expect(containers).toMatchObject([
      { name: 'api', lifecycle: { preStop: {} } },
      { name: 'sidecar', securityContext: { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false } },
    ]);
    expect(containers[1]).not.toHaveProperty('lifecycle');
    expect(initContainers).toMatchObject([{ name: 'migrate', securityContext: { capabilities: { drop: ['ALL'] } } }]);
  });

  test('by a JSON patch, which wins over what fairlead sets', () => {
    const manifests = synthesize({}, (api) => {
      ApiObject.of(api.apiDeployment).addJsonPatch(
        JsonPatch.replace('/spec/template/spec/enableServiceLinks', true),
        JsonPatch.add('/spec/template/spec/containers/0/lifecycle', { preStop: { exec: { command: ['true'] } } }),
      );
      api.apiDisruptionBudget.addJsonPatch(JsonPatch.replace('/spec/unhealthyPodEvictionPolicy', 'IfHealthyBudget'));
    });
    expect(containerOf(manifests, 'api').lifecycle).toEqual({ preStop: { exec: { command: ['true'] } } });
    expect(find(manifests, 'Deployment', 'api')).toMatchObject({
      spec: { template: { spec: { enableServiceLinks: true } } },
    });
    expect(find(manifests, 'PodDisruptionBudget', 'api').spec).toMatchObject({
      unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    });
  });

  test('and is there to be found', () => {
    const api = new LoadBalancedApi(new App(), 'orders', props());
    expect(api.apiAutoscaler?.name).toBe('api');
    expect(api.nginxAutoscaler?.name).toBe('nginx');
    expect(api.tlsSecret).toBeUndefined();
    expect(api.nginxConfigMap.name).toMatch(/^nginx-[0-9a-f]{10}$/);
  });
});
