import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, Chart, Lazy, YamlOutputType } from 'cdk8s';
import type { KeyPair } from '../../certificates/key-pair';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { Certificate, type CertificateFiles } from '../../charts/certificate';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import { FixedResponse } from '../../charts/route-targets';
import {
  find,
  manifestsOf,
  newProxy,
  newShop,
  objectsAround,
  podSpecOf,
  synthesize,
  type TestProps,
} from './manifests';

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

  test('is a certificate without a key, and a key without a certificate', () => {
    expect(refusal(() => Certificate.fromFiles({ certificate: 'tls.crt' } as never))).toBe(
      'InvalidOption: Certificate.fromFiles privateKey: undefined is not the path of a file: give one, such as "tls.crt"',
    );
    expect(refusal(() => Certificate.fromFiles({ privateKey: 'tls.key' } as never))).toBe(
      'InvalidOption: Certificate.fromFiles certificate: undefined is not the path of a file: give one, such as "tls.crt"',
    );
    expect(refusal(() => Certificate.fromFiles({ certificate: '', privateKey: 'tls.key' }))).toBe(
      'InvalidOption: Certificate.fromFiles certificate: "" is not the path of a file: give one, such as "tls.crt"',
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
