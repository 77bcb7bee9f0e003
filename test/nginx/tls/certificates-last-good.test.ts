import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { KeyPair } from '../../../certificates/key-pair';
import { timeline } from '../../../model/timeline';
import { until } from '../../until';
import { keyAs, keyPair } from './key-pairs';
import { proxyModel } from '../support/models';
import { startWithOneInstance } from '../support/one-instance';
import { isHealthy, oftenLooking, RealNginx, RealNginxStart } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { StubDns } from '../support/stub-dns';

jest.setTimeout(60_000);

interface State {
  readonly served: { readonly generation: string; readonly notBefore: string; readonly notAfter: string } | null;
  readonly refused: { readonly generation: string; readonly problem: string } | null;
  readonly checked: string | null;
}

let store: string;
let nginx: RealNginx | undefined;

beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
});

afterEach(async () => {
  await nginx?.stop();
  nginx = undefined;
  rmSync(store, { recursive: true, force: true });
});

async function start(options: RealNginxStart = {}, certificateStore = store): Promise<RealNginx> {
  const proxy = proxyModel({ timeline: timeline({ certificateValid: '1s' }) });
  nginx = await RealNginx.start(
    proxy,
    { certificateStore },
    {
      ...options,
      change: (conf) => oftenLooking((options.change ?? String)(conf)),
    },
  );
  return nginx;
}

async function stateOf(running: RealNginx): Promise<State> {
  const { body } = await running.get({ port: running.place.probePort, path: '/certificate' });
  return JSON.parse(body) as State;
}

test('says nothing of the certificate to whom is not in the pod', async () => {
  const running = await start();
  const outside = await running.get({ port: running.place.probePort, path: '/certificate', localAddress: '127.0.0.2' });
  expect(outside.status).toBe(403);
  expect(outside.body).not.toContain('notAfter');
  expect(await stateOf(running)).toMatchObject({ refused: null });
});

/** The serial number that a whole handshake shows. */
async function served({ place }: RealNginx, port = place.httpsPort, servername = 'localhost'): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

function serial({ certificate }: KeyPair): string {
  return new X509Certificate(certificate).serialNumber;
}

/** What our own script wrote, without the resolver's complaints. */
function logged(running: RealNginx): string[] {
  return running.errors.split('\n').flatMap((line) => /certificate: .*/.exec(line) ?? []);
}

async function untilRefused(running: RealNginx): Promise<string> {
  return until(async () => (await stateOf(running)).refused?.problem, 'the pair to be refused');
}

/** Enough for a second line in the log, if there were one. */
async function twoMoreChecks(running: RealNginx): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    const { checked } = await stateOf(running);
    await until(async () => (await stateOf(running)).checked !== checked, 'another check');
  }
}

test('a renewed pair is served, and no handshake of a continuous series fails', async () => {
  const [first, second, third] = [await keyPair(), await keyPair(), await keyPair({ keyType: 'rsa' })];
  const running = await start({ pair: first });
  let renewing = true;
  const shown = new Set<string>();
  const series = Array.from({ length: 4 }, async () => {
    while (renewing) {
      shown.add(await served(running));
      await delay(5);
    }
  });
  try {
    for (const pair of [second, third]) {
      running.renewCertificate(pair);
      await until(() => shown.has(serial(pair)), 'the renewed certificate');
    }
  } finally {
    renewing = false;
  }
  await Promise.all(series);
  expect([...shown]).toEqual([first, second, third].map(serial));
  expect(logged(running)).toEqual([]);
});

const good = keyPair();

const broken: [string, () => KeyPair | Promise<KeyPair>, RegExp][] = [
  ['text that is not a certificate', () => ({ certificate: 'no\n', privateKey: 'no\n' }), /OpenSSL: .*no start line/],
  [
    'a certificate that is cut off',
    async () => {
      const { certificate, privateKey } = await good;
      return { certificate: certificate.slice(0, 200), privateKey };
    },
    /is refused by OpenSSL: .*tls\.crt/,
  ],
  ['empty files', () => ({ certificate: '', privateKey: '' }), /OpenSSL: .*no start line/],
  [
    'a key of another certificate',
    async () => ({ certificate: (await keyPair()).certificate, privateKey: (await keyPair()).privateKey }),
    /OpenSSL: .*key values mismatch/,
  ],
  [
    'a key of another kind',
    async () => ({
      certificate: (await keyPair()).certificate,
      privateKey: (await keyPair({ keyType: 'rsa' })).privateKey,
    }),
    /OpenSSL: .*no shared cipher/,
  ],
  ['an expired certificate', () => keyPair({ notBefore: -9, notAfter: -1 }), /^expired on \d{4}-.*Z$/],
  ['a certificate of the future', () => keyPair({ notBefore: 1 }), /^is not valid before \d{4}-.*Z$/],
];

test.each(broken)('%s: the old pair is served on, and one line says why', async (_, pair, problem) => {
  const [first, repaired] = [await keyPair(), await keyPair()];
  const running = await start({ pair: first });
  const { served: before } = await stateOf(running);
  running.renewCertificate(await pair());
  expect(await untilRefused(running)).toMatch(problem);
  for (const port of [running.place.httpsPort, running.place.probePort]) {
    expect(await served(running, port)).toBe(serial(first));
  }
  expect(await stateOf(running)).toMatchObject({ served: before });
  expect((await running.get({ port: running.place.probePort, path: '/healthz' })).status).toBe(200);

  await twoMoreChecks(running);
  running.renewCertificate(repaired);
  await until(async () => (await served(running)) === serial(repaired), 'the repaired pair');
  expect((await stateOf(running)).refused).toBeNull();
  await until(
    () => logged(running).at(-1)?.includes('holds a good pair again, which is served now'),
    'a line about the repaired pair',
  );
  const refusals = logged(running).filter((line) => line.includes('last good pair is still served, valid until'));
  expect(refusals).toHaveLength(1);
});

test('what was refused is not judged again, and the pair that is served may come back', async () => {
  const first = await keyPair();
  const running = await start({ pair: first });
  running.renewCertificate({ certificate: 'no\n', privateKey: 'no\n' });
  await untilRefused(running);
  const lookedAt = statSync(join(store, 'check.log')).mtimeMs;
  await twoMoreChecks(running);
  running.renewCertificate(first);
  await until(async () => (await stateOf(running)).refused === null, 'the old pair');
  expect(statSync(join(store, 'check.log')).mtimeMs).toBe(lookedAt);
  // The state is written before the line about it.
  await until(() => logged(running).length > 1, 'a line about the old pair');
  expect(logged(running)).toHaveLength(2);
  expect(await served(running)).toBe(serial(first));
});

test.each(broken)('%s: a new proxy is never ready', async (_, pair, problem) => {
  const running = await start({
    pair: await pair(),
    ready: async (started) => {
      if (!logged(started).some((line) => line.includes('there is no good pair yet'))) throw new Error('not judged');
      await Promise.resolve();
    },
  });
  for (const path of ['/healthz', '/startup']) {
    const status = await running.get({ port: running.place.probePort, path }).then(
      (answer) => answer.status,
      () => 'no handshake',
    );
    expect([503, 'no handshake']).toContain(status);
  }
  expect(logged(running).join()).toMatch(new RegExp(problem.source.replaceAll(/[$^]/g, '')));
  const repaired = await keyPair();
  running.renewCertificate(repaired);
  await until(
    () =>
      isHealthy(running).then(
        () => true,
        () => false,
      ),
    'the proxy to be ready',
  );
  expect(await served(running)).toBe(serial(repaired));
});

test('an expired certificate keeps a new proxy of several backends from being ready, though they answer', async () => {
  const dns = await StubDns.start();
  const api = await StubApi.start('one', (_request, response) => response.end('ok'));
  dns.instances = [api.instance];
  const proxy = proxyModel({
    backends: [{ name: 'orders' }, { name: 'catalog' }],
    routes: [{ target: 'orders' }, { path: '/catalog', target: 'catalog' }],
  });
  const pair = await keyPair({ notBefore: -9, notAfter: -1 });
  const place = { certificateStore: store, resolvers: [dns.server] };
  nginx = await RealNginx.start(proxy, place, {
    pair,
    ready: async (started) => {
      await started.untilAnswered(({ status }) => status === 200, { path: '/catalog' });
    },
  });
  const startup = await nginx.get({ port: nginx.place.probePort, path: '/startup' });
  expect([startup.status, startup.headers['x-instance']]).toEqual([503, undefined]);
});

test.each(['is ended', 'is killed'])('a container that %s finds the last good pair in its store', async (end) => {
  const first = await keyPair();
  const before = await start({ pair: first });
  await until(() => readdirSync(store).includes('state.json'), 'nginx to keep its state');
  // What a killed nginx leaves is what is there at any moment.
  const left = `${store}-left`;
  cpSync(store, left, { recursive: true });
  await before.stop();
  const [kept, other] = end === 'is killed' ? [left, store] : [store, left];
  rmSync(other, { recursive: true });
  if (kept !== store) renameSync(kept, store);
  const running = await start({
    pair: { certificate: 'no\n', privateKey: 'no\n' },
    ready: async (started) => {
      expect(await served(started)).toBe(serial(first));
    },
  });
  expect(await untilRefused(running)).toContain('no start line');
  expect(await served(running)).toBe(serial(first));
  expect((await running.get({ port: running.place.probePort, path: '/healthz' })).status).toBe(200);
});

test.each<[string, () => Promise<KeyPair>]>([
  ['RSA, PKCS #1', async () => keyAs('pkcs1', await keyPair({ keyType: 'rsa' }))],
  ['RSA, PKCS #8', async () => keyAs('pkcs8', await keyPair({ keyType: 'rsa' }))],
  ['ECDSA, SEC 1', async () => keyAs('sec1', await keyPair())],
  ['ECDSA, PKCS #8', async () => keyAs('pkcs8', await keyPair())],
  ['valid until 2120', async () => keyPair({ notAfter: 94 * 365 })],
  [
    "several certificates, of which the first is the server's, and text between them",
    async () => {
      const { certificate, privateKey } = await keyPair();
      const issuer = await keyPair({ notAfter: -0.5 });
      return { certificate: `subject=localhost\n${certificate}\nissuer\n${issuer.certificate}`, privateKey };
    },
  ],
  [
    'Windows line ends',
    async () => {
      const { certificate, privateKey } = await keyPair();
      return {
        certificate: certificate.replaceAll(/\r?\n/g, '\r\n'),
        privateKey: privateKey.replaceAll(/\r?\n/g, '\r\n'),
      };
    },
  ],
])('%s: is served, and its dates are known', async (_, make) => {
  const pair = await make();
  const running = await start({ pair });
  expect(await served(running)).toBe(serial(pair));
  const { validFrom, validTo } = new X509Certificate(pair.certificate);
  expect(await stateOf(running)).toMatchObject({
    served: { notBefore: new Date(validFrom).toISOString(), notAfter: new Date(validTo).toISOString() },
    refused: null,
  });
});

test.each(['njs', 'qjs'])('both engines of njs run it: %s', async (engine) => {
  const running = await start({ change: (conf) => conf.replace('js_import', `js_engine ${engine};\n  js_import`) });
  running.renewCertificate({ certificate: 'no\n', privateKey: 'no\n' });
  expect(await untilRefused(running)).toContain('no start line');
  const repaired = await keyPair();
  running.renewCertificate(repaired);
  await until(async () => (await served(running)) === serial(repaired), 'the repaired pair');
});

test('the last good pair is served on after its own end, which is logged once', async () => {
  const first = await keyPair({ notAfter: 3 / 86_400 });
  const running = await start({ pair: first });
  running.renewCertificate({ certificate: 'no\n', privateKey: 'no\n' });
  const expired = (): string[] => logged(running).filter((line) => line.includes('that is served expired on'));
  await until(() => expired().length > 0, 'the end of the certificate');
  expect(await served(running)).toBe(serial(first));
  running.renewCertificate(first);
  await until(async () => (await stateOf(running)).refused === null, 'the same pair');
  expect(expired()).toHaveLength(1);
});

test('a Secret without a key is refused, and is read again', async () => {
  const first = await keyPair();
  const running = await start({ pair: first });
  rmSync(join(running.place.certificateDirectory, '..data', 'tls.key'));
  expect(await untilRefused(running)).toMatch(/^cannot be read: /);
  expect(await served(running)).toBe(serial(first));
});

test('keys are for nginx alone, and no more than two pairs are kept', async () => {
  const running = await start({ pair: await keyPair() });
  for (let round = 0; round < 3; round += 1) {
    const pair = await keyPair();
    running.renewCertificate(pair);
    await until(async () => (await served(running)) === serial(pair), 'the renewed pair');
  }
  const pairs = await until(() => {
    const kept = readdirSync(store).filter((name) => /^[0-9a-f]{16}$/.test(name));
    return kept.length === 2 && kept;
  }, 'older pairs to be removed');
  for (const pair of pairs) {
    expect(statSync(join(store, pair)).mode & 0o777).toBe(0o700);
    for (const file of ['tls.crt', 'tls.key']) expect(statSync(join(store, pair, file)).mode & 0o777).toBe(0o600);
  }
  await until(() => readdirSync(store).includes('state.json'), 'nginx to keep its state');
  expect(readFileSync(join(store, 'state.json'), 'utf8')).not.toContain('PRIVATE');
});

test.each(['a b', '$host', '${x', '%24', `"'`, '\\', ';{}#', 'ä😀'])('a directory may be called %j', async (name) => {
  const [secret, kept, others] = ['secret', 'store', 'others'].map((of) => join(store, `${of} ${name}`)) as [
    string,
    string,
    string,
  ];
  mkdirSync(kept);
  const [pair, ofHost] = [await keyPair(), await keyPair()];
  const host = 'a.example.com';
  nginx = await RealNginx.start(
    proxyModel({ hosts: [{}, { names: [host], certificate: host }] }),
    { certificateStore: kept, certificateDirectory: secret, hostCertificatesDirectory: others },
    { pair, hostPairs: { [host]: ofHost } },
  );
  expect(await served(nginx)).toBe(serial(pair));
  expect(await served(nginx, nginx.place.httpsPort, host)).toBe(serial(ofHost));
  expect(readdirSync(kept)).toContain((await stateOf(nginx)).served?.generation);
});

test('a new proxy is started once it has a good pair and reaches the API', async () => {
  const system = await startWithOneInstance({}, undefined, { certificateStore: store });
  const { probePort } = system.nginx.place;
  expect((await system.nginx.get({ port: probePort, path: '/startup' })).status).toBe(200);
  await system.stop();
});
