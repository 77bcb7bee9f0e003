import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigMap } from 'cdk8s-plus-27';
import { copy } from '../../../charts/routes/files-volumes';
import type { NginxProxyProps } from '../../../charts/proxy/nginx-proxy-props';
import { type Share, TrafficSplit } from '../../../charts/routes/route-targets';
import { StaticFiles } from '../../../charts/routes/static-files';
import { Path, Rewrite } from '../../../model/routes/matching';
import { onTestFinished } from '../../afterwards';
import { testConfiguration } from '../../nginx/support/real-nginx';
import {
  containerOf,
  find,
  type Manifest,
  newBackend,
  newProxy,
  newShop,
  nginxConfOf,
  objectsAround,
  podSpecOf,
} from '../manifests';

const image = 'ghcr.io/acme/web:1.4.2';
const web = StaticFiles.fromImage(image, '/usr/share/web', { singlePage: true });

/** Every object around a proxy with these routes. */
function written(routes: Readonly<Record<string, StaticFiles>>, props: NginxProxyProps = {}): Manifest[] {
  const shop = newShop();
  const edge = newProxy(shop, 'edge', props);
  for (const [path, files] of Object.entries(routes)) edge.addRoute(path, files);
  return objectsAround(shop);
}

interface InitContainer {
  readonly name: string;
  readonly image: string;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [field: string]: unknown;
}

function initContainersOf(manifests: readonly Manifest[]): readonly InitContainer[] {
  return (podSpecOf(manifests, 'edge').initContainers ?? []) as readonly InitContainer[];
}

function volumesOf(manifests: readonly Manifest[]): readonly { readonly name: string }[] {
  return podSpecOf(manifests, 'edge').volumes as readonly { readonly name: string }[];
}

describe('Files of an image', () => {
  test('are copied into a volume before nginx starts, which reads it and no more', () => {
    const manifests = written({ '/': web });
    const [copying, ...others] = initContainersOf(manifests);
    expect(others).toEqual([]);
    expect(copying).toMatchObject({
      name: 'copy-files-root',
      image,
      imagePullPolicy: 'IfNotPresent',
      command: ['cp', '-RLf', '/usr/share/web/.', '/fairlead-copied-files/'],
      workingDir: '/',
      volumeMounts: [{ name: 'files-root', mountPath: '/fairlead-copied-files' }],
    });
    expect(volumesOf(manifests)).toContainEqual({ name: 'files-root', emptyDir: { sizeLimit: '128Mi' } });
    expect(containerOf(manifests, 'edge').volumeMounts).toContainEqual({
      name: 'files-root',
      mountPath: '/srv/files-root',
      readOnly: true,
    });
    expect(nginxConfOf(manifests)).toContain('root "/srv/files-root";');
  });

  test('are copied as restricted as nginx runs, by its user, whatever that of the image is', () => {
    const manifests = written({ '/': web }, { pods: { user: 1234 } });
    const [copying] = initContainersOf(manifests);
    expect(copying?.securityContext).toEqual(containerOf(manifests, 'edge').securityContext);
    expect(copying?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: 1234,
    });
    expect(copying?.resources).toEqual({
      requests: { cpu: '50m', memory: '32Mi', 'ephemeral-storage': '128Mi' },
      limits: { cpu: '1', memory: '128Mi', 'ephemeral-storage': '192Mi' },
    });
  });

  test('are pulled as the image of nginx is', () => {
    const manifests = written({ '/': web }, { pods: { imagePullSecrets: ['registry'], imagePullPolicy: 'Always' } });
    expect(initContainersOf(manifests)).toMatchObject([{ imagePullPolicy: 'Always' }]);
    expect(podSpecOf(manifests, 'edge').imagePullSecrets).toEqual([{ name: 'registry' }]);
  });

  test('are counted on the disk of a proxy', () => {
    const limits = (routes: Parameters<typeof written>[0]): unknown => {
      const { requests, limits: most } = containerOf(written(routes), 'edge').resources;
      return [requests['ephemeral-storage'], most['ephemeral-storage']];
    };
    const docs = StaticFiles.fromImage('ghcr.io/acme/docs:2', '/docs', { sizeLimit: '1Gi' });
    const settings = StaticFiles.fromConfigMap('settings');
    expect(limits({ '/': settings })).toEqual(['64Mi', '740Mi']);
    expect(limits({ '/': web })).toEqual(['192Mi', '868Mi']);
    expect(limits({ '/': web, '/docs': docs })).toEqual([`${64 + 128 + 1024}Mi`, `${740 + 128 + 1024}Mi`]);
    expect(newProxyBudget(docs)).toBe(2 ** 30);
  });

  function newProxyBudget(files: StaticFiles): number {
    const edge = newProxy(newShop());
    edge.addRoute('/', files);
    return edge.budget.files;
  }

  test('have one copy for all routes, as large as any of these says, and names that stay with another image', () => {
    const larger = StaticFiles.fromImage(image, '/usr/share/web/', { sizeLimit: '256Mi' });
    const manifests = written({ '/shop/front': web, '/shop/back': larger });
    expect(initContainersOf(manifests).map(({ name }) => name)).toEqual([
      expect.stringMatching(/^copy-files-shop-back-[0-9a-f]{8}$/),
    ]);
    const [name] = initContainersOf(manifests).flatMap(({ volumeMounts }) => volumeMounts.map((mount) => mount.name));
    expect(volumesOf(manifests)).toContainEqual({ name, emptyDir: { sizeLimit: '256Mi' } });
    const names = (version: string): string[] =>
      initContainersOf(
        written({ '/a': StaticFiles.fromImage(`web:${version}`, '/web'), '/b': StaticFiles.fromImage('docs:1', '/d') }),
      ).map((container) => container.name);
    expect(names('1')).toEqual(['copy-files-a', 'copy-files-b']);
    expect(names('2')).toEqual(names('1'));
  });

  test('of two versions of an image lie side by side, in any order of adding', () => {
    const v1 = StaticFiles.fromImage('docs:1', '/docs');
    const v2 = StaticFiles.fromImage('docs:2', '/docs');
    const manifests = written({ '/v1': v1, '/v2': v2 });
    expect(initContainersOf(manifests).map((container) => [container.name, container.image])).toEqual([
      ['copy-files-v1', 'docs:1'],
      ['copy-files-v2', 'docs:2'],
    ]);
    expect(written({ '/v2': v2, '/v1': v1 })).toEqual(manifests);
  });

  test('are another rollout when the image is another', () => {
    const template = (version: string): unknown =>
      find(written({ '/': StaticFiles.fromImage(`web:${version}`, '/web') }), 'Deployment', 'edge').spec?.template;
    expect(template('2')).not.toEqual(template('1'));
    expect(template('1')).toEqual(template('1'));
  });

  test('come after what a user adds to the pods, whose patches go by position', () => {
    const shop = newShop();
    const edge = newProxy(shop);
    edge.addRoute('/', web);
    edge.deployment.addInitContainer({ name: 'own', image: 'busybox:1', resources: {} });
    const [own, copying] = initContainersOf(objectsAround(shop));
    expect([own?.name, copying?.name]).toEqual(['own', 'copy-files-root']);
    for (const { securityContext } of [own, copying] as InitContainer[]) {
      expect(securityContext).toMatchObject({ capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true });
    }
  });

  test('are named after routes of any name within what Kubernetes takes', () => {
    const paths = ['/a_b', '/a/b', '/A', `/${'a'.repeat(100)}`, '/-', '/a.b', '/a-', '/9'];
    const routes = Object.fromEntries(
      paths.map((path, index) => [path, StaticFiles.fromImage(`web:${index}`, '/web')]),
    );
    const names = initContainersOf(written(routes)).map(({ name }) => name);
    expect(new Set(names).size).toBe(paths.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])$/);
  });

  test('are copied with what their links lead to, again over what is there, and are as new as the copy', () => {
    const directory = mkdtempSync(join(tmpdir(), 'fairlead-copy-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const [from, to] = [join(directory, 'from'), join(directory, 'to')];
    mkdirSync(join(from, 'assets'), { recursive: true });
    mkdirSync(to);
    writeFileSync(join(directory, 'elsewhere.txt'), 'elsewhere');
    writeFileSync(join(from, '.hidden'), 'hidden');
    writeFileSync(join(from, 'assets/read-only.js'), 'script');
    chmodSync(join(from, 'assets/read-only.js'), 0o444);
    symlinkSync('../elsewhere.txt', join(from, 'link.txt'));
    symlinkSync('assets', join(from, 'linked'));
    execFileSync('touch', ['-d', '1980-01-01T00:00:00Z', join(from, 'assets/read-only.js')]);
    for (let round = 1; round <= 2; round += 1) {
      const [file = '', ...args] = copy(from, to);
      // Root could write what is read-only.
      const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
      if ('uid' in asNobody) for (const path of [directory, to]) chmodSync(path, 0o777);
      execFileSync(file, args, asNobody);
      expect(readFileSync(join(to, 'linked/read-only.js'), 'utf8')).toBe('script');
      expect(readFileSync(join(to, '.hidden'), 'utf8')).toBe('hidden');
      expect(statSync(join(to, 'assets/read-only.js')).mtime.getFullYear()).toBeGreaterThan(2000);
      rmSync(join(directory, 'elsewhere.txt'));
      expect(readFileSync(join(to, 'link.txt'), 'utf8')).toBe('elsewhere');
      writeFileSync(join(directory, 'elsewhere.txt'), 'elsewhere');
    }
  });
});

describe('Files of a ConfigMap', () => {
  test('are mounted, and copied by nobody', () => {
    const manifests = written({ '/': StaticFiles.fromConfigMap('site') });
    expect(initContainersOf(manifests)).toEqual([]);
    expect(podSpecOf(manifests, 'edge')).not.toHaveProperty('initContainers');
    expect(volumesOf(manifests)).toContainEqual({ name: 'files-root', configMap: { name: 'site' } });
    expect(containerOf(manifests, 'edge').volumeMounts).toContainEqual({
      name: 'files-root',
      mountPath: '/srv/files-root',
      readOnly: true,
    });
  });

  test('may be those of a ConfigMap of cdk8s, which holds what is not text too', () => {
    const shop = newShop();
    const configMap = new ConfigMap(shop, 'Site', { metadata: { name: 'site' }, data: { 'index.html': 'hello' } });
    newProxy(shop).addRoute('/', StaticFiles.fromConfigMap(configMap));
    expect(volumesOf(objectsAround(shop))).toContainEqual({ name: 'files-root', configMap: { name: 'site' } });
  });
});

test('a proxy of files alone has a configuration that nginx takes', async () => {
  await testConfiguration(nginxConfOf(written({ '/': web, '/docs': StaticFiles.fromConfigMap('docs') })));
});

describe('Refused', () => {
  test.each<[string, () => unknown, string | RegExp]>([
    [
      'an image that has no such name',
      () => StaticFiles.fromImage('Web:1', '/web'),
      'StaticFiles.fromImage image: "Web:1" is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
    ],
    ...['', '/', 'web', '/web/../etc', '/web/..', '/./web', '/we b', '/$(HOME)', '/web//x', '/a\nb', null, 7].map(
      (directory): [string, () => unknown, RegExp] => [
        `the directory ${JSON.stringify(directory)}`,
        () => StaticFiles.fromImage(image, directory as string),
        /^StaticFiles\.fromImage directory: .* is not a directory of an image: give its absolute path of letters, .*, such as "\/usr\/share\/web"$/,
      ],
    ),
    [
      'a size without a unit',
      () => StaticFiles.fromImage(image, '/web', { sizeLimit: '512' }),
      /^StaticFiles\.fromImage sizeLimit: "512" is not an amount of memory/,
    ],
    [
      'an option that does not exist',
      () => StaticFiles.fromConfigMap('site', { sizeLimit: '1Mi' } as never),
      'StaticFiles.fromConfigMap sizeLimit: "1Mi" is an option that does not exist: take it out',
    ],
    [
      'a word for whether',
      () => StaticFiles.fromImage(image, '/web', { singlePage: 'yes' as never }),
      'StaticFiles.fromImage singlePage: "yes" is neither true nor false: give one of them',
    ],
    ...['assets', '/a b', '/a"', '', 7].map((path): [string, () => unknown, string] => [
      `the path ${JSON.stringify(path)} that never changes`,
      () => StaticFiles.fromImage(image, '/web', { immutable: [path as string] }),
      `StaticFiles.fromImage immutable: ${JSON.stringify(path)} is not a path below the directory: give one, such as "/assets"`,
    ]),
    [
      'a local directory that is none',
      () => StaticFiles.fromImage(image, '/web', { local: { directory: '' } }),
      'StaticFiles.fromImage local.directory: "" is not a directory: give its path, such as "orders"',
    ],
    [
      'a ConfigMap by a name that none has',
      () => StaticFiles.fromConfigMap('My Site'),
      /^StaticFiles\.fromConfigMap name: "My Site" is not the name of a Kubernetes object/,
    ],
    [
      'what is no ConfigMap',
      () => StaticFiles.fromConfigMap({} as never),
      'StaticFiles.fromConfigMap: "(object)" is not a ConfigMap: give one, or the name of one',
    ],
    [
      'one path alone',
      () => newProxy(newShop()).addRoute(Path.exact('/robots.txt'), web),
      'shop/edge, route = /robots.txt path: "/robots.txt" is one path alone, and files lie below theirs: give a prefix, such as "/app"',
    ],
    [
      'another path than the one of the directory',
      () => newProxy(newShop()).addRoute('/app', web, { rewrite: Rewrite.replacePrefix('/v2') }),
      'shop/edge, route /app rewrite: "(object)" does nothing for files, which lie below the path of the route as they do in their directory: take it out',
    ],
    [
      'a part of the clients',
      () => {
        const orders = newBackend(newShop(), 'orders');
        return TrafficSplit.weighted([{ target: orders, weight: 90 }, { target: web, weight: 10 } as unknown as Share]);
      },
      'TrafficSplit.weighted target: "(object)" is not a Backend: give one, or a version of one',
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(typeof message === 'string' ? new Error(message) : message);
  });
});
