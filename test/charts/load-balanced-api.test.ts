import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, Chart, JsonPatch, YamlOutputType } from 'cdk8s';
import { ConfigMap } from 'cdk8s-plus-27';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import type { RestrictedNamespace } from '../../charts/namespace';
import { Path } from '../../model/routes/matching';
import {
  containerOf,
  find,
  namesOf,
  newBackend,
  newProxy,
  newShop,
  objectsAround,
  podSpecOf,
  props,
  synthesize,
} from './manifests';

describe('What is made', () => {
  test('of an image alone is every object, in the order in which it can be applied', () => {
    expect(namesOf(synthesize())).toEqual([
      'Namespace/orders',
      'NetworkPolicy/deny-ingress',
      'NetworkPolicy/orders',
      'Service/orders',
      'Service/orders-cluster-ip',
      'Deployment/orders',
      'HorizontalPodAutoscaler/orders',
      'PodDisruptionBudget/orders',
      'NetworkPolicy/orders-from-HASH',
      'NetworkPolicy/nginx',
      'ConfigMap/nginx-HASH',
      'Service/nginx',
      'Deployment/nginx',
      'HorizontalPodAutoscaler/nginx',
      'PodDisruptionBudget/nginx',
    ]);
  });

  test('is in the namespace, each object of it', () => {
    for (const { kind, metadata } of synthesize({ namespace: { name: 'shop' } })) {
      expect(kind === 'Namespace' ? metadata.name : metadata.namespace).toBe('shop');
    }
  });

  test('carries the recommended labels, and those of the user', () => {
    const manifests = synthesize({
      namespace: { name: 'shop', labels: { team: 'orders', 'example.com/cost-center': '42' } },
    });
    for (const { metadata } of manifests) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/part-of': 'shop',
        'app.kubernetes.io/managed-by': 'fairlead',
        'example.com/cost-center': '42',
        team: 'orders',
      });
    }
    const labelsOf = (kind: string, name: string): readonly unknown[] => {
      const { labels } = find(manifests, kind, name).metadata;
      return ['name', 'instance', 'component'].map((label) => labels[`app.kubernetes.io/${label}`]);
    };
    expect(labelsOf('Namespace', 'shop')).toEqual(['namespace', 'shop', 'namespace']);
    expect(labelsOf('NetworkPolicy', 'deny-ingress')).toEqual(['namespace', 'shop', 'namespace']);
    for (const kind of ['NetworkPolicy', 'Service', 'Deployment', 'HorizontalPodAutoscaler', 'PodDisruptionBudget']) {
      expect(labelsOf(kind, 'orders')).toEqual(['orders', 'orders', 'api']);
      expect(labelsOf(kind, 'nginx')).toEqual(['nginx', 'nginx', 'proxy']);
    }
    expect(labelsOf('Service', 'orders-cluster-ip')).toEqual(['orders', 'orders', 'api']);
    const configMap = manifests.find(({ kind }) => kind === 'ConfigMap');
    expect(labelsOf('ConfigMap', configMap?.metadata.name ?? '')).toEqual(['nginx', 'nginx', 'nginx-config']);
    for (const name of ['orders', 'nginx']) {
      expect(find(manifests, 'Deployment', name)).toMatchObject({
        spec: { template: { metadata: { labels: { team: 'orders', 'app.kubernetes.io/name': name } } } },
      });
    }
  });

  test.each([{ team: '' }, { tier: '1' }, { t: 'orders' }, { 'x/team': 'orders' }])('takes %j as labels', (labels) => {
    expect(find(synthesize({ namespace: { labels } }), 'Deployment', 'orders').metadata.labels).toMatchObject(labels);
  });

  test('selects pods by labels that neither an image nor a user can change', () => {
    const manifests = synthesize({ namespace: { labels: { team: 'orders' } }, image: 'orders:2' });
    for (const [id, services] of [
      ['orders', ['orders', 'orders-cluster-ip']],
      ['nginx', ['nginx']],
    ] as const) {
      const selectors = [
        find(manifests, 'Deployment', id).spec?.selector,
        find(manifests, 'PodDisruptionBudget', id).spec?.selector,
        ...services.map((name) => ({ matchLabels: find(manifests, 'Service', name).spec?.selector })),
        find(manifests, 'NetworkPolicy', id).spec?.podSelector,
      ];
      for (const selector of selectors) {
        expect(selector).toEqual({
          matchLabels: { 'app.kubernetes.io/instance': id, 'app.kubernetes.io/name': id },
        });
      }
    }
  });

  test('has the version of an image as a label, unless its tag is none that a label can have', () => {
    const versionOf = (image: string): string | undefined =>
      find(synthesize({ image }), 'Deployment', 'orders').metadata.labels['app.kubernetes.io/version'];
    expect(versionOf('ghcr.io/acme/orders:1.4.2')).toBe('1.4.2');
    expect(versionOf(`ghcr.io/acme/orders:1.4.2@sha256:${'a'.repeat(64)}`)).toBe('1.4.2');
    expect(versionOf('registry.example.com:5000/orders')).toBeUndefined();
    expect(versionOf('orders:7')).toBe('7');
    expect(versionOf(`orders:${'a'.repeat(63)}`)).toBe('a'.repeat(63));
    expect(versionOf(`orders:${'a'.repeat(64)}`)).toBeUndefined();
    expect(versionOf(`orders:${'a'.repeat(100)}`)).toBeUndefined();
    expect(versionOf('orders:1.4_')).toBeUndefined();
  });

  test('has the version of each image on its pods', () => {
    const manifests = synthesize();
    for (const [name, version] of [
      ['orders', '1.4.2'],
      ['nginx', '1.30'],
    ] as const) {
      const labels = { 'app.kubernetes.io/version': version };
      expect(find(manifests, 'Deployment', name)).toMatchObject({
        metadata: { labels },
        spec: { template: { metadata: { labels } } },
      });
    }
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
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
  });

  test('come in an order in which the Namespace is first', () => {
    const files = write((app) => new LoadBalancedApi(app, 'orders', props()));
    const names = Object.keys(files);
    expect(names.map((name) => name.replace(/-[0-9a-f]{8}\./, '.'))).toEqual([
      'orders-0-namespace.k8s.yaml',
      'orders.k8s.yaml',
    ]);
    expect(files[names[0] ?? '']).toMatch(/^apiVersion: v1\nkind: Namespace\n/);
  });

  test('are the same, byte for byte, in any order of construction', () => {
    const orders = (app: App): LoadBalancedApi => new LoadBalancedApi(app, 'orders', props());
    const billing = (app: App): LoadBalancedApi => new LoadBalancedApi(app, 'billing', props({ replicas: 2 }));
    const first = write((app) => [orders(app), billing(app)]);
    const second = write((app) => [billing(app), orders(app)]);
    expect(second).toEqual(first);
    expect(Object.keys(first)).toHaveLength(4);
  });

  test('are the same whatever order the options come in', () => {
    const given = props({ host: 'a.example.com', replicas: 3, namespace: { name: 'shop', dnsCacheTtl: '0s' } });
    const reversed = Object.fromEntries(
      Object.entries({ ...given, namespace: { dnsCacheTtl: '0s', name: 'shop' } }).reverse(),
    );
    expect(write((app) => new LoadBalancedApi(app, 'orders', reversed as never))).toEqual(
      write((app) => new LoadBalancedApi(app, 'orders', given)),
    );
  });

  test('can be applied in one piece too: every Namespace comes before what is in one', () => {
    const files = write((app) => {
      const own = new Chart(app, 'own', { namespace: 'orders' });
      new ConfigMap(own, 'ConfigMap', { data: { a: 'b' } });
      new LoadBalancedApi(app, 'orders', props());
      new LoadBalancedApi(app, 'billing', props());
    }, YamlOutputType.FILE_PER_APP);
    const kinds = [...(Object.values(files)[0] ?? '').matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);
    expect(kinds.slice(0, 5)).toEqual(['Namespace', 'NetworkPolicy', 'Namespace', 'NetworkPolicy', 'ConfigMap']);
    expect(kinds.filter((kind) => kind === 'Namespace')).toHaveLength(2);
  });

  test('have the Namespace first where cdk8s numbers them as well, for a chart within another', () => {
    const files = write((app) => {
      const api = new LoadBalancedApi(app, 'orders', props());
      new ConfigMap(new Chart(api.namespace, 'own'), 'ConfigMap', { data: { a: 'b' } });
    });
    expect(Object.keys(files).map((name) => name.replace(/-[0-9a-f]{8}\./, '.'))).toEqual([
      '0000-orders-0-namespace.k8s.yaml',
      '0001-orders-own.k8s.yaml',
      '0002-orders.k8s.yaml',
    ]);
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
    expect(() => new LoadBalancedApi(app, 'billing', props({ namespace: { name: 'orders' } }))).toThrow(
      new Error(
        'billing namespace.name: "orders" is that of "orders/orders" already: give another, or make both in one namespace',
      ),
    );
  });

  test('may be in one chart of a user', () => {
    const app = new App();
    const shop = new Chart(app, 'shop');
    new LoadBalancedApi(shop, 'orders', props());
    new LoadBalancedApi(shop, 'billing', props());
    expect(app.charts.map((chart) => chart.node.path).sort()).toEqual([
      'shop',
      'shop/billing/billing',
      'shop/billing/billing/0/namespace',
      'shop/orders/orders',
      'shop/orders/orders/0/namespace',
    ]);
  });
});

describe('Whatever is made of it', () => {
  test('is what the constructs by themselves make', () => {
    const shop = newShop();
    const backend = newBackend(shop, 'shop', { image: 'shop:1', replicas: 3 });
    newProxy(shop, 'nginx', { host: 'shop.example.com' }).addRoute('/', backend, { maxBodySize: '8m' });

    const app = new App();
    const whole = new LoadBalancedApi(
      app,
      'shop',
      props({ image: 'shop:1', replicas: 3, host: 'shop.example.com', route: { maxBodySize: '8m' } }),
    );
    // cdk8s knows the pods of a Deployment by where its construct is.
    const written = (namespace: RestrictedNamespace): string =>
      JSON.stringify(objectsAround(namespace)).replaceAll(/"cdk8s.io\/metadata.addr":"[^"]*"/g, '');
    expect(written(whole.namespace)).toBe(written(shop).replaceAll('shop-tls', 'orders-tls'));
  });

  test('takes another service and another path beside the first', () => {
    const manifests = synthesize({}, (api) => {
      const catalog = newBackend(api.namespace, 'catalog');
      api.proxy.addRoute('/catalog', catalog);
      api.proxy.addRoute(Path.exact('/events'), api.backend, { streaming: '1h' });
      expect(api.proxy.routes.map((route) => route.model.path.path)).toEqual(['/', '/catalog', '/events']);
      expect(api.route).toBe(api.proxy.routes[0]);
    });
    expect(namesOf(manifests)).toContain('Deployment/catalog');
  });
});

describe('Every part can be changed further', () => {
  test('by its own methods', () => {
    const manifests = synthesize({}, (api) => {
      api.proxy.service.metadata.addAnnotation('example.com/note', 'changed');
      api.backend.deployment.podMetadata.addAnnotation('example.com/scrape', 'true');
    });
    expect(find(manifests, 'Service', 'nginx').metadata.annotations).toEqual({ 'example.com/note': 'changed' });
    expect(find(manifests, 'Deployment', 'orders')).toMatchObject({
      spec: { template: { metadata: { annotations: { 'example.com/scrape': 'true' } } } },
    });
  });

  test('by more containers, which are as restricted as the first and have no part in its timeline', () => {
    const manifests = synthesize({}, (api) => {
      api.backend.deployment.addContainer({ name: 'sidecar', image: 'sidecar:1' });
      api.backend.deployment.addInitContainer({ name: 'migrate', image: 'migrate:1' });
    });
    const { containers, initContainers } = podSpecOf(manifests, 'orders');
    expect(containers).toMatchObject([
      { name: 'api', lifecycle: { preStop: {} } },
      { name: 'sidecar', securityContext: { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false } },
    ]);
    expect(containers[1]).not.toHaveProperty('lifecycle');
    expect(initContainers).toMatchObject([{ name: 'migrate', securityContext: { capabilities: { drop: ['ALL'] } } }]);
  });

  test('by a JSON patch, which wins over what fairlead sets', () => {
    const manifests = synthesize({}, (api) => {
      ApiObject.of(api.backend.deployment).addJsonPatch(
        JsonPatch.replace('/spec/template/spec/enableServiceLinks', true),
        JsonPatch.add('/spec/template/spec/containers/0/lifecycle', { preStop: { exec: { command: ['true'] } } }),
      );
      api.backend.disruptionBudget.addJsonPatch(
        JsonPatch.replace('/spec/unhealthyPodEvictionPolicy', 'IfHealthyBudget'),
      );
    });
    expect(containerOf(manifests, 'orders').lifecycle).toEqual({ preStop: { exec: { command: ['true'] } } });
    expect(find(manifests, 'Deployment', 'orders')).toMatchObject({
      spec: { template: { spec: { enableServiceLinks: true } } },
    });
    expect(find(manifests, 'PodDisruptionBudget', 'orders').spec).toMatchObject({
      unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    });
  });

  test.each(['http', 'grpc'] as const)('by probes of pods that speak %s, which stay as written', (protocol) => {
    const probe = { exec: { command: ['node', 'ready.js'] }, periodSeconds: 3 };
    const before = containerOf(synthesize({ protocol }), 'orders');
    for (const name of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      const manifests = synthesize({ protocol }, (api) => {
        ApiObject.of(api.backend.deployment).addJsonPatch(
          JsonPatch.replace(`/spec/template/spec/containers/0/${name}`, probe),
        );
      });
      expect(containerOf(manifests, 'orders')).toEqual({ ...before, [name]: probe });
    }
  });

  test('by times of a probe, which asks what it asked before', () => {
    const path = '/spec/template/spec/containers/0/readinessProbe';
    const manifests = synthesize({}, (api) => {
      ApiObject.of(api.backend.deployment).addJsonPatch(
        JsonPatch.replace(`${path}/periodSeconds`, 1),
        JsonPatch.add(`${path}/successThreshold`, 2),
      );
    });
    const before = containerOf(synthesize(), 'orders').readinessProbe as object;
    const { readinessProbe } = containerOf(manifests, 'orders');
    expect(readinessProbe).toEqual({ ...before, periodSeconds: 1, successThreshold: 2 });
  });

  test('and is there to be found', () => {
    const api = new LoadBalancedApi(new App(), 'orders', props());
    expect(api.backend.autoscaler?.name).toBe('orders');
    expect(api.backend.headlessService.name).toBe('orders');
    expect(api.backend.clusterIpService.name).toBe('orders-cluster-ip');
    expect(api.proxy.autoscaler?.name).toBe('nginx');
    expect(api.proxy.tlsSecret).toBeUndefined();
    expect(api.proxy.timeline.requestTimeout).toBe(60);
    expect(api.proxy.budget.requests).toBe(660);
    expect(api.backend.timeline.apiPreStop).toBe(38);
  });

  test('and has no autoscaler to be found where the number of pods is fixed', () => {
    const api = new LoadBalancedApi(new App(), 'orders', props({ replicas: 2, proxy: { replicas: 2 } }));
    expect([api.backend.autoscaler, api.proxy.autoscaler]).toEqual([undefined, undefined]);
  });
});
