import { PassThrough } from 'node:stream';
import { type Difference, differenceOf, isNothing } from '../../diff/difference';
import { commentMark, markdownReport, terminalReport } from '../../diff/formats';
import { type Manifest, manifestsOf } from '../../diff/objects/manifest';
import { reportOf } from '../../diff/report';
import { plainText } from '../../diff/text';
import { Certificate } from '../../charts/proxy/certificate';
import { TrafficSplit } from '../../charts/routes/route-targets';
import { Output } from '../../local/terminal/output';
import { Match } from '../../model/routes/matching';
import { newBackend, newProxy, newShop, objectsAround, synthesize } from '../charts/manifests';

const sides = { before: 'dist.before', after: 'dist', notes: [] };

function comparable(objects: unknown): readonly Manifest[] {
  return manifestsOf({ items: objects });
}

function between(before: unknown, after: unknown): Difference {
  return differenceOf(comparable(before), comparable(after));
}

function text(difference: Difference): string {
  return terminalReport(reportOf(difference, sides), new Output(new PassThrough())).join('\n');
}

/** Titles of the sections that say something. */
function titles(difference: Difference): readonly string[] {
  return reportOf(difference, sides).sections.map(({ title }) => title);
}

const requests = 'Requests that are answered otherwise';
const pods = 'Pods that are replaced';
const inPlace = 'Changed where they are: no pod is replaced for it';
const gone = 'Gone from the manifests: kubectl apply leaves them in the cluster';

test('the same manifests differ in nothing', () => {
  const difference = between(synthesize(), synthesize());
  expect(isNothing(difference)).toBe(true);
  expect(text(difference)).toBe('dist.before → dist\n\nNothing differs.');
});

test('another image replaces the pods of its backend, and ends no connection of a client', () => {
  const difference = between(synthesize(), synthesize({ image: 'ghcr.io/acme/orders:1.5.0' }));
  expect(isNothing(difference)).toBe(false);
  expect(titles(difference)).toEqual([pods]);
  const said = text(difference);
  expect(said).toContain('\n  Deployment orders/orders, a backend\n');
  expect(said).toContain(
    '\n    because containers[api].image: ghcr.io/acme/orders:1.4.2, now ghcr.io/acme/orders:1.5.0\n',
  );
  expect(said).toContain('goes on answering for 38 s');
  expect(said).toContain('105 s after the pod begins to end');
});

test('another rule of a route replaces the proxies, and says which request is answered otherwise', () => {
  const difference = between(synthesize(), synthesize({ route: { maxBodySize: '20m' } }));
  const said = text(difference);
  expect(titles(difference)).toContain(requests);
  expect(said).toContain('every request through orders/nginx\n    longest body (client_max_body_size): 1m, now 20m\n');
  expect(said).toContain('Deployment orders/nginx, the proxies\n    because what nginx reads differs: nginx.conf\n');
  expect(said).toContain('it goes on for 30 s, and then has 62 s for what is open');
  expect(said).not.toContain('Deployment orders/orders');
});

test('routes with streaming are named where their connections end, those with conditions too', () => {
  const streaming = (image: string): unknown =>
    synthesize({ image }, (api) => {
      api.proxy.addRoute('/events', api.backend, { streaming: '1h' });
      api.proxy.addRoute('/chats', api.backend, { streaming: '1h', when: Match.header('X-Beta', 'yes') });
    });
  expect(text(between(streaming('api:1'), streaming('api:2')))).toContain(
    'Routes with streaming that lead there: localhost/chats, localhost/events.',
  );
});

test('what a variable or a Secret holds is not said', () => {
  const difference = between(
    synthesize({ environment: { TOKEN: 'first-secret', OLD: 'old-secret' } }),
    synthesize({ environment: { TOKEN: 'second-secret', NEW: 'new-secret' } }),
  );
  const said = text(difference);
  expect(said).toContain('because the variable TOKEN of api has another value\n');
  expect(said).toContain('because the variable OLD of api is gone\n');
  expect(said).toContain('because the variable NEW of api is new\n');
  expect(said).not.toContain('-secret');

  const secret = (key: string): unknown => [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'edge-tls', namespace: 'shop' },
      stringData: { 'tls.key': key },
    },
  ];
  const ofSecrets = text(between(secret('one'), secret('other')));
  expect(ofSecrets).toContain('\n  Secret shop/edge-tls\n    the entry tls.key differs');
  expect(ofSecrets).not.toContain(Buffer.from('other').toString('base64'));

  const ofConfigMaps = text(between(configMap({}), configMap({ data: { 'rules.txt': 'in-a-file' } })));
  expect(ofConfigMaps).toContain('\n  ConfigMap shop/rules\n    data differs');
  expect(ofConfigMaps).not.toContain('in-a-file');
});

function configMap(more: object): unknown {
  return [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'rules', namespace: 'shop' }, ...more }];
}

test('a number of pods, and an autoscaler, are changed in place', () => {
  const difference = between(synthesize({ replicas: 3 }), synthesize({ replicas: 4 }));
  expect(text(difference)).toContain('\n  Deployment orders/orders\n    spec.replicas: 3, now 4');
  const other = between(synthesize({ replicas: { min: 3, max: 12 } }), synthesize({ replicas: { min: 3, max: 15 } }));
  expect(text(other)).toContain('\n  HorizontalPodAutoscaler orders/orders\n    spec.maxReplicas: 12, now 15');
});

/** Orders beside a canary, which gets so many percent of the requests. */
function shop(weight: number | undefined): unknown {
  const namespace = newShop();
  const orders = newBackend(namespace, 'orders', { replicas: 2 });
  const edge = newProxy(namespace, 'edge', { certificate: Certificate.fromSecret('shop-tls') });
  if (weight === undefined) edge.addRoute('/', orders);
  else {
    const canary = orders.addVersion('canary', { image: 'ghcr.io/acme/orders:2' });
    edge.addRoute(
      '/',
      TrafficSplit.weighted([
        { target: orders, weight: 100 - weight },
        { target: canary, weight },
      ]),
    );
  }
  return objectsAround(namespace);
}

test('weights alone change shares, and replace nothing', () => {
  const difference = between(shop(5), shop(50));
  expect(titles(difference)).toEqual([requests, inPlace]);
  expect(text(difference)).toContain(
    'answered by: backends orders 95%, orders-canary 5%, now backends orders 50%, orders-canary 50%',
  );
  expect(text(difference)).toContain('proxies read it within some 90 s, and no connection ends');
});

test('a file of weights may hold anything', () => {
  const changes: readonly ((weights: string) => string)[] = [
    () => 'null',
    () => '7',
    () => 'none',
    (weights) => weights.replace(/\{[^{}]*\}/, 'null'),
  ];
  for (const change of changes) {
    const other = comparable(shop(5)).map((manifest) => {
      if (manifest.metadata.name !== 'edge-weights') return manifest;
      const files = Object.entries(manifest.data as Readonly<Record<string, string>>);
      return { ...manifest, data: Object.fromEntries(files.map(([name, weights]) => [name, change(weights)])) };
    });
    expect(text(between(shop(5), other))).toContain('\n  ConfigMap shop/edge-weights\n');
  }
});

test('what has gone from main.ts stays in a cluster, and is named with what deletes it', () => {
  const difference = between(shop(5), shop(undefined));
  expect(titles(difference)).toEqual(expect.arrayContaining([requests, pods, gone]));
  const said = text(difference);
  expect(said).toMatch(/: kubectl delete .*\bdeployment\/orders-canary .*--namespace shop\n/);
  expect(said).toMatch(/: kubectl delete .*\bconfigmap\/edge-weights .*--namespace shop\n/);
  expect(said).toMatch(
    /ConfigMap shop\/edge-[0-9a-f]{10}\n {4}a rollback needs it; later, npx fairlead prune --namespace shop deletes it/,
  );
  // The other one is what the proxies are replaced for.
  expect(titles(difference)).not.toContain('New');
});

test('the nginx.conf of a new proxy is new, though another proxy has another one', () => {
  const proxies = (...ids: readonly string[]): unknown => {
    const namespace = newShop();
    const orders = newBackend(namespace, 'orders');
    for (const id of ids) newProxy(namespace, id, { host: `host-${ids.length}.example.com` }).addRoute('/', orders);
    return objectsAround(namespace);
  };
  const { sections } = reportOf(between(proxies('edge'), proxies('edge', 'inside')), sides);
  const made = sections.flatMap(({ title, entries }) =>
    title === 'New' ? entries.map(({ head }) => plainText(head)) : [],
  );
  expect(made.filter((name) => name.startsWith('ConfigMap '))).toEqual([
    expect.stringMatching(/^ConfigMap shop\/inside-[0-9a-f]{10}$/) as string,
  ]);
});

test('the program of a dashboard is replaced as nginx.conf is', () => {
  const shopWith = (path: string, dashboard: boolean): unknown => {
    const namespace = newShop();
    const edge = newProxy(namespace, 'edge');
    edge.addMonitoring({ dashboard });
    edge.addRoute(path, newBackend(namespace, 'orders'));
    return objectsAround(namespace);
  };
  const replaced = between(shopWith('/a', true), shopWith('/b', true));
  expect(titles(replaced)).not.toContain('New');
  expect(text(replaced)).toMatch(
    /ConfigMap shop\/edge-dashboard-[0-9a-f]{10}\n {4}a rollback needs it; later, npx fairlead prune --namespace shop/,
  );
  expect(text(between(shopWith('/a', false), shopWith('/b', true)))).toMatch(
    /\nNew\n(?: {2}.*\n)* {2}ConfigMap shop\/edge-dashboard-[0-9a-f]{10}\n/,
  );
});

test('conditions that are too many to be tried in pairs are said, and each is tried alone', () => {
  const shared = (count: number): unknown => {
    const namespace = newShop();
    const [orders, catalog] = [newBackend(namespace, 'orders'), newBackend(namespace, 'catalog')];
    const edge = newProxy(namespace, 'edge', { host: 'shop.example.com' });
    edge.addRoute('/', orders);
    for (let index = 1; index <= count; index += 1) {
      edge.addRoute('/tenants', catalog, { when: Match.header('X-Tenant', String(index)) });
    }
    return objectsAround(namespace);
  };
  const said = text(between(shared(59), shared(60)));
  expect(said).toContain(
    '\nnote: shop/edge: conditions of https://shop.example.com/tenants, https://shop.example.com/tenants/… are too many to be tried in pairs: ',
  );
  expect(said).toContain(' with X-Tenant: 60');
  expect(text(between(shared(9), shared(10)))).not.toContain('\nnote: ');
});

test('what Kubernetes does not take is said first', () => {
  const [before = [], after = []] = ['one', 'other'].map((instance) =>
    comparable(synthesize()).map((manifest) =>
      manifest.kind === 'Deployment' && manifest.metadata.name === 'orders'
        ? { ...manifest, spec: { ...(manifest.spec as object), selector: { matchLabels: { instance } } } }
        : manifest,
    ),
  );
  const difference = differenceOf(before, after);
  expect(titles(difference)[0]).toBe('Refused by Kubernetes');
  expect(text(difference)).toContain('Deployment orders/orders: spec.selector differs, which nobody can change.');
});

test('other data of what is immutable is refused, text or not', () => {
  for (const field of ['data', 'binaryData']) {
    const [before, after] = ['YQ==', 'Yg=='].map((value) => configMap({ immutable: true, [field]: { a: value } }));
    expect(text(between(before, after))).toContain('ConfigMap shop/rules: is immutable, and its data differs');
  }
});

test.each<[kind: string, before: object, after: object, said: string]>([
  ['Job', { spec: { template: { a: 1 } } }, { spec: { template: { a: 2 } } }, 'spec.template differs, which nobody'],
  ['RoleBinding', { roleRef: { name: 'a' } }, { roleRef: { name: 'b' } }, 'roleRef differs, which nobody'],
  ['ClusterRoleBinding', { roleRef: { name: 'a' } }, { roleRef: { name: 'b' } }, 'roleRef differs, which nobody'],
  [
    'StatefulSet',
    { spec: { volumeClaimTemplates: [{ spec: { storageClassName: 'a' } }], serviceName: 'a' } },
    { spec: { volumeClaimTemplates: [{ spec: { storageClassName: 'b' } }], serviceName: 'b' } },
    'spec.serviceName, spec.volumeClaimTemplates differs, which nobody',
  ],
  [
    'Service',
    { spec: { type: 'LoadBalancer' } },
    { spec: { type: 'LoadBalancer', loadBalancerClass: 'example.com/internal' } },
    'spec.loadBalancerClass differs, which nobody',
  ],
  ['Service', { spec: { clusterIP: 'None' } }, { spec: {} }, 'spec.clusterIP differs, which nobody'],
  ['ConfigMap', { immutable: true }, { immutable: false }, 'is immutable, which nobody can take back'],
  ['Secret', { immutable: true }, {}, 'is immutable, which nobody can take back'],
])('a %s that Kubernetes does not take is said: case %#', (kind, before, after, said) => {
  const of = (more: object): unknown => [
    { apiVersion: 'v1', kind, metadata: { name: 'a', namespace: 'shop' }, ...more },
  ];
  const { refused } = between(of(before), of(after));
  expect(refused.map(plainText)).toEqual([expect.stringContaining(`${kind} shop/a: ${said}`) as string]);
  expect(between(of(before), of(before)).refused).toEqual([]);
});

test('a Service may become a load balancer of a class, and be none again', () => {
  const of = (spec: object): unknown => [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec }];
  const [inside, balanced] = [of({ type: 'ClusterIP' }), of({ type: 'LoadBalancer', loadBalancerClass: 'a.b/c' })];
  expect([between(inside, balanced).refused, between(balanced, inside).refused]).toEqual([[], []]);
});

test('what deletes an object names it for a shell, and by its group where that is not of Kubernetes', () => {
  const metadata = { name: '$(a)', namespace: 'shop' };
  const kinds = ['v1', 'networking.k8s.io/v1', 'serving.knative.dev/v1'];
  const all = kinds.map((apiVersion) => ({ apiVersion, kind: 'Service', metadata }));
  expect(text(between(all, []))).toContain(
    "kubectl delete 'service/$(a)' 'service/$(a)' 'service.v1.serving.knative.dev/$(a)' --namespace shop",
  );
});

describe('as a comment', () => {
  test('values are code, and a workflow finds it again', () => {
    const difference = between(synthesize(), synthesize({ image: 'ghcr.io/acme/orders:1.5.0' }));
    const comment = markdownReport(reportOf(difference, sides));
    expect(comment.startsWith(`${commentMark}\n\n## fairlead diff: \`dist.before\` → \`dist\`\n`)).toBe(true);
    expect(comment).toContain('\n### Pods that are replaced\n\n- **`Deployment` `orders/orders`, a backend**\n');
    expect(comment).toContain(
      '\n  - because `containers[api].image`: `ghcr.io/acme/orders:1.4.2`, now `ghcr.io/acme/orders:1.5.0`\n',
    );
  });

  test('shows what nginx.conf calls a header as code, and a terminal without escapes', () => {
    const plain = JSON.stringify(synthesize({ route: { responseHeaders: { 'X-Odd': 'b' } } }));
    const odd = JSON.parse(plain.replaceAll('X-Odd', 'X-\\u001b[2J![a](https://a.example)')) as unknown;
    const difference = between(synthesize(), odd);
    const said = 'header of answers, X-\ufffd[2J![a](https://a.example)';
    expect(text(difference)).toContain(`\n    ${said}: none, now b\n`);
    expect(markdownReport(reportOf(difference, sides))).toContain(`\n  - \`${said}\`: \`none\`, now \`b\`\n`);
  });

  test('says so if nothing differs', () => {
    expect(markdownReport(reportOf(between([], []), sides))).toContain('\nNothing differs.\n');
  });

  test('is no longer than GitHub takes', () => {
    const objects = (value: string): unknown =>
      Array.from({ length: 5000 }, (_, index) => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: `service-${index}`, namespace: 'shop' },
        spec: { externalName: value.repeat(100) },
      }));
    const comment = markdownReport(reportOf(between(objects('a'), objects('b')), sides));
    expect(comment.length).toBeLessThanOrEqual(60_000);
    expect(comment).toMatch(/\n- and \d+ more\n$/);
  });
});
