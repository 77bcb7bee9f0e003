import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, ConnectionOptions } from 'node:tls';
import { KeyPair } from '../../../certificates/key-pair';
import { timeline } from '../../../model/timeline';
import { onFileFinished, onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { keyPair } from './key-pairs';
import { proxyModel } from '../support/models';
import { oftenLooking, RealNginx, RealNginxStart } from '../support/real-nginx';
import { SeveralBackends, startWithBackends } from '../support/several-backends';

/** That of the proxy for two hosts, one for two others, and two for a single host each. */
const [shop, www, admin, staff, api] = [
  'shop.example.com',
  'www.example.com',
  'admin.example.com',
  'staff.example.com',
  'api-2.example.com',
] as const;
const hosts = [
  { names: [shop] },
  { names: [www] },
  { names: [admin], certificate: admin },
  { names: [staff], certificate: admin },
  { names: [api], certificate: api },
  // A word of nginx's own in a map.
  { names: ['default'], certificate: 'default' },
] as const;

interface Started {
  readonly system: SeveralBackends;
  readonly store: string;
}

/** nginx that looks at its Secrets often. */
async function start(
  options: RealNginxStart = {},
  place: { certificatePatience?: number } = {},
  store = newStore(),
): Promise<Started> {
  const parts = { hosts, timeline: timeline({ resolverValid: '1s', dnsCacheTtl: '0s', certificateValid: '1s' }) };
  const system = await startWithBackends(parts, { certificateStore: store, ...place }, undefined, {
    ...options,
    change: (conf) => oftenLooking((options.change ?? String)(conf)),
  });
  onTestFinished(system.stop);
  return { system, store };
}

function newStore(): string {
  const store = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
  onFileFinished(() => {
    rmSync(store, { recursive: true, force: true });
  });
  return store;
}

interface Handshake {
  /** Undefined if a session was resumed: no certificate is shown then. */
  readonly serial: string | undefined;
  readonly hosts: string | undefined;
  readonly isResumed: boolean;
  readonly session: Buffer;
}

/** A handshake, and a request that lets the session of TLS 1.3 arrive. */
async function handshake(nginx: RealNginx, servername: string, options: ConnectionOptions = {}): Promise<Handshake> {
  const port = nginx.place.httpsPort;
  const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on('session', (given: Buffer) => (session = given));
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerCertificate() as {
    readonly serialNumber?: string;
    readonly subjectaltname?: string;
  };
  const isResumed = socket.isSessionReused();
  socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
  socket.resume();
  await once(socket, 'end');
  const kept = session ?? options.session;
  if (kept === undefined) throw new Error('no session');
  return { serial: certificate.serialNumber, hosts: certificate.subjectaltname, isResumed, session: kept };
}

function serialOf({ certificate }: KeyPair): string {
  return new X509Certificate(certificate).serialNumber;
}

async function serialFor(nginx: RealNginx, host: string): Promise<string | undefined> {
  return (await handshake(nginx, host)).serial;
}

/** The certificate that the port of the probes shows. */
function probed(nginx: RealNginx, path: string): ReturnType<RealNginx['get']> {
  return nginx.get({ port: nginx.place.probePort, servername: '', path });
}

interface State {
  readonly served: { readonly generation: string } | null;
  readonly refused: { readonly problem: string } | null;
}

async function report(nginx: RealNginx): Promise<State & { readonly hosts: Readonly<Record<string, State>> }> {
  return JSON.parse((await probed(nginx, '/certificate')).body) as Awaited<ReturnType<typeof report>>;
}

async function untilRefused(nginx: RealNginx, name: string): Promise<string> {
  return until(async () => (await report(nginx)).hosts[name]?.refused?.problem, `the pair of ${name} to be refused`);
}

/** What the script says of certificates. */
function logged(nginx: RealNginx): string[] {
  return nginx.errors.split('\n').flatMap((line) => /certificate(?: of \S+)?: .*/.exec(line) ?? []);
}

const nothingGood: KeyPair = { certificate: 'no\n', privateKey: 'no\n' };

describe.each([
  ['which are looked at', true],
  ['which are read as they are, as on one machine', false],
])('Certificates of hosts, %s', (_, isStored) => {
  let nginx: RealNginx;
  let system: SeveralBackends;

  beforeAll(async () => {
    system = await startWithBackends({ hosts }, isStored ? { certificateStore: newStore() } : {});
    ({ nginx } = system);
  });

  afterAll(() => system.stop());

  test.each<[string, readonly string[]]>([
    [shop, [shop, www]],
    [www, [shop, www]],
    [admin, [admin, staff]],
    [staff, [admin, staff]],
    [api, [api]],
    ['default', ['default']],
    ['ADMIN.Example.COM', [admin, staff]],
    [`${api}.`, [api]],
  ])('%s gets the one of %j', async (servername, names) => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const shown = await handshake(nginx, servername, { maxVersion: version, minVersion: version });
      for (const name of names) expect(shown.hosts).toContain(`DNS:${name}`);
      for (const { names: others } of hosts.filter(({ names: [name] }) => !names.includes(name))) {
        expect(shown.hosts).not.toContain(others[0]);
      }
    }
    const host = servername.toLowerCase().replace(/\.$/, '');
    expect((await nginx.get({ servername, headers: { host } })).status).toBe(200);
  });

  test.each(['evil.example', 'example.com', 'a.admin.example.com', ''])(
    '%j in the handshake gets none',
    async (name) => {
      await expect(nginx.get({ servername: name })).rejects.toThrow(/unrecognized name/);
    },
  );

  test('the port of the probes shows that of the proxy, which it has no name for', async () => {
    const port = nginx.place.probePort;
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    expect(socket.getPeerCertificate().subjectaltname).toContain(`DNS:${shop}`);
    socket.destroy();
  });

  test.each([
    [shop, www],
    [admin, staff],
  ])('%s and %s have one, and so connections in common', async (servername, host) => {
    expect((await nginx.get({ servername, headers: { host } })).status).toBe(200);
    expect((await nginx.get({ servername: host, headers: { host: servername } })).status).toBe(200);
  });

  test.each([
    [shop, admin],
    [shop, api],
    [admin, shop],
    [staff, www],
    [admin, api],
    [api, shop],
  ])(
    'on a connection for %s, a request for %s is answered 421, as JSON, and reaches no API',
    async (servername, host) => {
      const before = system.apis.api?.requests.length;
      const answer = await nginx.get({ servername, headers: { host }, method: 'POST', body: 'a' });
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([421, { error: 'Misdirected Request' }]);
      expect(system.apis.api?.requests).toHaveLength(before ?? -1);
    },
  );

  test('an HTTP/2 connection goes on after a 421, which its client may send again on another one', async () => {
    const session = connectHttp2(`https://${admin}`, {
      createConnection: () =>
        connect({
          host: '127.0.0.1',
          port: nginx.place.httpsPort,
          servername: admin,
          rejectUnauthorized: false,
          ALPNProtocols: ['h2'],
        }),
    });
    onTestFinished(() => {
      session.destroy();
    });
    const statuses = await Promise.all(
      [admin, shop, staff, api, 'evil.example', admin].map(async (authority) => {
        const stream = session.request({ ':path': '/', ':authority': authority });
        const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
        stream.close();
        return headers[':status'];
      }),
    );
    expect(statuses).toEqual([200, 421, 200, 421, 421, 200]);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a session of %s is resumed for hosts of its certificate alone',
    async (version) => {
      const versions = { maxVersion: version, minVersion: version };
      for (const first of [shop, admin, api]) {
        const { session } = await handshake(nginx, first, versions);
        const certificate = hosts.find(({ names }) => names[0] === first);
        for (const host of hosts) {
          const again = await handshake(nginx, host.names[0], { ...versions, session });
          const isSame = JSON.stringify(certificate) === JSON.stringify({ ...host, names: certificate?.names });
          expect([first, host.names[0], again.isResumed]).toEqual([first, host.names[0], isSame]);
          if (!isSame) expect(again.hosts).toContain(`DNS:${host.names[0]}`);
        }
      }
    },
  );
});

test('one that is renewed is served, while the others stay as they are, and no handshake of a continuous series fails', async () => {
  const [ofProxy, first, second, ofApi] = [await keyPair(), await keyPair(), await keyPair(), await keyPair()];
  const { nginx } = (await start({ pair: ofProxy, hostPairs: { [admin]: first, [api]: ofApi } })).system;
  let renewing = true;
  const shown = new Map<string, Set<string | undefined>>([shop, admin, staff, api].map((host) => [host, new Set()]));
  const series = [...shown].map(async ([host, serials]) => {
    while (renewing) serials.add(await serialFor(nginx, host));
  });
  const end = (): void => {
    renewing = false;
  };
  const renew = async (): Promise<void> => {
    nginx.renewCertificate(second, admin);
    for (const host of [admin, staff]) {
      await until(() => !renewing || shown.get(host)?.has(serialOf(second)), 'the renewed certificate');
    }
  };
  await Promise.all([renew().finally(end), ...series]).finally(end);
  expect([...shown].map(([host, serials]) => [host, [...serials]])).toEqual([
    [shop, [serialOf(ofProxy)]],
    [admin, [serialOf(first), serialOf(second)]],
    [staff, [serialOf(first), serialOf(second)]],
    [api, [serialOf(ofApi)]],
  ]);
  expect(logged(nginx)).toEqual([]);
});

test.each(['njs', 'qjs'])(
  'one that breaks takes nothing away, and keeps no other from being renewed, with the engine %s',
  async (engine) => {
    const [ofProxy, first, ofApi] = [await keyPair(), await keyPair(), await keyPair()];
    const { nginx } = (
      await start({
        pair: ofProxy,
        hostPairs: { [admin]: first, [api]: ofApi },
        change: (conf) => conf.replace('js_import', `js_engine ${engine};\n  js_import`),
      })
    ).system;
    nginx.renewCertificate(nothingGood, admin);
    expect(await untilRefused(nginx, admin)).toContain('no start line');
    expect(await serialFor(nginx, admin)).toBe(serialOf(first));
    expect(await report(nginx)).toMatchObject({ refused: null, hosts: { [api]: { refused: null } } });
    for (const path of ['/healthz', '/startup']) expect((await probed(nginx, path)).status).toBe(200);

    const [renewedOfProxy, renewedOfApi, repaired] = [await keyPair(), await keyPair(), await keyPair()];
    nginx.renewCertificate(renewedOfProxy);
    nginx.renewCertificate(renewedOfApi, api);
    await until(async () => (await serialFor(nginx, shop)) === serialOf(renewedOfProxy), 'that of the proxy');
    await until(async () => (await serialFor(nginx, api)) === serialOf(renewedOfApi), 'that of another host');
    expect(await serialFor(nginx, staff)).toBe(serialOf(first));

    nginx.renewCertificate(repaired, admin);
    await until(async () => (await serialFor(nginx, admin)) === serialOf(repaired), 'the repaired pair');
    await until(() => logged(nginx).length > 1, 'a line about the repaired pair');
    expect(logged(nginx)).toEqual([
      expect.stringMatching(
        /^certificate of admin\.example\.com: the pair in the Secret is refused .*; the last good pair is still served, valid until 2/,
      ),
      expect.stringContaining(
        'certificate of admin.example.com: the Secret holds a good pair again, which is served now',
      ),
    ]);
  },
);

const bad: [string, () => Promise<KeyPair | undefined>, RegExp][] = [
  ['is not there', () => Promise.resolve(undefined), /cannot be read/],
  ['is broken', () => Promise.resolve(nothingGood), /no start line/],
  ['has expired', () => keyPair({ notBefore: -9, notAfter: -1 }), /expired on/],
];

test.each(bad)(
  'a new proxy one of whose certificates %s waits for it, as an older one may have the last good pair',
  async (_, pair, problem) => {
    const { nginx } = (await start({ hostPairs: { [admin]: await pair() } }, { certificatePatience: 600 })).system;
    expect(await untilRefused(nginx, admin)).toMatch(problem);
    expect((await probed(nginx, '/startup')).status).toBe(503);
    expect(logged(nginx)).toEqual([
      expect.stringMatching(/^certificate of admin\.example\.com: .* for which a new proxy waits until 2/),
    ]);
    // What already is ready stays so.
    expect((await probed(nginx, '/healthz')).status).toBe(200);
    nginx.renewCertificate(await keyPair(), admin);
    await until(async () => (await probed(nginx, '/startup')).status === 200, 'the proxy to be started');
  },
);

test.each(bad)(
  'a new proxy one of whose certificates %s serves its other hosts when it has waited, and shows no other certificate',
  async (_, pair) => {
    const { nginx } = (await start({ hostPairs: { [admin]: await pair() } }, { certificatePatience: 1 })).system;
    await until(async () => (await probed(nginx, '/startup')).status === 200, 'the proxy to be started');
    for (const host of [admin, staff]) await expect(handshake(nginx, host)).rejects.toThrow(/alert/);
    for (const host of [shop, www, api]) {
      expect((await nginx.get({ servername: host, headers: { host } })).status).toBe(200);
    }
    await until(() => logged(nginx).length > 1, 'a line that says so');
    expect(logged(nginx).at(-1)).toContain(
      'certificate of admin.example.com: no good pair has come: this proxy serves its other hosts',
    );
    const repaired = await keyPair();
    nginx.renewCertificate(repaired, admin);
    await until(
      async () => (await serialFor(nginx, admin).catch(() => undefined)) === serialOf(repaired),
      'the repaired pair',
    );
    expect(await serialFor(nginx, staff)).toBe(serialOf(repaired));
  },
);

test('without a good one of its own a new proxy is never ready, however good those of hosts are', async () => {
  const nginx = await RealNginx.start(
    proxyModel({ hosts }),
    { certificateStore: newStore() },
    {
      pair: nothingGood,
      ready: async (started) => {
        expect(await serialFor(started, api)).toBeDefined();
        expect(logged(started)).toEqual([
          expect.stringMatching(/^certificate: .*; there is no good pair yet, and this proxy is not ready/),
        ]);
      },
    },
  );
  onTestFinished(() => nginx.stop());
  for (const path of ['/healthz', '/startup']) await expect(probed(nginx, path)).rejects.toThrow(/alert/);
});

test('a container that starts again finds the last good one of a host in its store, for nginx alone', async () => {
  const first = await keyPair();
  const { system, store } = await start({ hostPairs: { [admin]: first } });
  await until(() => readdirSync(store).includes('state.json'), 'nginx to keep its state');
  await system.stop();
  const [generation = ''] = readdirSync(join(store, 'hosts', admin));
  for (const path of ['hosts', `hosts/${admin}`, `hosts/${admin}/${generation}`]) {
    expect(statSync(join(store, path)).mode & 0o777).toBe(0o700);
  }
  expect(statSync(join(store, 'hosts', admin, generation, 'tls.key')).mode & 0o777).toBe(0o600);

  const again = await start({ hostPairs: { [admin]: nothingGood } }, { certificatePatience: 600 }, store);
  const { nginx } = again.system;
  expect(await untilRefused(nginx, admin)).toContain('no start line');
  expect(await serialFor(nginx, admin)).toBe(serialOf(first));
  expect((await probed(nginx, '/startup')).status).toBe(200);
});
