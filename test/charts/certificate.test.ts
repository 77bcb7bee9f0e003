import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiObject, App, Chart, Lazy, YamlOutputType } from 'cdk8s';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import { find, manifestsOf, podSpecOf, synthesize, type TestProps } from './manifests';

let directory: string;
let files: { readonly tlsCertificateFile: string; readonly tlsPrivateKeyFile: string };
let pair: { readonly certificate: string; readonly privateKey: string };

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-certificate-'));
  pair = selfSignedKeyPair(['orders.example.com'], join(directory, 'made'));
  files = { tlsCertificateFile: join(directory, 'tls.crt'), tlsPrivateKeyFile: join(directory, 'tls.key') };
  writeFileSync(files.tlsCertificateFile, pair.certificate);
  writeFileSync(files.tlsPrivateKeyFile, pair.privateKey);
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

test("one's own certificate is in a Secret, and that in a file of its own", () => {
  const app = new App();
  const api = new LoadBalancedApi(app, 'orders', {
    container: { image: 'orders:1' },
    host: 'orders.example.com',
    ...files,
  });
  expect(api.tlsSecret?.name).toBe('nginx-tls');
  const [secretChart] = app.charts.filter((chart) => chart.node.id === '1-tls');
  expect(secretChart?.toJson()).toEqual([
    expect.objectContaining({
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: expect.objectContaining({ name: 'nginx-tls', namespace: 'orders' }) as object,
      stringData: { 'tls.crt': pair.certificate, 'tls.key': pair.privateKey },
    }),
  ]);
  const others = manifestsOf(app).filter(({ kind }) => kind !== 'Secret');
  expect(JSON.stringify(others)).not.toContain('PRIVATE KEY');
  expect(podSpecOf(manifestsOf(app), 'nginx').volumes).toContainEqual({
    name: 'tls',
    secret: { secretName: 'nginx-tls', defaultMode: 0o440 },
  });
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
      new LoadBalancedApi(app, id, { container: { image: 'orders:1' }, host: 'orders.example.com', ...files });
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

test('an existing Secret is used and not made', () => {
  const manifests = synthesize({ tlsSecretName: 'orders.example.com' });
  expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  expect(podSpecOf(manifests, 'nginx').volumes).toContainEqual({
    name: 'tls',
    secret: { secretName: 'orders.example.com', defaultMode: 0o440 },
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
    const manifests = (host: string): ReturnType<typeof synthesize> => {
      const app = new App();
      new LoadBalancedApi(app, 'orders', { container: { image: 'orders:1' }, host });
      return manifestsOf(app);
    };
    const secret = find(manifests('orders.example.com'), 'Secret', 'nginx-tls');
    expect(secret.stringData?.['tls.crt']).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(find(manifests('orders.example.com'), 'Secret', 'nginx-tls')).toEqual(secret);
    expect(find(manifests('www.example.com'), 'Secret', 'nginx-tls')).not.toEqual(secret);
    expect(readdirSync('.fairlead')).toContain('.gitignore');
  });
});

describe('Refused', () => {
  const refusal = (given: TestProps): string => {
    try {
      synthesize({ host: 'orders.example.com', ...given });
    } catch (error) {
      return String(error);
    }
    throw new Error('nothing was refused');
  };

  test('is a certificate without a key, and a key without a certificate', () => {
    expect(refusal({ tlsCertificateFile: 'tls.crt' })).toBe(
      'InvalidOption: orders tlsCertificateFile: "tls.crt" has no key: give tlsPrivateKeyFile too',
    );
    expect(refusal({ tlsPrivateKeyFile: 'tls.key' })).toBe(
      'InvalidOption: orders tlsPrivateKeyFile: "tls.key" has no certificate: give tlsCertificateFile too',
    );
  });

  test.each([{ tlsCertificateFile: 'tls.crt' }, { tlsPrivateKeyFile: 'tls.key' }])(
    'is a Secret beside %j',
    (beside) => {
      expect(refusal({ ...beside, tlsSecretName: 'orders-tls' })).toBe(
        'InvalidOption: orders tlsSecretName: "orders-tls" is a certificate of its own: give it, or tlsCertificateFile and tlsPrivateKeyFile',
      );
    },
  );

  test('is a certificate for another host, also an additional one', () => {
    expect(refusal({ ...files, host: 'billing.example.com' })).toContain(
      'is not valid for the host "billing.example.com"',
    );
    expect(refusal({ ...files, additionalHosts: ['www.example.com'] })).toContain(
      'is not valid for the host "www.example.com"',
    );
  });

  test('is a file that is not there', () => {
    expect(refusal({ ...files, tlsCertificateFile: join(directory, 'none.crt') })).toContain(
      'none.crt" cannot be read (',
    );
  });

  test('is a name that no Secret can have', () => {
    expect(refusal({ tlsSecretName: 'Orders_TLS' })).toBe(
      'InvalidOption: orders tlsSecretName: "Orders_TLS" is not the name of a Kubernetes object: give letters, digits, hyphens and dots in lower case, such as "orders-tls"',
    );
  });
});
