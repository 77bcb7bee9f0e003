import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compose } from '../../../local/compose';
import { type LocalDeployment, localDeployment } from '../../../local/deployment/deployment';
import { lookedUpHere, writeSystemAuthorities } from '../../../local/deployment/external-services';
import { onFileFinished } from '../../afterwards';
import { privateAuthority } from '../../nginx/tls/key-pairs';
import { echo } from '../../nginx/support/several-backends';
import { StubService } from '../../nginx/support/stub-service';
import { readComposeFile } from '../../local/compose-file';
import { expectNothingLeft, fairleads } from '../running-fairlead';
import { startOptions } from '../../local/typed-start';
import { writeMain } from './written-main';

jest.setTimeout(120_000);

const { start } = fairleads();
const missing =
  'payments is a Service of the cluster: its routes answer 503 here; give it local: { url: "http://localhost:3001" }';
let directory: string;
let authority: string;
let legacy: StubService;
let main: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-external-'));
  onFileFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const ca = await privateAuthority();
  authority = join(directory, 'ca.crt');
  writeFileSync(authority, ca.certificate);
  legacy = await StubService.start(await ca.issue('localhost'), echo('legacy'));
  const local = { url: `https://localhost:${legacy.port}/api`, certificateAuthority: authority };
  main = writeMain(join(directory, 'main.ts'), [
    `edge.addRoute('/legacy', ExternalService.fromUrl('https://legacy.example.com', ${JSON.stringify({ caSecret: 'legacy-ca', local })}),
      { requestHeaders: { 'X-Team': 'shop' } });`,
    `edge.addRoute('/payments', ExternalService.fromServiceName('payments'));`,
  ]);
});

async function servicesOf(file: string): Promise<LocalDeployment['externalServices']> {
  const options = startOptions(['--main', file]);
  return (await localDeployment(options)).externalServices;
}

test('a service is reached by its local URL, and one that is not here answers 503 and is told of', async () => {
  const shop = await start('--main', main, '--scale', '1');
  await shop.isUp();
  expect(shop.output).toContain(missing);
  const answer = await shop.get('/legacy/a?b=c');
  expect(JSON.parse(answer.body)).toMatchObject({
    backend: 'legacy',
    url: '/api/legacy/a?b=c',
    headers: { host: `localhost:${legacy.port}`, 'x-team': 'shop', 'x-forwarded-host': `localhost:${shop.httpsPort}` },
  });
  expect(await shop.get('/payments/7')).toMatchObject({
    status: 503,
    body: '{"error":"payments is not on this machine"}',
    headers: { 'content-type': 'application/json' },
  });
  shop.ctrlC();
  expect(await shop.exited).toBe(0);
  await expectNothingLeft(shop);
});

test('docker compose finds this machine by the name that a container has for it', () => {
  const output = join(directory, 'compose.yaml');
  const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  compose({ main, proxy: undefined, output, httpPort: 8080, httpsPort: 8443 });
  const lines = said.mock.calls.map(([line]) => line);
  jest.restoreAllMocks();
  expect(lines).toEqual([`${missing}\n`]);
  expect(readComposeFile(output)).toMatchObject({
    services: { edge: { extra_hosts: ['host.docker.internal:host-gateway'], depends_on: ['orders'] } },
  });
  const files = join(directory, '.fairlead/compose/edge');
  const conf = readFileSync(join(files, 'nginx.conf'), 'utf8');
  expect(conf).toContain(`server host.docker.internal:${legacy.port};`);
  expect(conf).toContain('proxy_ssl_name localhost;');
  const [, path = ''] = /proxy_ssl_trusted_certificate "\/etc\/nginx\/fairlead\/(.*)";/.exec(conf) ?? [];
  expect(readFileSync(join(files, path), 'utf8')).toBe(readFileSync(authority, 'utf8'));
});

test('a URL works as it is, by a name that this machine looks up', async () => {
  const services = await servicesOf(
    writeMain(join(directory, 'as-it-is.ts'), [
      `edge.addRoute('/a', ExternalService.fromUrl('https://legacy.example.com/api'));`,
      `edge.addRoute('/b', ExternalService.fromUrl('http://192.0.2.1:8080'));`,
      `edge.addRoute('/c', ExternalService.fromServiceName('payments', { local: { url: 'http://127.0.0.1:3001' } }));`,
    ]),
  );
  expect(services).toMatchObject({ names: ['localhost', 'legacy.example.com'], authorities: {}, missing: [] });
  const routes = services.hosts.flatMap((host) => host.routes);
  expect(routes.find(({ name }) => name === 'a')?.target).toMatchObject({
    pathPrefix: '/api',
    service: { host: 'legacy.example.com', port: 443, tls: { serverName: 'legacy.example.com' } },
  });
  expect(routes.find(({ name }) => name === 'b')?.target).toMatchObject({
    service: { host: '192.0.2.1', port: 8080, isFollowed: false, tls: undefined },
  });
  expect(routes.find(({ name }) => name === 'c')).toMatchObject({
    target: { service: { host: 'localhost', port: 3001, isFollowed: true } },
    requestHeaders: [['Host', '127.0.0.1:3001']],
  });
  const file = join(directory, 'system.crt');
  writeSystemAuthorities(services, file);
  expect(readFileSync(file, 'utf8')).toContain('-----BEGIN CERTIFICATE-----');
  const names = lookedUpHere(services, () => '192.0.2.9');
  expect(Object.keys(names)).toEqual(['localhost', 'legacy.example.com']);
  expect(await names.localhost?.()).toEqual(['192.0.2.9']);
});

test('a private CA that is in the cluster alone is told of', async () => {
  const file = writeMain(join(directory, 'secret.ts'), [
    `edge.addRoute('/a', ExternalService.fromUrl('https://legacy.example.com', { caSecret: 'legacy-ca' }));`,
  ]);
  const services = await servicesOf(file);
  writeSystemAuthorities(services, join(directory, 'none.crt'));
  expect(existsSync(join(directory, 'none.crt'))).toBe(false);
  expect(services).toMatchObject({
    names: [],
    missing: [
      'https://legacy.example.com has a CA that is in the Secret legacy-ca of the cluster: its routes answer 503 here; give it local: { certificateAuthority: "ca.crt" }',
    ],
  });
});

test('a file that is not there is refused with the name of its service', async () => {
  const file = writeMain(join(directory, 'no-file.ts'), [
    `edge.addRoute('/a', ExternalService.fromUrl('https://a.example.com', { local: { certificateAuthority: 'nowhere.crt' } }));`,
  ]);
  await expect(servicesOf(file)).rejects.toThrow(
    `https://a.example.com local.certificateAuthority: "nowhere.crt" is not a file: ${resolve('nowhere.crt')} was looked for`,
  );
});
