import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ApiObject, App, Chart, JsonPatch, Lazy, YamlOutputType } from 'cdk8s';
import type { KeyPair } from '../../../certificates/key-pair';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import { Certificate, type CertificateFiles } from '../../../charts/proxy/certificate';
import { LoadBalancedApi } from '../../../charts/load-balanced-api';
import { loadedApps } from '../../../charts/loaded-apps';
import type { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { FixedResponse } from '../../../charts/routes/route-targets';
import type { VirtualHost } from '../../../charts/routes/virtual-host';
import { onTestFinished } from '../../afterwards';
import {
  containerOf,
  find,
  type Manifest,
  manifestsOf,
  newProxy,
  newShop,
  nginxConfOf,
  objectsAround,
  podSpecOf,
  synthesize,
  type TestProps,
} from '../manifests';
import { saidWhenWritten } from '../said-when-written';

const host = 'orders.example.com';
let directory: string;
let pair: KeyPair;
let files: CertificateFiles;

/** The files of a certificate for some hosts. */
function filesFor(...hosts: readonly string[]): CertificateFiles {
  const made = selfSignedKeyPair(hosts, join(directory, 'made'));
  const name = hosts.join('+');
  const paths = { certificate: join(directory, `${name}.crt`), privateKey: join(directory, `${name}.key`) };
  writeFileSync(paths.certificate, made.certificate);
  writeFileSync(paths.privateKey, made.privateKey);
  return paths;
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-certificate-'));
  files = filesFor(host);
  pair = selfSignedKeyPair([host], join(directory, 'made'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

test("one's own certificate is in a Secret, and that in a file of its own", () => {
  const app = new App();
  const api = new LoadBalancedApi(app, 'orders', {
    image: 'orders:1',
    host,
    certificate: Certificate.fromFiles(files),
  });
  expect(api.proxy.tlsSecret?.name).toBe('nginx-tls');
  const [secretChart] = app.charts.filter((chart) => chart.node.path === 'orders/orders/nginx/tls');
  expect(secretChart?.toJson()).toEqual([
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      immutable: false,
      metadata: {
        name: 'nginx-tls',
        namespace: 'orders',
        labels: {
          'app.kubernetes.io/name': 'nginx',
          'app.kubernetes.io/instance': 'nginx',
          'app.kubernetes.io/component': 'tls',
          'app.kubernetes.io/part-of': 'orders',
          'app.kubernetes.io/managed-by': 'fairlead',
        },
      },
      stringData: { 'tls.crt': pair.certificate, 'tls.key': pair.privateKey },
    },
  ]);
  const others = manifestsOf(app).filter(({ kind }) => kind !== 'Secret');
  expect(JSON.stringify(others)).not.toContain('PRIVATE KEY');
  expect(podSpecOf(manifestsOf(app), 'nginx').volumes).toContainEqual({
    name: 'tls',
    secret: { secretName: 'nginx-tls', defaultMode: 0o440 },
  });
});

test('the Secret has the labels of the namespace', () => {
  const manifests = synthesize({
    host,
    certificate: Certificate.fromFiles(files),
    namespace: { labels: { team: 'orders' } },
  });
  expect(find(manifests, 'Secret', 'nginx-tls').metadata.labels).toMatchObject({ team: 'orders' });
});

test.each(Object.values(YamlOutputType).filter((type) => typeof type === 'number'))(
  'nobody else reads the file that holds the key, however manifests are written: %i',
  (yamlOutputType) => {
    const outdir = mkdtempSync(join(directory, 'dist-'));
    chmodSync(outdir, 0o755);
    const app = new App({ outdir, yamlOutputType });
    const chart = new Chart(app, 'own');
    const modeOf = (path: string): number => statSync(path).mode & 0o777;
    let meanwhile = 0;
    new ApiObject(chart, 'Object', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: Lazy.any({ produce: () => ({ mode: String((meanwhile = modeOf(outdir))) }) }) as object,
    });
    for (const id of ['orders', 'billing']) {
      new LoadBalancedApi(app, id, { image: 'orders:1', host, certificate: Certificate.fromFiles(files) });
    }
    app.synth();
    const written = readdirSync(outdir, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(outdir, name));
    const open = written.filter((file) => modeOf(file) !== 0o600);
    const closed = written.filter((file) => modeOf(file) === 0o600);
    expect(closed.length).toBeGreaterThan(0);
    expect(open.filter((file) => readFileSync(file, 'utf8').includes('PRIVATE KEY'))).toEqual([]);
    expect(closed.filter((file) => !readFileSync(file, 'utf8').includes('PRIVATE KEY'))).toEqual([]);
    expect(meanwhile).toBe(0o700);
    expect(modeOf(outdir)).toBe(0o755);
  },
);

test('the Namespace is the first of the files, and the key is in one of its own', () => {
  const outdir = mkdtempSync(join(directory, 'dist-'));
  const app = new App({ outdir });
  new LoadBalancedApi(app, 'orders', { image: 'orders:1', host, certificate: Certificate.fromFiles(files) });
  app.synth();
  const names = readdirSync(outdir).sort();
  expect(names.map((name) => name.replace(/-[0-9a-f]{8}\./, '.'))).toEqual([
    'orders-0-namespace.k8s.yaml',
    'orders.k8s.yaml',
    'orders-nginx-tls.k8s.yaml',
  ]);
  expect(names.map((name) => statSync(join(outdir, name)).mode & 0o777).filter((mode) => mode === 0o600)).toHaveLength(
    1,
  );
});

describe('A proxy that was given no certificate', () => {
  const api = (app: App, id: string, given: TestProps = {}): LoadBalancedApi =>
    new LoadBalancedApi(app, id, { image: 'orders:1', host, ...given });

  test('is named when it is written, with all others of the app in one line, once', () => {
    expect(
      saidWhenWritten((app) => {
        api(app, 'orders');
        api(app, 'billing');
        api(app, 'mail', { certificate: Certificate.fromSecret('mail-tls') });
      }, 2),
    ).toMatch(
      /^warning: billing\/billing\/nginx, orders\/orders\/nginx certificate: is self-signed, as none was given: .*\n$/,
    );
  });

  test.each<[string, TestProps]>([
    ['one that is given outright', { certificate: Certificate.selfSigned() }],
    ['one of cert-manager', { certificate: Certificate.fromCertManager({ issuer: 'ca' }) }],
    ['that of localhost', { host: 'localhost' }],
  ])('is named, and nothing is said of %s', (_, given) => {
    expect(saidWhenWritten((app) => api(app, 'orders', given))).toBe('');
  });

  test('is named, and nothing is said of one of files', () => {
    expect(saidWhenWritten((app) => api(app, 'orders', { certificate: Certificate.fromFiles(files) }))).toBe('');
  });

  test('is named for another host too', () => {
    expect(
      saidWhenWritten((app) =>
        api(app, 'orders', { host: 'localhost' }).proxy.addHost(host).addRoute('/', FixedResponse.of(204)),
      ),
    ).toMatch(/^warning: orders\/orders\/nginx certificate: /);
  });

  test('is run on one machine without a word', () => {
    const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => {
      stderr.mockRestore();
    });
    expect(loadedApps(resolve('main.ts'), { FAIRLEAD_ENVIRONMENT: 'production' })).toHaveLength(1);
    expect(stderr).not.toHaveBeenCalled();
  });
});

test('an existing Secret is used and not made', () => {
  const manifests = synthesize({ certificate: Certificate.fromSecret('orders.example.com') });
  expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  expect(podSpecOf(manifests, 'nginx').volumes).toContainEqual({
    name: 'tls',
    secret: { secretName: 'orders.example.com', defaultMode: 0o440 },
  });
});

describe('cert-manager', () => {
  test.each([
    [{ clusterIssuer: 'letsencrypt' }, { kind: 'ClusterIssuer', name: 'letsencrypt' }],
    [{ issuer: 'own-ca' }, { kind: 'Issuer', name: 'own-ca' }],
  ])('is asked for a certificate for every host by %j', (issuer, issuerRef) => {
    const shop = newShop({ labels: { team: 'shop' } });
    const edge = newProxy(shop, 'edge', {
      host: 'shop.example.com',
      additionalHosts: ['www.example.com'],
      certificate: Certificate.fromCertManager(issuer),
    });
    edge.addRoute('/', FixedResponse.of(204));
    edge.addHost('api.example.com').addRoute('/', FixedResponse.of(204));
    const manifests = objectsAround(shop);
    expect(find(manifests, 'Certificate', 'edge-tls')).toEqual({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: {
        name: 'edge-tls',
        namespace: 'shop',
        labels: {
          'app.kubernetes.io/name': 'nginx',
          'app.kubernetes.io/instance': 'edge',
          'app.kubernetes.io/component': 'tls',
          'app.kubernetes.io/part-of': 'shop',
          'app.kubernetes.io/managed-by': 'fairlead',
          team: 'shop',
        },
      },
      spec: {
        secretName: 'edge-tls',
        dnsNames: ['shop.example.com', 'www.example.com', 'api.example.com'],
        issuerRef,
      },
    });
    expect(edge.tlsSecret).toBeUndefined();
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(podSpecOf(manifests, 'edge').volumes).toContainEqual({
      name: 'tls',
      secret: { secretName: 'edge-tls', defaultMode: 0o440 },
    });
  });

  test.each([{}, { clusterIssuer: 'a', issuer: 'b' }])('is asked of one issuer, not of %j', (issuer) => {
    expect(() => Certificate.fromCertManager(issuer)).toThrow(
      new Error(
        `Certificate.fromCertManager: ${JSON.stringify(issuer)} needs one issuer: give either clusterIssuer or issuer`,
      ),
    );
  });

  test.each<[object, string]>([
    [
      { clusterIssuer: 'Lets Encrypt' },
      'Certificate.fromCertManager clusterIssuer: "Lets Encrypt" is not the name of a Kubernetes object',
    ],
    [{ issuer: '' }, 'Certificate.fromCertManager issuer: "" is not the name of a Kubernetes object'],
    [{ isuer: 'a' }, 'Certificate.fromCertManager isuer: "a" is an option that does not exist: issuer does'],
  ])('is asked of an issuer that there can be, not of %j', (issuer, message) => {
    expect(() => Certificate.fromCertManager(issuer)).toThrow(message);
  });
});

describe('A host with a certificate of its own', () => {
  const admin = 'admin.example.com';
  const proxyWith = (certificate: Certificate): NginxProxy => {
    const edge = newProxy(newShop({ labels: { team: 'shop' } }), 'edge', { host, certificate });
    edge.addRoute('/', FixedResponse.of(204));
    return edge;
  };
  const addHost = (edge: NginxProxy, name: string, certificate?: Certificate): VirtualHost => {
    const added = edge.addHost(name, certificate === undefined ? {} : { certificate });
    added.addRoute('/', FixedResponse.of(204));
    return added;
  };
  const written = (edge: NginxProxy): Manifest[] => objectsAround(edge.namespace);
  const volumesOf = (edge: NginxProxy): unknown[] =>
    (podSpecOf(written(edge), 'edge').volumes as readonly { readonly name: string }[]).filter(({ name }) =>
      /^(?:tls|certificates)/.test(name),
    );
  const mountsOf = (edge: NginxProxy): unknown[] =>
    containerOf(written(edge), 'edge').volumeMounts.filter(({ mountPath }) => mountPath.includes('/tls'));
  const certificatesIn = (edge: NginxProxy): unknown[] =>
    written(edge)
      .filter(({ kind }) => kind === 'Certificate')
      .map(({ metadata, spec }) => [metadata.name, spec?.secretName, spec?.dnsNames]);

  test('has a volume of its own, without which pods start too, and room for what proves good', () => {
    const edge = proxyWith(Certificate.fromSecret('shop-tls'));
    const before = volumesOf(edge);
    const added = addHost(edge, admin, Certificate.fromSecret('admin-tls'));
    const name = expect.stringMatching(/^tls-admin-example-com-[0-9a-f]{10}$/) as string;
    expect(before).toEqual([
      { name: 'tls', secret: { secretName: 'shop-tls', defaultMode: 0o440 } },
      { name: 'certificates', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
    ]);
    expect(volumesOf(edge)).toEqual([
      { name: 'tls', secret: { secretName: 'shop-tls', defaultMode: 0o440 } },
      { name: 'certificates', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
      { name, secret: { secretName: 'admin-tls', defaultMode: 0o440, optional: true } },
    ]);
    expect(mountsOf(edge)).toEqual([
      { name: 'tls', mountPath: '/etc/nginx/tls', readOnly: true },
      { name, mountPath: '/etc/nginx/tls-of-hosts/admin.example.com', readOnly: true },
    ]);
    expect(nginxConfOf(written(edge))).toContain('js_var $host_certificates "/etc/nginx/tls-of-hosts";');
    expect(nginxConfOf(written(edge))).toContain('js_var $host_certificate_patience 660;');
    expect(added.tlsSecret).toBeUndefined();
  });

  test('has a name of its volume that Kubernetes takes, however long and alike hosts are', () => {
    const edge = proxyWith(Certificate.fromSecret('shop-tls'));
    const label = 'a'.repeat(60);
    for (const name of [`${label}.${label}.x`, `${label}.${label}.y`, 'a-b.c', 'a.b-c', 'a.b.c']) {
      addHost(edge, name, Certificate.fromSecret(name));
    }
    const names = volumesOf(edge).map((volume) => (volume as { readonly name: string }).name);
    expect(new Set(names).size).toBe(7);
    for (const name of names) expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
  });

  test('shares it with hosts that are given the same one, or the same Secret', () => {
    const edge = proxyWith(Certificate.fromSecret('shop-tls'));
    const [ofAdmin, ofTeam] = [Certificate.fromSecret('admin-tls'), Certificate.fromCertManager({ issuer: 'own-ca' })];
    const added = [
      addHost(edge, 'a.example.com', ofAdmin),
      addHost(edge, 'b.example.com', ofTeam),
      addHost(edge, 'c.example.com', ofAdmin),
      addHost(edge, 'd.example.com', Certificate.fromSecret('admin-tls')),
      addHost(edge, 'e.example.com', ofTeam),
      addHost(edge, 'f.example.com', Certificate.fromSecret('shop-tls')),
      addHost(edge, 'g.example.com', edge.settings.certificate),
      addHost(edge, 'h.example.com'),
      addHost(edge, 'i.example.com', Certificate.fromCertManager({ issuer: 'own-ca' })),
    ];
    const [a, b, i] = ['a.example.com', 'b.example.com', 'i.example.com'];
    expect(added.map(({ certificate }) => certificate)).toEqual([a, b, a, a, b, undefined, undefined, undefined, i]);
    expect(edge.model.hosts.map(({ certificate }) => certificate)).toEqual([
      undefined,
      ...added.map(({ certificate }) => certificate),
    ]);
    expect(volumesOf(edge)).toHaveLength(5);
    expect(certificatesIn(edge)).toEqual([
      ['edge-tls.b.example.com', 'edge-tls.b.example.com', ['b.example.com', 'e.example.com']],
      ['edge-tls.i.example.com', 'edge-tls.i.example.com', ['i.example.com']],
    ]);
  });

  test('is left out of what cert-manager is asked for the proxy', () => {
    const edge = proxyWith(Certificate.fromCertManager({ clusterIssuer: 'letsencrypt' }));
    addHost(edge, admin, Certificate.fromCertManager({ issuer: 'own-ca' }));
    addHost(edge, 'www.example.com');
    expect(certificatesIn(edge)).toEqual([
      ['edge-tls', 'edge-tls', [host, 'www.example.com']],
      ['edge-tls.admin.example.com', 'edge-tls.admin.example.com', [admin]],
    ]);
    const certificate = find(written(edge), 'Certificate', 'edge-tls.admin.example.com');
    expect(certificate.spec?.issuerRef).toEqual({ kind: 'Issuer', name: 'own-ca' });
    expect(certificate.metadata).toMatchObject({
      namespace: 'shop',
      labels: { team: 'shop', 'app.kubernetes.io/instance': 'edge', 'app.kubernetes.io/component': 'tls' },
    });
  });

  test('may have files of its own, in a Secret that is in a file of its own', () => {
    const edge = proxyWith(Certificate.fromFiles(files));
    const added = addHost(edge, admin, Certificate.fromFiles(filesFor(admin)));
    const names = written(edge).flatMap(({ kind, metadata }) => (kind === 'Secret' ? [metadata.name] : []));
    expect(names).toEqual(['edge-tls', 'edge-tls.admin.example.com']);
    expect(added.tlsSecret?.name).toBe('edge-tls.admin.example.com');
    const secret = find(written(edge), 'Secret', 'edge-tls.admin.example.com');
    expect(new X509Certificate(secret.stringData?.['tls.crt'] ?? '').subjectAltName).toBe(`DNS:${admin}`);
    const own = find(written(edge), 'Secret', 'edge-tls');
    expect(new X509Certificate(own.stringData?.['tls.crt'] ?? '').subjectAltName).toBe(`DNS:${host}`);
    const { root } = edge.node;
    const charts = root instanceof App ? root.charts.filter((chart) => chart.node.path.endsWith('/tls')) : [];
    expect(charts.map((chart) => chart.toJson().length)).toEqual([1, 1]);
  });

  test('may have a self-signed one, for the hosts that share it and no others', () => {
    const before = process.cwd();
    process.chdir(directory);
    onTestFinished(() => {
      process.chdir(before);
    });
    const edge = proxyWith(Certificate.selfSigned());
    const own = Certificate.selfSigned();
    addHost(edge, admin, own);
    addHost(edge, 'staff.example.com', own);
    addHost(edge, 'www.example.com');
    const hostsOf = (name: string): string | undefined =>
      new X509Certificate(find(written(edge), 'Secret', name).stringData?.['tls.crt'] ?? '').subjectAltName;
    expect(hostsOf('edge-tls.admin.example.com')).toBe(`DNS:${admin}, DNS:staff.example.com`);
    expect(hostsOf('edge-tls')).toBe(`DNS:${host}, DNS:www.example.com`);
  });

  test('may be patched like any object', () => {
    const edge = proxyWith(Certificate.fromSecret('shop-tls'));
    const added = addHost(edge, admin, Certificate.fromFiles(filesFor(admin)));
    if (added.tlsSecret === undefined) throw new Error('no Secret');
    ApiObject.of(added.tlsSecret).addJsonPatch(JsonPatch.add('/metadata/annotations', { a: 'b' }));
    expect(find(written(edge), 'Secret', 'edge-tls.admin.example.com').metadata.annotations).toEqual({ a: 'b' });
  });

  test('costs what the memory of a proxy has to carry', () => {
    const edge = proxyWith(Certificate.fromSecret('shop-tls'));
    const fixed = (): number[] => edge.budget.memory.slice(0, 2).map(({ each }) => each);
    const before = fixed();
    addHost(edge, admin, Certificate.fromSecret('admin-tls'));
    addHost(edge, 'staff.example.com', Certificate.fromSecret('admin-tls'));
    expect(fixed().map((each, index) => each - (before[index] ?? 0))).toEqual([48 * 1024, 160 * 1024]);
  });

  test('keeps its Strict-Transport-Security', () => {
    const edge = proxyWith(Certificate.fromSecret('shop-tls'));
    addHost(edge, admin, Certificate.fromSecret('admin-tls'));
    expect(edge.model.hosts.map(({ hstsMaxAge }) => hstsMaxAge)).toEqual([31_536_000, 31_536_000]);
  });
});

describe('Without a certificate', () => {
  const before = process.cwd();
  beforeAll(() => {
    process.chdir(directory);
  });
  afterAll(() => {
    process.chdir(before);
  });

  test('one is made for every host, kept in .fairlead/, and the same the next time', () => {
    const manifests = (...hosts: readonly string[]): ReturnType<typeof synthesize> => {
      const app = new App();
      const [first = '', ...others] = hosts;
      const api = new LoadBalancedApi(app, 'orders', { image: 'orders:1', host: first });
      for (const other of others) api.proxy.addHost(other).addRoute('/', api.backend);
      return manifestsOf(app);
    };
    const secret = find(manifests('orders.example.com'), 'Secret', 'nginx-tls');
    expect(secret.stringData?.['tls.crt']).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(secret.stringData?.['tls.key']).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(find(manifests('orders.example.com'), 'Secret', 'nginx-tls')).toEqual(secret);
    expect(find(manifests('www.example.com'), 'Secret', 'nginx-tls')).not.toEqual(secret);
    expect(find(manifests('orders.example.com', 'www.example.com'), 'Secret', 'nginx-tls')).not.toEqual(secret);
    expect(readdirSync('.fairlead')).toContain('.gitignore');
  });
});

describe('Refused', () => {
  const refusal = (make: () => unknown): string => {
    try {
      make();
    } catch (error) {
      return String(error);
    }
    throw new Error('nothing was refused');
  };
  const refusedFiles = (given: CertificateFiles, more: TestProps = {}): string =>
    refusal(() => synthesize({ host, certificate: Certificate.fromFiles(given), ...more }));

  test('is a certificate without a key, a key without a certificate, and what no file is called', () => {
    expect(refusal(() => Certificate.fromFiles({ certificate: 'tls.crt' } as never))).toBe(
      'InvalidOption: Certificate.fromFiles privateKey: undefined is not the path of a file: give one, such as "tls.key"',
    );
    expect(refusal(() => Certificate.fromFiles({ privateKey: 'tls.key' } as never))).toBe(
      'InvalidOption: Certificate.fromFiles certificate: undefined is not the path of a file: give one, such as "tls.crt"',
    );
    expect(refusal(() => Certificate.fromFiles({ certificate: '', privateKey: 'tls.key' }))).toBe(
      'InvalidOption: Certificate.fromFiles certificate: "" is not the path of a file: give one, such as "tls.crt"',
    );
    expect(refusal(() => Certificate.fromFiles({ certificate: 'tls.crt', privateKey: 'tls\0.key' }))).toBe(
      'InvalidOption: Certificate.fromFiles privateKey: "tls\\u0000.key" is not the path of a file: give one, such as "tls.key"',
    );
  });

  test('is a certificate for another host, also an additional one', () => {
    expect(refusedFiles(files, { host: 'billing.example.com' })).toMatch(
      /^InvalidOption: orders Certificate\.fromFiles certificate: ".*" is not valid for the host "billing.example.com"/,
    );
    expect(refusedFiles(files, { proxy: { additionalHosts: ['www.example.com'] } })).toContain(
      'is not valid for the host "www.example.com"',
    );
  });

  test('is a host that is added, and that the certificate is not valid for', () => {
    const shop = newShop();
    const edge = newProxy(shop, 'edge', { host, certificate: Certificate.fromFiles(files) });
    expect(refusal(() => edge.addHost('www.example.com'))).toMatch(
      /^InvalidOption: shop\/edge Certificate\.fromFiles certificate: ".*" is not valid for the host "www.example.com"/,
    );
    const both = newProxy(shop, 'both', {
      host,
      certificate: Certificate.fromFiles(filesFor(host, 'www.example.com')),
    });
    expect(both.addHost('www.example.com').host).toBe('www.example.com');
  });

  test('is a host whose own certificate is not valid for it, also one that shares it, with the names', () => {
    const edge = newProxy(newShop(), 'edge', { host });
    const own = Certificate.fromFiles(filesFor('admin.example.com'));
    expect(refusal(() => edge.addHost('www.example.com', { certificate: own }))).toMatch(
      /^InvalidOption: shop\/edge Certificate\.fromFiles certificate: ".*" is not valid for the host "www.example.com" \(its names: DNS:admin.example.com\)/,
    );
    expect(edge.addHost('admin.example.com', { certificate: own }).host).toBe('admin.example.com');
    expect(refusal(() => edge.addHost('www.example.com', { certificate: own }))).toContain('"www.example.com"');
    expect(edge.node.tryFindChild('www.example.com')).toBeUndefined();
  });

  test('is a host too long for the name of the Secret that would be made', () => {
    const edge = newProxy(newShop(), 'edge', { host });
    const long = `${'a'.repeat(60)}.`.repeat(4) + 'com';
    expect(refusal(() => edge.addHost(long, { certificate: Certificate.selfSigned() }))).toMatch(
      /^InvalidOption: shop\/edge host: "a{60}.* is too long for the name of its Secret, "edge-tls\.…": make that yourself, and give it by Certificate\.fromSecret$/,
    );
    expect(edge.addHost(long, { certificate: Certificate.fromSecret('long-tls') }).host).toBe(long);
  });

  test('is a file that is not there', () => {
    expect(refusedFiles({ ...files, certificate: join(directory, 'none.crt') })).toContain(
      'none.crt" cannot be read (',
    );
  });

  test('is a name that no Secret can have', () => {
    expect(refusal(() => Certificate.fromSecret('Orders_TLS'))).toBe(
      'InvalidOption: Certificate.fromSecret: "Orders_TLS" is not the name of a Kubernetes object: give letters, digits, hyphens and dots in lower case, such as "orders-tls"',
    );
  });
});
