import { once } from 'node:events';
import { RequestListener } from 'node:http';
import { Agent } from 'node:https';
import { Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { LoadBalancing, RequestKey } from '../../../model/load-balancing';
import { timeline } from '../../../model/timeline';
import { until } from '../../until';
import { closedPort, silent, taking } from '../support/failing-instances';
import { proxyModel, ProxyParts } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { Instance, StubDns } from '../support/stub-dns';

const ok: RequestListener = (request, response) => {
  request.resume().on('end', () => response.end('ok'));
};
const methods = ['GET', 'POST'] as const;

let dns: StubDns;
let nginx: RealNginx | undefined;
/** What the fallback leads to. */
let fallback: StubApi;
const running: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  dns = await StubDns.start();
  fallback = await api('fallback');
});

afterEach(async () => {
  await nginx?.stop();
  nginx = undefined;
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await dns.stop();
});

async function api(name: string, listener: RequestListener = ok): Promise<StubApi> {
  const started = await StubApi.start(name, listener);
  running.push(started);
  return started;
}

async function start(
  instances: readonly Instance[],
  { address, port }: Instance = fallback.instance,
  parts: ProxyParts & { readonly loadBalancing?: LoadBalancing } = {},
): Promise<RealNginx> {
  dns.instances = instances;
  const asked = dns.questions;
  const { loadBalancing = LoadBalancing.leastConnections(), ...given } = parts;
  const backends = [{ fallback: `${address}:${port}`, loadBalancing }];
  nginx = await RealNginx.start(proxyModel({ backends, ...given }), { resolvers: [dns.server] });
  await until(() => dns.questions >= asked + 1 + instances.length, 'the questions of nginx');
  return nginx;
}

function body(method: string): { method: string; body: string } {
  return { method, body: method === 'POST' ? 'x' : '' };
}

describe.each(['empty', 'missing'] as const)('DNS turns %s while instances live', (turn) => {
  test.each([
    ['new', false],
    ['kept', new Agent({ keepAlive: true, maxSockets: 1 })],
  ] as const)('and every GET and POST on a %s connection is answered', async (_, agent) => {
    const instance = await api('instance');
    const proxy = await start([instance.instance]);
    await proxy.untilAnswered(({ headers }) => headers['x-instance'] === 'instance');
    const answers: string[] = [];
    const ask = async (): Promise<void> => {
      for (const method of methods) {
        const { status, headers } = await proxy.get({ ...body(method), agent });
        answers.push(`${status} ${String(headers['x-instance'])}`);
      }
    };
    await ask();
    if (turn === 'empty') dns.instances = [];
    else dns.mood = 'missing';
    await until(async () => {
      await ask();
      return answers.at(-1) === '200 fallback';
    }, 'an answer by the fallback');
    for (let i = 0; i < 5; i += 1) await ask();
    expect(new Set(answers)).toEqual(new Set(['200 instance', '200 fallback']));
    expect(answers.slice(-10)).toEqual(Array(10).fill('200 fallback'));
    if (agent !== false) agent.destroy();

    dns.mood = 'well';
    dns.instances = [instance.instance];
    await proxy.untilAnswered(({ headers }) => headers['x-instance'] === 'instance');
  });
});

test.each<LoadBalancing>([
  LoadBalancing.leastConnections(),
  LoadBalancing.roundRobin(),
  LoadBalancing.randomOfTwo(),
  LoadBalancing.hash(RequestKey.uri()),
  LoadBalancing.hash(RequestKey.clientAddress()),
])('the fallback answers with %j', async (loadBalancing) => {
  const proxy = await start([], fallback.instance, { loadBalancing });
  for (const method of methods) {
    expect(await proxy.get(body(method))).toMatchObject({ status: 200, headers: { 'x-instance': 'fallback' } });
  }
});

test('the fallback answers when DNS names none but instances that are gone', async () => {
  const proxy = await start([await closedPort(), await closedPort()]);
  for (let i = 0; i < 5; i += 1) {
    for (const method of methods) expect((await proxy.get(body(method))).headers['x-instance']).toBe('fallback');
  }
});

test('no request goes to the fallback while an instance answers', async () => {
  const [gone, instance] = [await closedPort(), await api('instance')];
  const proxy = await start([gone, instance.instance]);
  for (let i = 0; i < 5; i += 1) {
    for (const method of methods) expect((await proxy.get(body(method))).headers['x-instance']).toBe('instance');
  }
  expect(fallback.requests).toHaveLength(0);
});

test.each(methods)('a %s is answered 503 with Retry-After when the fallback refuses too', async (method) => {
  const proxy = await start([], await closedPort());
  const answer = await proxy.get(body(method));
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBe('1');
  expect(JSON.parse(answer.body)).toEqual({ error: 'Service Unavailable', requestId: answer.headers['x-request-id'] });
});

test('a fallback that is silent is waited for by one request, and not by those that come after it', async () => {
  const proxy = await start([], await silent(), {
    timeline: timeline({ resolverValid: '1s', dnsCacheTtl: '0s', connectTimeout: '1s' }),
  });
  expect((await proxy.get({})).status).toBe(503);
  expect((await proxy.get({ headers: { 'x-request-id': 'second' } })).status).toBe(503);
  const logged = (await proxy.accessLog(2)).find(({ request_id }) => request_id === 'second');
  // The name of the upstream, and no address: no connection was tried.
  expect(logged?.upstream_addr).toMatch(/api_fallback$/);
});

test("the fallback's own answer is an answer, whatever its status", async () => {
  const failing = await api('failing', (_request, response) => response.writeHead(502).end('own words'));
  const proxy = await start([], failing.instance);
  expect(await proxy.get({})).toMatchObject({ status: 502, body: 'own words' });
});

describe('what an instance has read', () => {
  test('is not repeated if it was a POST', async () => {
    const dying = await taking((socket) => socket.resetAndDestroy());
    const proxy = await start([dying]);
    expect((await proxy.get(body('POST'))).status).toBe(502);
    expect(dying.received()).toBe(1);
    expect(fallback.requests).toHaveLength(0);
  });

  test('is not repeated if it was a POST that reached nobody before', async () => {
    const dying = await taking((socket) => socket.resetAndDestroy());
    const proxy = await start([], dying);
    expect((await proxy.get(body('POST'))).status).toBe(502);
    expect(dying.received()).toBe(1);
  });

  test('is answered by the fallback if it was a GET, when every instance died of it', async () => {
    const proxy = await start([await taking((socket) => socket.resetAndDestroy())]);
    expect(await proxy.get({})).toMatchObject({ status: 200, headers: { 'x-instance': 'fallback' } });
  });

  test('is answered by the fallback if it was a GET, and DNS named nobody when its instance died', async () => {
    let held: Socket | undefined;
    const proxy = await start([await taking((socket) => (held = socket))]);
    const answer = proxy.get({});
    await until(() => held !== undefined, 'the request');
    dns.instances = [];
    const asked = dns.questions;
    await until(() => dns.questions >= asked + 2, 'new questions of nginx');
    held?.resetAndDestroy();
    expect((await answer).headers['x-instance']).toBe('fallback');
  });
});

const times = timeline({ resolverValid: '1s', dnsCacheTtl: '0s', connectTimeout: '1s', requestTimeout: '1s' });

describe('instances that are silent', () => {
  test.each(methods)('cost no %s: the fallback answers', async (method) => {
    const proxy = await start([await silent()], fallback.instance, { timeline: times });
    expect((await proxy.get(body(method))).headers['x-instance']).toBe('fallback');
  });

  test('cost no GET whose instance had died', async () => {
    let held: Socket | undefined;
    const proxy = await start([await taking((socket) => (held = socket))], fallback.instance, {
      timeline: timeline({ resolverValid: '1s', dnsCacheTtl: '0s', connectTimeout: '1s' }),
    });
    const answer = proxy.get({});
    await until(() => held !== undefined, 'the request');
    dns.instances = [await silent()];
    const asked = dns.questions;
    await until(() => dns.questions >= asked + 4, 'new questions of nginx');
    held?.resetAndDestroy();
    expect((await answer).headers['x-instance']).toBe('fallback');
  });
});

describe('an instance that hangs', () => {
  test.each([
    ['GET', 2],
    ['POST', 1],
  ])('costs a %s %i tries and no fallback: it is answered 504', async (method, tries) => {
    const hanging = await taking(() => undefined);
    // No further try within the first round.
    const proxy = await start([hanging], fallback.instance, { timeline: times });
    const answer = await proxy.get(body(method));
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'Gateway Timeout' });
    expect(hanging.received()).toBe(tries);
    expect(fallback.requests).toHaveLength(0);
  });

  test.each(methods)('behind the fallback is answered 504 to a %s, after one try', async (method) => {
    const hanging = await taking(() => undefined);
    const proxy = await start([], hanging, { timeline: times });
    expect((await proxy.get(body(method))).status).toBe(504);
    expect(hanging.received()).toBe(1);
  });
});

describe('long connections', () => {
  test('a WebSocket is opened through the fallback, and messages go both ways', async () => {
    const server = new WebSocketServer({ noServer: true });
    server.on('connection', (client) =>
      client.on('message', (data: Buffer) => {
        client.send(`echo ${data.toString()}`);
      }),
    );
    fallback.on('upgrade', (request, socket) => {
      server.handleUpgrade(request, socket, Buffer.alloc(0), (client) => server.emit('connection', client, request));
    });
    const proxy = await start([]);
    const tls = { servername: proxy.host, headers: { host: proxy.host }, rejectUnauthorized: false };
    const client = new WebSocket(`wss://127.0.0.1:${proxy.place.httpsPort}/`, tls);
    await once(client, 'open');
    client.send('hello');
    const [message] = (await once(client, 'message')) as [Buffer];
    expect(message.toString()).toBe('echo hello');
    client.terminate();
    server.close();
  });

  test('are answered 503 when the fallback refuses', async () => {
    const proxy = await start([], await closedPort());
    expect((await proxy.get({ headers: { accept: 'text/event-stream' } })).status).toBe(503);
    const upgrade = { connection: 'upgrade', upgrade: 'websocket' };
    expect((await proxy.get({ headers: upgrade })).status).toBe(503);
  });

  test('may be silent for longer than a request', async () => {
    const streaming = await api('streaming', (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\n\n');
      setTimeout(() => response.end('data: 2\n\n'), 1500);
    });
    const proxy = await start([], streaming.instance, {
      timeline: times,
      routes: [{}, { path: '/events', streamTimeout: 3600 }],
    });
    expect((await proxy.get({ path: '/events' })).body).toBe('data: 1\n\ndata: 2\n\n');
  });
});
