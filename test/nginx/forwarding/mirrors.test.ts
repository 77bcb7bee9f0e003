import { once } from 'node:events';
import { RequestListener, ServerResponse } from 'node:http';
import { Agent } from 'node:https';
import { WebSocket, WebSocketServer } from 'ws';
import { RequestKey } from '../../../model/load-balancing';
import { Match } from '../../../model/routes/matching';
import { RateLimit } from '../../../model/routes/rate-limit';
import { MirrorModel } from '../../../model/routes/route';
import { onFileFinished } from '../../afterwards';
import { until } from '../../until';
import { RouteParts } from '../support/models';
import { Answer, RealNginx } from '../support/real-nginx';
import { getByHttp2, SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubApi } from '../support/stub-api';

/** What a backend was sent. */
interface Received {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const received: Received[] = [];
/** Copies that nobody has answered yet. */
const held: ServerResponse[] = [];
/** What backends do with copies. */
const fates: Readonly<Record<string, RequestListener>> = {
  next: (_request, response) => response.end('dropped'),
  hung: (_request, response) => held.push(response),
  failing: (_request, response) => {
    response.statusCode = 500;
    response.end('failed');
  },
  breaking: (request) => request.socket.destroy(),
  dead: () => undefined,
};

/** Remembers what came, and answers what is no copy. */
function remembering(backend: string): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      received.push({ backend, method, url, headers, body: Buffer.concat(chunks).toString() });
      if (headers['x-mirrored'] === undefined) response.end(`answered by ${backend}`);
      else fates[backend]?.(request, response);
    });
  };
}

const mirror = (percent = 100, backend = 'next'): MirrorModel => ({ backend, percent, timeout: 1 });
const shares = ['api', 'other'].map((backend) => ({ backend, weight: 50 }));
const canary = Match.header('X-Canary', 'yes');
const routes: readonly RouteParts[] = [
  { mirror: mirror() },
  { path: '/some', mirror: mirror(25) },
  { path: '/rewritten', rewrite: '/api', mirror: mirror() },
  { path: '/chosen', when: canary, target: 'other', mirror: mirror() },
  { path: '/chosen' },
  { path: '/split', target: { kind: 'split', shares, stickyBy: RequestKey.header('X-Turn') }, mirror: mirror() },
  { path: '/gone', target: 'gone', mirror: mirror() },
  { path: '/limited', rateLimits: [RateLimit.perClient('1/m', { burst: 2 })], mirror: mirror() },
  { path: '/next', target: 'next' },
  { path: '/large', maxBodySize: 2 ** 22, mirror: mirror(), requestHeaders: [['X-Team', 'orders']] },
  ...Object.keys(fates).map((name) => ({ path: `/to-${name}`, mirror: mirror(100, name) })),
];

let system: SeveralBackends;
let nginx: RealNginx;
const webSockets = new WebSocketServer({ noServer: true });
const agent = new Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false });

beforeAll(async () => {
  const fallback = await StubApi.start('fallback', remembering('fallback'));
  const { address, port } = fallback.instance;
  const backends = ['api', 'other', ...Object.keys(fates)].map((name) => ({ name }));
  system = await startWithBackends(
    { unlimitedClients: [], backends: [...backends, { name: 'gone', fallback: `${address}:${port}` }], routes },
    {},
    remembering,
  );
  nginx = system.nginx;
  onFileFinished(() => {
    agent.destroy();
    for (const webSocket of webSockets.clients) webSocket.terminate();
  });
  system.apis.api?.on('upgrade', (incoming, socket) => {
    webSockets.handleUpgrade(incoming, socket, Buffer.alloc(0), (webSocket) => {
      webSocket.on('message', (data: Buffer) => {
        webSocket.send(`echo ${data.toString()}`);
      });
    });
  });
  // The upstreams of copies ask DNS for themselves.
  for (const name of Object.keys(fates).filter((each) => each !== 'dead')) {
    await until(async () => {
      await nginx.get({ path: `/to-${name}?known` });
      return received.some(({ backend, headers }) => backend === name && headers['x-mirrored'] === 'true');
    }, `${name} to be known`);
  }
  await Promise.all([system.apis.gone?.stop(), system.apis.dead?.stop()]);
});

/** What backends were sent with this in the URL, copies or what is none. */
function sent(mark: string, copies: boolean): Received[] {
  return received.filter(({ url, headers }) => url.includes(mark) && (headers['x-mirrored'] === 'true') === copies);
}

/** So many copies, once they are there. */
async function copies(mark: string, count: number): Promise<Received[]> {
  await until(() => sent(mark, true).length >= count, `${count} copies of ${mark}`);
  return sent(mark, true);
}

const whatWasAsked = ({ method, url, body }: Received): unknown => ({ method, url, body });
const byUrl = (a: Received, b: Received): number => (a.url < b.url ? -1 : 1);

describe('A copy', () => {
  test('has the method, path, headers and body of the request, and says that it is one', async () => {
    const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];
    const answers = await Promise.all(
      methods.map((method, index) =>
        nginx.get({
          ...{ agent, method, path: `/a%2Fb//c/?same=${index}&q=%20` },
          headers: { 'content-type': 'application/json', authorization: 'Bearer 1', 'x-request-id': `same-${index}` },
          ...(method === 'GET' ? {} : { body: JSON.stringify({ method }) }),
        }),
      ),
    );
    expect(answers.map(({ status, body }) => [status, body])).toEqual(methods.map(() => [200, 'answered by api']));
    const all = await copies('same=', methods.length);
    const requests = sent('same=', false);
    expect(all.sort(byUrl).map(whatWasAsked)).toEqual(requests.sort(byUrl).map(whatWasAsked));
    expect(all.map(({ method }) => method)).toEqual(methods);
    const [ofCopy, ofRequest] = [all[1]?.headers, requests[1]?.headers];
    expect(ofCopy).toEqual({ ...ofRequest, 'x-mirrored': 'true' });
    expect(all.map(({ backend }) => backend)).toEqual(methods.map(() => 'next'));
  });

  test('has a body that waited in a file, over HTTP/2 too, beyond what other routes take', async () => {
    const body = 'x'.repeat(3 * 2 ** 20);
    const byHttp1 = await nginx.get({ method: 'POST', path: '/large?body', body });
    const byHttp2 = await getByHttp2(nginx, { ':method': 'POST', ':path': '/large?body' }, body);
    expect([byHttp1.status, byHttp2.status]).toEqual([200, 200]);
    const all = await copies('/large?body', 2);
    expect(all.map(({ body: { length }, headers }) => [length, headers['x-team']])).toEqual([
      [body.length, 'orders'],
      [body.length, 'orders'],
    ]);
  });

  test('has the path that the backend is asked for', async () => {
    await nginx.get({ path: '/rewritten/a%20b?c' });
    expect((await copies('?c', 1)).map(({ url }) => url)).toEqual(['/api/a%20b?c']);
  });

  test('is sent by routes that conditions choose, and by splits', async () => {
    await nginx.get({ path: '/chosen?way', headers: { 'x-canary': 'yes' } });
    await nginx.get({ path: '/chosen?other-way' });
    for (let turn = 0; turn < 8; turn += 1) {
      await nginx.get({ path: '/split?way', headers: { 'x-turn': String(turn) } });
    }
    expect(await copies('?way', 9)).toHaveLength(9);
    expect(new Set(sent('/split?way', false).map(({ backend }) => backend))).toEqual(new Set(['api', 'other']));
    expect(sent('?other-way', true)).toEqual([]);
  });

  test('is sent once of a request that is tried again, and again at the fallback', async () => {
    for (let index = 0; index < 5; index += 1) {
      const { status, headers } = await nginx.get({ method: 'POST', path: '/gone?once', body: String(index) });
      expect([status, headers['x-instance']]).toEqual([200, 'fallback']);
    }
    await copies('?once', 5);
    await nginx.get({ path: '/?after' });
    await copies('?after', 1);
    expect(sent('?once', true).map(({ body }) => body)).toEqual(['0', '1', '2', '3', '4']);
  });

  test('counts in no limit, is none of what a limit refuses, and has no line in the access log', async () => {
    const requests = [1, 2, 3, 4].map((index) => `/limited?counted=${index}`);
    const statuses: number[] = [];
    for (const path of requests) statuses.push((await nginx.get({ path })).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    await copies('counted=', 3);
    await nginx.get({ path: '/end-of-log' });
    // A worker writes its lines when its buffer is full or flushed: a later request of another one may be there before.
    const lines = await until(async () => {
      const all = await nginx.accessLog(1);
      const isWhole = all.filter(({ path }) => path === '/limited').length >= requests.length;
      return isWhole && all.some(({ path }) => path === '/end-of-log') && all;
    });
    expect(lines.filter(({ path }) => path === '/limited')).toHaveLength(requests.length);
    expect(lines.filter(({ path }) => String(path).startsWith('/.'))).toEqual([]);
    expect(sent('counted=', true)).toHaveLength(3);
  });

  test('cannot be asked for by a client, nor said to be one', async () => {
    expect((await nginx.get({ path: '/.copy-of-all' })).status).toBe(404);
    const answer = await nginx.get({ path: '/next?claimed', headers: { 'x-mirrored': 'true' } });
    expect(answer.body).toBe('answered by next');
    await nginx.get({ path: '/?claimed', headers: { 'X-MIRRORED': 'true' } });
    expect(sent('?claimed', false).map(({ backend }) => backend)).toEqual(['next', 'api']);
  });
});

test('A part of the requests is copied, as chance has it', async () => {
  const count = 600;
  const answers = await Promise.all(Array.from({ length: count }, () => nginx.get({ agent, path: '/some?part' })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  // Those of a connection are sent one after the other: with this one all others are.
  await nginx.get({ path: '/?part-is-sent' });
  await copies('?part-is-sent', 1);
  const copied = sent('/some?part', true).length;
  // Five standard deviations of a binomial distribution: one in two million runs is beyond.
  expect(Math.abs(copied - count / 4)).toBeLessThan(5 * Math.sqrt((count * 3) / 16));
  expect(sent('/some?part', false)).toHaveLength(count);
});

test('A WebSocket is not copied, and goes on', async () => {
  const webSocket = new WebSocket(`wss://127.0.0.1:${nginx.place.httpsPort}/?web-socket`, {
    ...{ servername: nginx.host, rejectUnauthorized: false },
    headers: { host: nginx.host },
  });
  await once(webSocket, 'open');
  webSocket.send('a');
  const [message] = (await once(webSocket, 'message')) as [Buffer];
  expect(message.toString()).toBe('echo a');
  await nginx.get({ path: '/?after-web-socket' });
  await copies('?after-web-socket', 1);
  expect(sent('?web-socket', true)).toEqual([]);
  webSocket.terminate();
});

test('An answer does not wait for that of the copy', async () => {
  const answer = await nginx.get({ path: '/to-hung?early' });
  expect(answer.body).toBe('answered by api');
});

test.each(Object.keys(fates))('No request is lost, and no answer is another, for a mirror that is %s', async (name) => {
  const count = 40;
  const path = `/to-${name}?fate`;
  const byHttp1 = (index: number): Promise<Answer> =>
    nginx.get({ agent, path, ...(index % 2 === 0 ? {} : { method: 'POST', body: 'a' }) });
  const all = Array.from({ length: count }, (_, index) => byHttp1(index));
  const byHttp2 = [1, 2, 3, 4].map(() => getByHttp2(nginx, { ':path': path }));
  const answers = await Promise.all([...all, ...byHttp2]);
  expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [200, 'answered by api']));
  expect(sent(path, false)).toHaveLength(count + byHttp2.length);
  // No copy takes the way of a request that failed.
  expect(received.filter(({ url }) => url.startsWith('/.'))).toEqual([]);
  // An instance that is silent is left out, after which no client waits for it.
  if (name === 'hung') expect(sent(path, true).length).toBeLessThan(answers.length / 2);
  if (name === 'next' || name === 'failing') expect(await copies(path, answers.length)).toHaveLength(answers.length);
});
