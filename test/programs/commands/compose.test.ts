import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import { loadedApps } from '../../../charts/loaded-apps';
import { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { composeFile, composeModel } from '../../../local/compose';
import { findNginx } from '../../../local/find-nginx/find-nginx';
import { onTestFinished } from '../../afterwards';
import { passwordLine } from '../../nginx/support/auth-files';
import { keySet, signingKey } from '../../nginx/support/issuer';
import { echo } from '../../nginx/support/several-backends';
import { RealNginx, testFile } from '../../nginx/support/real-nginx';
import { StubApi } from '../../nginx/support/stub-api';
import { StubDns } from '../../nginx/support/stub-dns';
import { readComposeFile, validCompose } from '../../local/compose-file';
import { typescriptProgram } from '../../typescript-program';

const main = 'test/local/fixtures/shop.ts';
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-compose-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function fairlead(...args: string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const cli = [...typescriptProgram, 'cli.ts', 'compose', ...args];
  return spawnSync(process.execPath, cli, { encoding: 'utf8', cwd: resolve(__dirname, '../../..') });
}

test('writes a compose.yaml of every backend behind nginx, and what nginx reads', () => {
  const output = join(directory, 'compose.yaml');
  const written = fairlead('--main', main, '--output', output, '--https-port', '9443');
  expect(written).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(
      / is written: docker compose -f "\S+\/compose.yaml" up --scale catalog=5$/m,
    ) as string,
    stderr: `catalog is not told the variables of envFrom, which come from the cluster: give them in local.environment
catalog has no volume at /pictures here: it finds there what this machine has
orders is not told DATABASE_URL, which comes from the cluster: give it in local.environment
orders-canary is not told DATABASE_URL, which comes from the cluster: give it in local.environment
`,
  });
  expect(readComposeFile(output)).toMatchObject({
    name: 'shop',
    services: {
      edge: {
        image: 'nginx:1.30',
        ports: ['127.0.0.1:8080:8080', '127.0.0.1:9443:8443'],
        volumes: ['./.fairlead/compose/edge:/etc/nginx/fairlead:ro'],
        depends_on: ['catalog', 'orders', 'orders-canary'],
      },
      orders: {
        image: 'ghcr.io/acme/orders:1.4.2',
        environment: { PORT: '3000', LOG_LEVEL: 'warn', REQUEST_TIMEOUT_SECONDS: '60', LOCAL: 'yes' },
        deploy: { replicas: 2 },
        stop_grace_period: '67s',
      },
      'orders-canary': { deploy: { replicas: 1 } },
      catalog: { image: 'ghcr.io/acme/catalog:3.1.0' },
    },
  });
  const files = join(directory, '.fairlead/compose/edge');
  const conf = readFileSync(join(files, 'nginx.conf'), 'utf8');
  expect(conf).toContain('resolver 127.0.0.11 valid=1s');
  expect(conf).toContain('server orders:3000 resolve');
  expect(conf).toContain(':9443');
  expect(conf).toContain('"tenant":"$http_x_tenant"');
  expect(conf).toContain('default "/etc/nginx/fairlead/certificates-of-hosts/admin.example.com";');
  for (const [certificate, names] of [
    ['certificate', 'DNS:localhost, DNS:shop.example.com'],
    ['certificates-of-hosts/admin.example.com', 'DNS:admin.example.com'],
  ] as const) {
    expect(statSync(join(files, certificate, 'tls.key')).mode & 0o777).toBe(0o600);
    expect(new X509Certificate(readFileSync(join(files, certificate, 'tls.crt'))).subjectAltName).toBe(names);
  }
  expect(readFileSync(join(files, '.gitignore'), 'utf8')).toBe('*\n');
});

test('writes a "$" of a value so that Compose reads none of its variables there', () => {
  const output = join(directory, 'compose.yaml');
  expect(fairlead('--main', 'test/local/fixtures/dollar.ts', '--output', output).status).toBe(0);
  expect(readComposeFile(output)).toMatchObject({
    services: {
      orders: {
        entrypoint: ['sh', '-c', 'exec node "$$0"'],
        command: ['$$HOME/server.js'],
        environment: { PRICE: '$$5' },
      },
    },
  });
});

test('writes its own file anew, and none of anybody else', () => {
  const output = join(directory, 'compose.yaml');
  const args = ['--main', 'test/local/fixtures/dollar.ts', '--output', output];
  writeFileSync(output, 'services: {}\n');
  expect(fairlead(...args)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('compose.yaml" is there, and not of fairlead: move it away') as string,
  });
  expect(readFileSync(output, 'utf8')).toBe('services: {}\n');
  expect(readdirSync(directory)).toEqual(['compose.yaml']);
  rmSync(output);
  expect(fairlead(...args).status).toBe(0);
  expect(fairlead(...args).status).toBe(0);
});

test.each(readdirSync('examples').filter((file) => file.endsWith('.ts')))(
  'the compose.yaml of %s is what the specification allows',
  (file) => {
    const [app] = loadedApps(resolve('examples', file), { FAIRLEAD_ENVIRONMENT: 'production' });
    const proxies = app?.node.findAll().filter((construct) => construct instanceof NginxProxy) ?? [];
    expect(proxies.length).toBeGreaterThan(0);
    const options = { httpPort: 8080, httpsPort: 8443, files: './files', fromOutput: (path: string) => path };
    for (const proxy of proxies) validCompose(composeFile(proxy, options));
  },
);

test('an option that the specification does not have is refused', () => {
  const compose = (service: string): string => `services:\n  orders:\n    image: orders:1\n    ${service}\n`;
  expect(() => validCompose(compose('stop_grace_period: 5s'))).not.toThrow();
  expect(() => validCompose(compose('stop_grace_time: 5s'))).toThrow('additionalProperties');
});

test.each([
  [['--main', 'nowhere.ts'], 'nowhere.ts is not here'],
  [['--https-port', '0'], '--https-port: 0 is out of range'],
  [['--scale', '5'], 'compose: "--scale" is not an option; fairlead compose --help shows the options'],
  [['--http-port', '8443'], '--http-port: 8443 is --https-port as well: give a port of its own'],
])('refuses %j in one line, and writes nothing', (args, message) => {
  const output = join(directory, 'compose.yaml');
  const refused = fairlead('--output', output, ...args);
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining(`fairlead: ${message}`) as string });
  expect(refused.stderr.trim().split('\n')).toHaveLength(1);
  expect(existsSync(output)).toBe(false);
});

test('what main.ts says of this machine, and is not so, ends with another exit code than what is typed wrong', () => {
  const wrong = join(directory, 'main.ts');
  writeFileSync(
    wrong,
    `import { App } from ${JSON.stringify(resolve('node_modules/cdk8s'))};
import { NginxProxy, RestrictedNamespace, StaticFiles } from ${JSON.stringify(resolve('index'))};
const app = new App();
const edge = new NginxProxy(new RestrictedNamespace(app, 'shop'), 'edge');
edge.addRoute('/', StaticFiles.fromImage('acme/web:1', '/web', { local: { directory: 'nowhere' } }));
app.synth();
`,
  );
  expect(fairlead('--main', wrong, '--output', join(directory, 'compose.yaml'))).toMatchObject({
    status: 1,
    stderr: `fairlead: acme/web:1 (/web) local.directory: "nowhere" is not a directory: ${resolve('nowhere')} was looked for\n`,
  });
});

test('real nginx finds every container of a service by its one name', async () => {
  const [app] = loadedApps(resolve(main), { FAIRLEAD_ENVIRONMENT: 'production' });
  const proxy = app?.node.findAll().find((construct) => construct instanceof NginxProxy);
  if (proxy === undefined) throw new Error('no proxy');
  const dns = await StubDns.start();
  onTestFinished(() => dns.stop());
  // Address records have no ports, so that all containers of a service have the same.
  const model = composeModel(proxy);
  expect(model.backends.map(({ instances }) => instances)).toEqual([
    { host: 'catalog', port: 3000 },
    { host: 'orders', port: 3000 },
    { host: 'orders-canary', port: 3000 },
  ]);
  const api = await StubApi.start('orders', echo('orders'));
  onTestFinished(() => api.stop());
  dns.byHost.set('orders', [api.instance]);
  const backends = model.backends.map((backend) => ({
    ...backend,
    instances: { host: backend.name, port: api.instance.port },
  }));
  const nginx = await RealNginx.start({ ...model, backends }, { resolvers: [dns.server] });
  onTestFinished(() => nginx.stop());
  const { body } = await nginx.untilAnswered(({ status }) => status === 200, { path: '/orders/a' });
  expect(JSON.parse(body)).toMatchObject({ backend: 'orders', url: '/a' });
});

test('real nginx takes the nginx.conf that is written, and finds beside it what it names', async () => {
  const local = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content);
    return JSON.stringify(join(directory, name));
  };
  const { certificate } = selfSignedKeyPair(['localhost'], resolve('.fairlead/test-certificates'));
  const authority = local('ca.crt', certificate);
  const web = join(directory, 'web');
  mkdirSync(web);
  writeFileSync(join(web, 'index.html'), '<title>Shop</title>');
  const guarded = join(directory, 'main.ts');
  writeFileSync(
    guarded,
    `import { App } from ${JSON.stringify(resolve('node_modules/cdk8s'))};
import { Auth, Backend, CertificateAuthority, ExternalService, Jwks, NginxProxy, ResponseCache, RestrictedNamespace, StaticFiles } from ${JSON.stringify(resolve('index'))};
const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const edge = new NginxProxy(shop, 'edge', {
  host: 'shop.example.com',
  tracing: { endpoint: 'http://collector.example.com:4318', localEndpoint: 'http://localhost:4318' },
});
const orders = new Backend(shop, 'orders', { image: 'orders:1' });
const company = { caSecret: 'company-ca', local: { certificateAuthority: ${authority} } };
const identity = ExternalService.fromUrl('https://id.example.com', company);
const jwks = Jwks.fromConfigMap('keys', { local: { file: ${local('jwks.json', keySet(signingKey('ES256')))} } });
const passwords = { file: ${local('htpasswd', passwordLine('ada', 'correct horse'))} };
const partners = CertificateAuthority.fromSecret('partners', { local: { file: ${authority} } });
edge.addRoute('/', StaticFiles.fromImage('web:1', '/web', { singlePage: true, local: { directory: ${JSON.stringify(web)} } }));
edge.addRoute('/legacy', ExternalService.fromUrl('https://legacy.example.com/shop', company));
edge.addRoute('/plain', ExternalService.fromUrl('http://plain.example.com'));
edge.addRoute('/admin', orders, { auth: Auth.basic({ secret: 'admins', local: passwords }) });
edge.addRoute('/api', orders, { auth: Auth.jwt({ issuer: 'id', audience: 'orders', jwks }) });
edge.addRoute('/asked', orders, { auth: Auth.external(identity, { signIn: { url: 'https://id.example.com/login' } }) });
edge.addRoute('/kept', orders, { cache: ResponseCache.of({ valid: '1m' }) });
edge.addHost('partners.example.com').addRoute('/', orders, { auth: Auth.clientCertificate(partners) });
app.synth();
`,
  );
  const output = join(directory, 'compose.yaml');
  expect(fairlead('--main', guarded, '--output', output)).toMatchObject({ status: 0, stderr: '' });
  const served = { type: 'bind', source: './web', target: '/srv/files-1', read_only: true };
  expect(readComposeFile(output)).toMatchObject({
    services: { edge: { volumes: ['./.fairlead/compose/edge:/etc/nginx/fairlead:ro', served] } },
  });

  const files = join(directory, '.fairlead/compose/edge');
  const conf = readFileSync(join(files, 'nginx.conf'), 'utf8');
  // Nothing in a network of containers is at localhost.
  expect(conf).not.toContain('spans');
  const named = [...conf.matchAll(/"\/etc\/nginx\/fairlead\/([^"]+)"/g)].map(([, path = '']) => path);
  const ofAuth = ['secrets/admins/auth', 'secrets/partners/ca.crt'].map((path) => `auth/${path}`);
  expect(named).toEqual(expect.arrayContaining(['certificate', ...ofAuth]));
  const read = [...named, 'auth/config-maps/keys/jwks.json'];
  expect(read.filter((path) => !existsSync(join(files, path)))).toEqual([]);

  const nginx = await findNginx({ directories: [web] });
  // Its container has them elsewhere than this machine.
  const here = conf
    .replaceAll('"/tmp/', `"${files}/`)
    .replaceAll('/etc/nginx/fairlead/', `${files}/`)
    .replaceAll('/srv/files-1', web)
    .replaceAll('"/usr/lib/nginx/modules/', `"${nginx.modulesDirectory}/`);
  writeFileSync(join(files, 'here.conf'), here);
  expect(await testFile(nginx, join(files, 'here.conf'))).not.toContain('[warn]');
});
