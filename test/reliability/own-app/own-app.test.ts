import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { loadedApps } from '../../../charts/loaded-apps';
import { imagesOf, kindManifests, leftOut, type Manifest } from '../../../reliability/own-app/manifests';
import { OwnApp } from '../../../reliability/own-app/own-app';
import { onTestFinished } from '../../afterwards';

const main = resolve(__dirname, 'fixtures/shop.ts');
const apps = loadedApps(main, {});

function shop(path = '/orders/7'): OwnApp {
  return new OwnApp(apps, main, path, { apply: [] });
}

/** As much of an object as is looked at. */
interface Written extends Manifest {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec: WrittenPod };
    readonly ingress?: readonly { readonly from?: readonly object[] }[];
  };
  readonly stringData?: Readonly<Record<string, string>>;
}

interface WrittenPod {
  readonly terminationGracePeriodSeconds: number;
  readonly topologySpreadConstraints: readonly object[];
  readonly containers: readonly object[];
}

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'own-app-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

/** What is applied of the shop, by its kind and name. */
async function applied(): Promise<ReadonlyMap<string, Written>> {
  const output = folder();
  await shop().synthesize({ output });
  const items = ['0-namespaces.json', 'others.json'].flatMap(
    (file) => (JSON.parse(readFileSync(join(output, file), 'utf8')) as { readonly items: readonly Written[] }).items,
  );
  return new Map(items.map((item) => [`${item.kind} ${item.metadata.name}`, item]));
}

describe('the backend that a path leads to is tried', () => {
  test.each([
    ['/', 'web'],
    ['/orders-of-others', 'web'],
    ['/orders', 'orders'],
    ['/orders/7', 'orders'],
    ['/orders/first', 'web'],
    ['/orders/first/second', 'orders-next'],
    ['/orders/beta', 'orders'],
  ])('%s leads to %s', (path, backend) => {
    const { standard, hosts } = shop(path);
    expect([standard.backend.node.id, standard.proxy.node.id, standard.namespace.name]).toEqual([
      backend,
      'edge',
      'shop',
    ]);
    expect(hosts).toEqual(['shop.example.com', 'www.shop.example.com', 'api.example.com']);
  });

  test('with the times of its route', () => {
    const { standard } = shop();
    expect(standard.route.timeline).toMatchObject({ connectTimeout: 2 });
  });

  test('a path that leads to none is refused', () => {
    expect(() => shop('/old')).toThrow('--get: "/old" leads to no Backend of shop.ts: give a path whose route does');
  });
});

describe('what a main.ts says is refused in one line', () => {
  test.each([
    [
      'an option',
      "new LoadBalancedApi(app, 'orders', { image: 'x', port: 70000 });",
      /^orders port: 70000 is out of range/,
    ],
    [
      'what is found when everything is made',
      "new LoadBalancedApi(app, 'orders', { image: 'x' });\nnew NginxProxy(new RestrictedNamespace(app, 'shop'), 'edge');",
      /^shop\/edge routes.*: .*$/,
    ],
    [
      'what is found when it is written, by whichever copy of fairlead',
      `new LoadBalancedApi(app, 'orders', { image: 'x' });
new ApiObject(new Chart(app, 'other'), 'Late', {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  data: Lazy.any({ produce: () => { throw Object.assign(new Error('late'), { name: 'InvalidOption' }); } }),
});`,
      /^late$/,
    ],
    ['nothing of fairlead', '', /^main\.ts synthesizes no NginxProxy: add one, or a LoadBalancedApi, and end/],
  ])('%s', (_what, made, message) => {
    const directory = mkdtempSync(join(__dirname, 'fixtures/main-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const refused = join(directory, 'main.ts');
    const names = ['LoadBalancedApi', 'NginxProxy', 'RestrictedNamespace'].filter((name) => made.includes(name));
    writeFileSync(
      refused,
      `import { ApiObject, App, Chart, Lazy } from 'cdk8s';\nimport { ${names.join(', ')} } from '../../../../../index';\nconst app = new App();\n${made}\napp.synth();\n`,
    );
    let error: unknown;
    try {
      OwnApp.of(refused, '/', { apply: [] });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: 'Failure', message: expect.stringMatching(message) as unknown });
  });

  test('a main.ts that is not there', () => {
    expect(() => OwnApp.of(resolve(__dirname, 'main.ts'), '/', { apply: [] })).toThrow(/^main\.ts is not in /);
  });
});

describe('what is applied to a kind cluster', () => {
  test('has the pods of every run, and of all else one', async () => {
    const objects = await applied();
    const replicas = ['orders', 'edge', 'web', 'orders-next'].map(
      (name) => objects.get(`Deployment ${name}`)?.spec?.replicas,
    );
    expect(replicas).toEqual([4, 2, 1, 1]);
  });

  test('has nothing of operators and autoscalers, which is said', async () => {
    const kinds = [...(await applied()).values()].map(({ kind }) => kind);
    for (const kind of ['HorizontalPodAutoscaler', 'ScaledObject', 'PodMonitor', 'Certificate']) {
      expect(kinds).not.toContain(kind);
    }
    const manifest = (apiVersion: string, kind: string): Manifest => ({ apiVersion, kind, metadata: { name: 'x' } });
    expect(
      leftOut([
        manifest('keda.sh/v1alpha1', 'ScaledObject'),
        manifest('autoscaling/v2', 'HorizontalPodAutoscaler'),
        manifest('v1', 'Secret'),
        manifest('networking.k8s.io/v1', 'NetworkPolicy'),
      ]),
    ).toEqual(['HorizontalPodAutoscaler', 'ScaledObject']);
  });

  test('has pods that any node takes, with images that it was given', async () => {
    const pod = (await applied()).get('Deployment orders')?.spec?.template?.spec;
    expect(pod).toBeDefined();
    expect(Object.keys(pod ?? {})).not.toEqual(expect.arrayContaining(['imagePullSecrets']));
    expect(Object.keys(pod ?? {})).not.toEqual(expect.arrayContaining(['priorityClassName']));
    expect(pod?.topologySpreadConstraints).toEqual([
      expect.objectContaining({ topologyKey: 'kubernetes.io/hostname' }),
    ]);
    expect(pod?.containers).toEqual([
      expect.objectContaining({
        imagePullPolicy: 'IfNotPresent',
        resources: expect.objectContaining({
          requests: expect.objectContaining({ cpu: '250m', memory: '64Mi' }) as unknown,
          limits: expect.objectContaining({ cpu: '2', memory: '512Mi' }) as unknown,
        }) as unknown,
      }),
    ]);
  });

  test('keeps what the API and nginx have of times', async () => {
    const { standard } = shop();
    const pod = (await applied()).get('Deployment orders')?.spec?.template?.spec;
    expect(pod?.terminationGracePeriodSeconds).toBe(standard.backend.timeline.apiTerminationGracePeriod);
    expect(pod?.containers[0]).toMatchObject({
      lifecycle: { preStop: { sleep: { seconds: standard.backend.timeline.apiPreStop } } },
    });
  });

  test('is reached by a port of every node, from any address', async () => {
    const objects = await applied();
    expect(objects.get('Service edge')?.spec).toMatchObject({
      type: 'NodePort',
      ports: [
        { name: 'http', nodePort: 30_080 },
        { name: 'https', nodePort: 30_443 },
      ],
    });
    expect(Object.keys(objects.get('Service edge')?.spec ?? {}).sort()).toEqual(['ports', 'selector', 'type']);
    const [forClients] = objects.get('NetworkPolicy edge')?.spec?.ingress ?? [];
    expect(forClients).toEqual({ ports: [expect.anything(), expect.anything()] });
    expect(
      [...objects].find(([name]) => name.startsWith('NetworkPolicy orders-from-'))?.[1].spec?.ingress?.[0]?.from,
    ).toBeDefined();
  });

  test('has certificates of its own for every host', async () => {
    const objects = await applied();
    for (const name of ['edge-tls', 'api-tls']) {
      const { stringData = {} } = objects.get(`Secret ${name}`) ?? {};
      const certificate = new X509Certificate(stringData['tls.crt'] ?? '');
      for (const host of ['shop.example.com', 'www.shop.example.com', 'api.example.com']) {
        expect(certificate.checkHost(host)).toBe(host);
      }
    }
    expect(shop().tlsSecretName).toBe('edge-tls');
  });

  test('is in files that others cannot read, the Namespace first', async () => {
    const output = folder();
    await shop('/').synthesize({ output });
    expect(statSync(join(output, 'others.json')).mode & 0o077).toBe(0);
    expect([...(await applied()).keys()][0]).toBe('Namespace shop');
  });
});

test('a Secret of main.ts gives way to that of the run, and an image to what the nodes have', () => {
  const tls = { name: 'tls', secret: { secretName: 'edge-tls' } };
  const manifests: readonly Manifest[] = [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'edge-tls', namespace: 'shop' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'other', namespace: 'shop' } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'edge', namespace: 'shop' },
      spec: {
        template: {
          spec: { containers: [{ image: 'nginx:1.30' }], initContainers: [{ image: 'site:1' }], volumes: [tls] },
        },
      },
    },
  ];
  expect(imagesOf(manifests)).toEqual(['nginx:1.30', 'site:1']);
  const written = kindManifests(manifests, {
    namespace: 'shop',
    backend: 'orders',
    proxy: 'edge',
    certificates: [{ namespace: 'shop', proxy: 'edge', pair: { certificate: 'certificate', privateKey: 'key' } }],
    images: new Map([['site:1', 'fairlead-reliability/site:abc']]),
  });
  expect(written).toEqual([
    expect.objectContaining({ stringData: { 'tls.crt': 'certificate', 'tls.key': 'key' } }),
    manifests[1],
    expect.objectContaining({
      spec: {
        replicas: 2,
        template: {
          spec: {
            containers: [{ image: 'nginx:1.30', imagePullPolicy: 'IfNotPresent' }],
            initContainers: [{ image: 'fairlead-reliability/site:abc', imagePullPolicy: 'IfNotPresent' }],
            volumes: [tls],
          },
        },
      },
    }),
  ]);
});
