import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose } from '../../../local/compose';
import { localDeployment } from '../../../local/deployment/deployment';
import { onFileFinished } from '../../afterwards';
import { basic, passwordLine } from '../../nginx/support/auth-files';
import { bearer, keySet, signingKey, token } from '../../nginx/support/issuer';
import { type PrivateAuthority, privateAuthority } from '../../nginx/tls/key-pairs';
import { expectNothingLeft, fairleads } from '../running-fairlead';
import { startOptions } from '../../local/typed-start';
import { writeMain } from './written-main';

jest.setTimeout(120_000);

const { start } = fairleads();
const issuer = signingKey('ES256');
const missing =
  'the entry auth of the Secret staff is not here: routes that ask for it answer 500; give it local: { file: "…" }';
const missingAuthority =
  'the entry ca.crt of the ConfigMap others is not here: routes that ask for it answer 500; give it local: { file: "…" }';
let directory: string;
let main: string;
let partners: PrivateAuthority;

beforeAll(async () => {
  partners = await privateAuthority();
  directory = mkdtempSync(join(tmpdir(), 'fairlead-auth-local-'));
  onFileFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const file = join(directory, 'htpasswd');
  writeFileSync(file, passwordLine('ada', 'correct horse'));
  const keys = join(directory, 'jwks.json');
  writeFileSync(keys, keySet(issuer));
  const authority = join(directory, 'ca.crt');
  writeFileSync(authority, partners.certificate);
  main = writeMain(join(directory, 'main.ts'), [
    `const ca = CertificateAuthority.fromSecret('partners', { local: { file: ${JSON.stringify(authority)} } });`,
    `edge.addHost('a.example.com').addRoute('/', orders, { auth: Auth.clientCertificate(ca) });`,
    `edge.addHost('b.example.com').addRoute('/', orders, { auth: Auth.clientCertificate(CertificateAuthority.fromConfigMap('others')) });`,
    `edge.addRoute('/admin', orders, { auth: Auth.basic({ secret: 'admins', local: { file: ${JSON.stringify(file)} } }) });`,
    `edge.addRoute('/staff', orders, { auth: Auth.basic({ secret: 'staff' }) });`,
    `edge.addRoute('/api', orders, { auth: Auth.jwt({ issuer: 'id', audience: 'orders', jwks: Jwks.fromConfigMap('keys', { local: { file: ${JSON.stringify(keys)} } }) }) });`,
    `edge.addRoute('/asked', orders, { auth: Auth.external(orders, { path: '/healthcheck' }) });`,
    `edge.addRoute('/away', orders, { auth: Auth.external(ExternalService.fromServiceName('identity')) });`,
  ]);
});

test('a file stands for a Secret, and a route without one is shut and told of', async () => {
  const shop = await start('--main', main, '--scale', '1');
  await shop.isUp();
  expect(shop.output).toContain(missing);
  expect((await shop.get('/admin')).status).toBe(401);
  expect((await shop.get('/admin', { headers: basic('ada', 'correct horse') })).status).not.toBe(401);
  expect((await shop.get('/staff', { headers: basic('ada', 'correct horse') })).status).toBe(500);
  const given = token(issuer, { iss: 'id', aud: 'orders', exp: Date.now() / 1000 + 60 });
  expect((await shop.get('/api')).status).toBe(401);
  expect((await shop.get('/api', { headers: bearer(given) })).status).toBe((await shop.get('/')).status);
  expect((await shop.get('/asked')).status).toBe((await shop.get('/')).status);
  expect((await shop.get('/away')).status).toBe(500);
  expect(shop.output).toContain('identity is a Service of the cluster: routes that ask it answer 500 here');
  expect(shop.output).toContain(missingAuthority);
  const pair = await partners.issueToClient('billing');
  expect((await shop.get('/', { host: 'a.example.com' })).status).toBe(403);
  expect((await shop.get('/', { host: 'a.example.com', pair })).status).toBe((await shop.get('/')).status);
  expect((await shop.get('/', { host: 'b.example.com', pair })).status).toBe(500);
  shop.ctrlC();
  expect(await shop.exited).toBe(0);
  await expectNothingLeft(shop);
});

test('a file that is not there is named before anything is started', async () => {
  const file = writeMain(join(directory, 'gone.ts'), [
    `edge.addRoute('/admin', orders, { auth: Auth.basic({ secret: 'admins', local: { file: '/none/htpasswd' } }) });`,
  ]);
  const options = startOptions(['--main', file]);
  await expect(localDeployment(options)).rejects.toThrow('admins local.file: "/none/htpasswd" is not a file');
});

test('a file that is no certificate is named before nginx would not start', async () => {
  const file = writeMain(join(directory, 'wrong.ts'), [
    `edge.addRoute('/a', orders, { auth: Auth.clientCertificate(CertificateAuthority.fromSecret('partners', { local: { file: ${JSON.stringify(join(directory, 'jwks.json'))} } })) });`,
  ]);
  const options = startOptions(['--main', file]);
  await expect(localDeployment(options)).rejects.toThrow(/partners local\.file: ".*" is not a certificate/);
});

test('fairlead compose writes it for nginx alone, and says what is missing', () => {
  const written: string[] = [];
  for (const stream of [process.stderr, process.stdout]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
  }
  try {
    const output = join(directory, 'compose.yaml');
    compose({ main, proxy: undefined, output, httpPort: 8080, httpsPort: 8443 });
  } finally {
    jest.restoreAllMocks();
  }
  const files = join(directory, '.fairlead/compose/edge');
  expect(readFileSync(join(files, 'nginx.conf'), 'utf8')).toContain(
    'auth_basic_user_file "/etc/nginx/fairlead/auth/secrets/admins/auth"',
  );
  const copy = join(files, 'auth/secrets/admins/auth');
  expect(readFileSync(copy, 'utf8')).toBe(passwordLine('ada', 'correct horse'));
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(written.join('')).toContain(missing);
  for (const script of ['access-tokens.mjs', 'auth-variables.mjs']) {
    expect(readFileSync(join(files, script), 'utf8')).toContain('export default');
  }
  expect(written.join('')).toContain(missingAuthority);
  const conf = readFileSync(join(files, 'nginx.conf'), 'utf8');
  expect(conf.match(/ssl_client_certificate .*;/g)).toEqual([
    'ssl_client_certificate "/etc/nginx/fairlead/auth/secrets/partners/ca.crt";',
  ]);
  expect(readFileSync(join(files, 'auth/secrets/partners/ca.crt'), 'utf8')).toBe(partners.certificate);
});
