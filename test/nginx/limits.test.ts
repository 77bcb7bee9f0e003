import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { Match } from '../../model/routes/matching';
import { until } from '../until';
import { http2Session, statusOver } from './support/http2';
import { proxyModel, RouteParts } from './support/models';
import { OneInstance, startWithOneInstance } from './support/one-instance';

const limits = {
  ...proxyModel().budget,
  connections: 8,
  connectionsPerClient: 5,
  requests: 4,
  requestsPerClient: 3,
  streams: 2,
};
const unlimitedClients = ['127.0.0.1/32'];
const chosenStream = { path: '/chosen', when: Match.header('X-Stream', 'yes'), streamTimeout: 3600 };

const few: readonly RouteParts[] = [
  { path: '/few', maxConnectionsPerClient: 1 },
  { path: '/few-events', maxConnectionsPerClient: 1, streamTimeout: 3600 },
];

let system: OneInstance;
const open: { destroy(): unknown }[] = [];
/** Ends what the API holds. */
const held: (() => void)[] = [];

beforeAll(async () => {
  system = await startWithOneInstance(
    { budget: limits, unlimitedClients, routes: [{}, { path: '/events', streamTimeout: 3600 }, chosenStream, ...few] },
    (request, response) => {
      request.resume();
      if (/^\/(held|events|chosen|few)/.test(request.url ?? '')) held.push(() => response.end('held'));
      else request.on('end', () => response.end('ok'));
    },
  );
});

afterEach(async () => {
  held.splice(0).forEach((end) => {
    end();
  });
  open.splice(0).forEach((socket) => socket.destroy());
  await until(async () => (await system.nginx.get({}).catch(() => undefined))?.status === 200, 'room again');
});

/** A TCP connection from an address of this machine; resolves to it, and tells when the other side has closed it. */
async function connection(
  localAddress: string,
  port = system.nginx.place.httpsPort,
): Promise<{ socket: Socket; closed: boolean }> {
  const socket = connect({ host: '127.0.0.1', port, localAddress });
  open.push(socket);
  const state = { socket, closed: false };
  socket.on('error', () => undefined);
  socket.on('close', () => (state.closed = true));
  socket.resume();
  await once(socket, 'connect');
  return state;
}

async function handshake(localAddress: string): Promise<TLSSocket> {
  const { nginx } = system;
  const { socket } = await connection(localAddress);
  const secure = connectTls({ socket, servername: nginx.host, rejectUnauthorized: false });
  secure.on('error', () => undefined);
  await once(secure, 'secureConnect');
  return secure;
}

function get(localAddress: string, path = '/'): ReturnType<OneInstance['nginx']['get']> {
  return system.nginx.get({ localAddress, path });
}

const logged = (line: RegExp): Promise<true> =>
  until(() => line.test(system.nginx.errors) && (true as const), String(line));

const answeredHeld = (count: number): Promise<true> =>
  until(() => held.length >= count && true, `${count} held requests`);

describe('connections', () => {
  test('a client that has as many as it may gets no other, whatever its connections do; others do', async () => {
    const { nginx } = system;
    await connection('127.0.0.2');
    await connection('127.0.0.2', nginx.place.httpPort);
    (await connection('127.0.0.2')).socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    (await handshake('127.0.0.2')).write('GET / HTTP/1.1\r\nHost: ');
    await handshake('127.0.0.2');

    const sixth = await connection('127.0.0.2');
    await until(() => sixth.closed, 'the connection to be closed');
    expect((await get('127.0.0.3')).status).toBe(200);
    await logged(/limiting connections by zone "connections_of_client".*127\.0\.0\.2/);
  });

  test('beyond those of all clients there is room for probes', async () => {
    for (const client of ['127.0.0.2', '127.0.0.3']) {
      for (let index = 0; index < 4; index += 1) await connection(client);
    }
    const ninth = await connection('127.0.0.1');
    await until(() => ninth.closed, 'the connection to be closed');
    const { nginx } = system;
    expect((await nginx.get({ port: nginx.place.probePort, path: '/healthz' })).status).toBe(200);
    await logged(/limiting connections by zone "connections"/);
  });

  test('one that has ended makes room for another', async () => {
    for (let index = 0; index < 5; index += 1) await connection('127.0.0.2');
    open.pop()?.destroy();
    await until(async () => (await get('127.0.0.2').catch(() => undefined))?.status === 200, 'room for another');
  });

  test('an address that may be that of many clients is not limited as one', async () => {
    for (let index = 0; index < 6; index += 1) await connection('127.0.0.1');
    expect((await get('127.0.0.1')).status).toBe(200);
  });
});

describe('requests', () => {
  test('one more than fit is answered 503 at once, and says when to come again', async () => {
    const answers = [1, 2, 3, 4].map(() => get('127.0.0.1', '/held'));
    await answeredHeld(4);
    const refused = await get('127.0.0.1');
    expect(refused.status).toBe(503);
    expect(refused.headers).toMatchObject({ 'retry-after': '1', 'content-type': 'application/json' });
    expect(JSON.parse(refused.body)).toMatchObject({
      error: 'Service Unavailable',
      requestId: expect.any(String) as string,
    });
    await logged(/limiting connections by zone "requests"/);
    held.splice(0).forEach((end) => {
      end();
    });
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test('a client has a part of them, of which each stream of HTTP/2 is one', async () => {
    const session = http2Session(system.nginx, '127.0.0.2');
    const answers = [1, 2, 3].map(() => statusOver(session, '/held'));
    await answeredHeld(3);
    expect(await statusOver(session, '/')).toBe(503);
    expect((await get('127.0.0.3')).status).toBe(200);
    held.splice(0).forEach((end) => {
      end();
    });
    expect(await Promise.all(answers)).toEqual([200, 200, 200]);
  });

  test('those of a route that streams have a count of their own', async () => {
    const streams = [get('127.0.0.1', '/events'), get('127.0.0.1', '/events/orders')];
    await answeredHeld(2);
    expect((await get('127.0.0.1', '/events')).status).toBe(503);
    expect((await get('127.0.0.1')).status).toBe(200);
    held.splice(0).forEach((end) => {
      end();
    });
    expect((await Promise.all(streams)).map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe('requests of a route that a condition chose', () => {
  test('are counted once, as those of any other', async () => {
    const streams = [1, 2].map(() => system.nginx.get({ path: '/chosen', headers: { 'x-stream': 'yes' } }));
    await answeredHeld(2);
    expect((await system.nginx.get({ path: '/chosen', headers: { 'x-stream': 'yes' } })).status).toBe(503);
    const others = [1, 2, 3, 4].map(() => get('127.0.0.1', '/chosen'));
    await answeredHeld(6);
    expect((await get('127.0.0.1', '/chosen')).status).toBe(503);
    held.splice(0).forEach((end) => {
      end();
    });
    const answers = await Promise.all([...streams, ...others]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });
});

describe('requests of a client on a route', () => {
  test.each(['/few', '/few-events'])(
    'of %s are no more than it says, while other clients and routes have their own',
    async (path) => {
      const first = get('127.0.0.2', path);
      await answeredHeld(1);
      const refused = await get('127.0.0.2', `${path}/below`);
      expect([refused.status, refused.headers['retry-after'], JSON.parse(refused.body)]).toMatchObject([
        503,
        '1',
        { error: 'Service Unavailable' },
      ]);
      await logged(
        new RegExp(`limiting connections by zone "client_on_${path.slice(1).replace('-', '_')}".*127\\.0\\.0\\.2`),
      );
      const other = get('127.0.0.3', path);
      await answeredHeld(2);
      expect((await get('127.0.0.2')).status).toBe(200);
      held.splice(0).forEach((end) => {
        end();
      });
      expect((await Promise.all([first, other])).map(({ status }) => status)).toEqual([200, 200]);
    },
  );

  test('are bounded as those of any other route, and not those of an address of many clients', async () => {
    const streams = [1, 2].map(() => get('127.0.0.1', '/few-events'));
    const requests = [1, 2, 3, 4].map(() => get('127.0.0.1', '/few'));
    await answeredHeld(6);
    expect((await get('127.0.0.1', '/few-events')).status).toBe(503);
    expect((await get('127.0.0.1', '/few')).status).toBe(503);
    held.splice(0).forEach((end) => {
      end();
    });
    expect(new Set((await Promise.all([...streams, ...requests])).map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('heads and bodies', () => {
  const tooLarge = { 'x-first': 'a'.repeat(6000), 'x-second': 'b'.repeat(6000), 'x-third': 'c'.repeat(6000) };

  test('answers 431 to a head that Node would not take', async () => {
    const answer = await system.nginx.get({ headers: { ...tooLarge, 'x-request-id': 'too-large' } });
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([431, { error: 'Request Header Fields Too Large' }]);
    expect(system.api.requests.map(({ headers }) => headers['x-request-id'])).not.toContain('too-large');
  });

  test('ends a connection of HTTP/2 whose head Node would not take, as nginx has no answer for it', async () => {
    const session = http2Session(system.nginx);
    const stream = session.request({ ':path': '/', ...tooLarge });
    stream.on('error', () => undefined);
    const [error] = (await once(session, 'error')) as [Error];
    // ENHANCE_YOUR_CALM (RFC 9113, 7)
    expect(error.message).toContain('error code 11');
  });

  test('the largest head that nginx takes is taken by the API too', async () => {
    const headers = { accept: 'c'.repeat(300), cookie: 'a'.repeat(7000), authorization: 'b'.repeat(7000) };
    expect((await system.nginx.get({ headers })).status).toBe(200);
  });

  test('a body that waits in a file is not worth a line in the log', async () => {
    const { errors } = system.nginx;
    const answer = await system.nginx.get({ method: 'POST', path: '/?token=secret', body: 'x'.repeat(200_000) });
    expect(answer.status).toBe(200);
    expect(system.nginx.errors.slice(errors.length)).toBe('');
  });
});
