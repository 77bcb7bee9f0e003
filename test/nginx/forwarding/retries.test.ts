import { RequestListener } from 'node:http';
import { Socket } from 'node:net';
import { timeline } from '../../../model/timeline';
import { until } from '../../until';
import { closedPort, taking } from '../support/failing-instances';
import { proxyModel, RouteParts } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { StubApi } from '../support/stub-api';
import { Instance, StubDns } from '../support/stub-dns';

let dns: StubDns;
let nginx: RealNginx;
const running: { stop(): Promise<void> }[] = [];

const ok: RequestListener = (request, response) => {
  request.resume().on('end', () => response.end('ok'));
};

beforeEach(async () => {
  dns = await StubDns.start();
});

afterEach(() => nginx.stop());

// Whatever became of the hook before.
afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.stop()));
  await dns.stop();
});

async function api(name: string, listener: RequestListener = ok): Promise<StubApi> {
  const started = await StubApi.start(name, listener);
  running.push(started);
  return started;
}

async function start(instances: readonly Instance[], route: RouteParts = {}): Promise<void> {
  dns.instances = instances;
  const asked = dns.questions;
  nginx = await RealNginx.start(proxyModel({ routes: [route] }), { resolvers: [dns.server] });
  await until(() => dns.questions >= asked + 1 + instances.length, 'the questions of nginx');
}

/** Waits until nginx has asked again and has the answer. */
async function untilResolvedAnew(): Promise<void> {
  const target = dns.questions + 2 * (1 + dns.instances.length);
  await until(() => dns.questions >= target, 'new questions of nginx');
}

test.each(['GET', 'POST'])('an instance that refuses connections costs no %s', async (method) => {
  const [gone, alive] = [await closedPort(), await api('alive')];
  await start([gone, alive.instance]);
  for (let i = 0; i < 10; i += 1) {
    expect((await nginx.get({ method, body: method === 'POST' ? 'x' : '' })).status).toBe(200);
  }
});

test.each(['GET', 'PUT', 'DELETE'])(
  '%s is idempotent: it is answered by another instance when the first one dies',
  async (method) => {
    const alive = await api('alive');
    await start([await taking((socket) => socket.resetAndDestroy()), alive.instance]);
    for (let i = 0; i < 6; i += 1) expect((await nginx.get({ method })).status).toBe(200);
  },
);

test('a POST whose bytes had reached an instance that died is answered 502 once, and not repeated', async () => {
  let received = 0;
  const instance = await taking((socket) => {
    received += 1;
    socket.resetAndDestroy();
  });
  const second = await taking((socket) => {
    received += 1;
    socket.resetAndDestroy();
  });
  await start([instance, second]);
  const answer = await nginx.get({ method: 'POST', body: 'x', headers: { 'X-Request-Id': 'lost-one' } });
  expect(answer.status).toBe(502);
  expect(received).toBe(1);
  expect(JSON.parse(answer.body)).toEqual({ error: 'Bad Gateway', requestId: 'lost-one' });
});

test.each([
  ['GET', 2],
  ['POST', 1],
])('a %s that an instance never answers is answered 504 after %i tries', async (method, tries) => {
  let received = 0;
  const hanging = await taking(() => (received += 1));
  dns.instances = [hanging];
  const times = timeline({ resolverValid: '1s', dnsCacheTtl: '0s', connectTimeout: '1s', requestTimeout: '1s' });
  nginx = await RealNginx.start(proxyModel({ timeline: times }), { resolvers: [dns.server] });
  const answer = await until(async () => {
    const given = await nginx.get({ method, body: method === 'POST' ? 'x' : '' });
    return given.status !== 503 && given;
  }, 'an answer of an instance');
  expect(answer.status).toBe(504);
  expect(JSON.parse(answer.body)).toEqual({ error: 'Gateway Timeout', requestId: answer.headers['x-request-id'] });
  expect(received).toBe(tries);
});

describe('instances that hang', () => {
  const times = timeline({ resolverValid: '1s', dnsCacheTtl: '0s', connectTimeout: '1s', requestTimeout: '2s' });

  async function startWith(instances: readonly Instance[]): Promise<void> {
    dns.instances = instances;
    nginx = await RealNginx.start(proxyModel({ timeline: times }), { resolvers: [dns.server] });
    await nginx.untilAnswered(({ status }) => status !== 503);
  }

  test('a GET that waited on one is given to another, and never to the same again', async () => {
    const received: string[] = [];
    const hanging = await api('hanging', ({ url = '' }) => received.push(url));
    const slow = await api('slow', (_request, response) => void setTimeout(() => response.end(), 1500));
    await startWith([hanging.instance, slow.instance]);
    received.length = 0;
    const get = (path: string): Promise<{ status: number }> => nginx.get({ path });
    const requests = Array.from({ length: 12 }, (_, index) => get(`/first/${index}`));
    await Promise.race(requests);
    // The one that hangs has fewer requests than the other when its first ones time out: least_conn prefers it.
    await until(() => {
      requests.push(get(`/second/${requests.length}`));
      return received.some((url) => url.startsWith('/second/'));
    }, 'a later request at the instance that hangs');
    const answers = await Promise.all(requests);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(received).size).toBe(received.length);
  });

  test('a GET that waited on two is given to no third', async () => {
    const received: string[] = [];
    const hanging = [1, 2].map((name) => api(`hanging ${name}`, ({ url = '' }) => received.push(url)));
    await startWith((await Promise.all(hanging)).map(({ instance }) => instance));
    received.length = 0;
    expect((await nginx.get({ path: '/waits' })).status).toBe(504);
    expect(received).toEqual(['/waits', '/waits']);
  });
});

describe('DNS changes while a request is under way, which nginx itself answers with "no live upstreams"', () => {
  async function requestDuringChange(method: string, atRequest: (socket: Socket) => void): Promise<number> {
    const alive = await api('alive');
    let held: Socket | undefined;
    const instance = await taking((socket) => {
      held = socket;
    });
    await start([instance]);
    const answer = nginx.get({ method, body: method === 'POST' ? 'x' : '' });
    await until(() => held !== undefined, 'the request');
    dns.instances = [alive.instance];
    await untilResolvedAnew();
    if (held !== undefined) atRequest(held);
    return (await answer).status;
  }

  test('a GET is answered by an instance that is known now', async () => {
    expect(await requestDuringChange('GET', (socket) => socket.resetAndDestroy())).toBe(200);
  });

  test('a GET that two instances dropped is asked of those that DNS names since', async () => {
    const alive = await api('alive');
    const held: Socket[] = [];
    const dropping = [await taking((socket) => held.push(socket)), await taking((socket) => held.push(socket))];
    await start(dropping);
    const answer = nginx.get({});
    await until(() => held.length === 1, 'the first try');
    held[0]?.resetAndDestroy();
    await until(() => held.length === 2, 'the second try');
    dns.instances = [alive.instance];
    await untilResolvedAnew();
    held[1]?.resetAndDestroy();
    expect((await answer).status).toBe(200);
  });

  test('a POST that had been sent is not repeated', async () => {
    expect(await requestDuringChange('POST', (socket) => socket.resetAndDestroy())).toBe(502);
  });
});

test('without any instance the answer is 503 at once, with Retry-After', async () => {
  await start([]);
  const answer = await nginx.get({ method: 'POST', body: 'x' });
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBe('1');
  expect(answer.headers['content-type']).toBe('application/json');
  expect(JSON.parse(answer.body)).toEqual({ error: 'Service Unavailable', requestId: answer.headers['x-request-id'] });
});

test('when no instance of several accepts a connection the answer is 503: no request has been lost in one', async () => {
  await start([await closedPort(), await closedPort()]);
  expect((await nginx.get({ method: 'POST', body: 'x' })).status).toBe(503);
  expect((await nginx.get({})).status).toBe(503);
});

test.each([500, 502, 503, 504, 418])(
  "the API's own %i is an answer: it is passed on and not repeated",
  async (status) => {
    const failing = await api('failing', (_request, response) => {
      response.writeHead(status, { 'Content-Type': 'text/plain' }).end('own words');
    });
    await start([failing.instance]);
    const answer = await nginx.get({});
    expect(answer).toMatchObject({ status, body: 'own words' });
    expect(failing.requests).toHaveLength(1);
  },
);

test('an instance that is gone from DNS gets no request, though it is alive', async () => {
  const [first, second] = [await api('first'), await api('second')];
  await start([first.instance, second.instance]);
  dns.instances = [second.instance];
  await untilResolvedAnew();
  const before = first.requests.length;
  for (let i = 0; i < 10; i += 1) expect((await nginx.get({})).headers['x-instance']).toBe('second');
  expect(first.requests).toHaveLength(before);
});

test.each(['failing', 'silent'] as const)('while DNS is %s the known instances stay', async (mood) => {
  const one = await api('one');
  await start([one.instance]);
  await nginx.untilAnswered(({ status }) => status === 200);
  dns.mood = mood;
  const asked = dns.questions;
  await until(() => dns.questions >= asked + 2, 'questions in vain');
  expect((await nginx.get({})).status).toBe(200);
});

describe('a route without retries', () => {
  test('passes no request on: what an instance dropped is 502, and what none has seen is 503', async () => {
    let received = 0;
    const drops = (): Promise<Instance> =>
      taking((socket) => {
        received += 1;
        socket.resetAndDestroy();
      });
    await start([await drops(), await drops()], { retries: false });
    expect((await nginx.get({ headers: { 'X-Request-Id': 'only-one' } })).body).toBe(
      '{"error":"Bad Gateway","requestId":"only-one"}',
    );
    expect(received).toBe(1);
  });

  test('answers 503 with Retry-After when no instance accepts a connection, and 413 as any other', async () => {
    await start([await closedPort()], { retries: false });
    expect(await nginx.get({})).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    const answer = await nginx.get({ method: 'POST', body: Buffer.alloc(2 ** 20 + 1) });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'Content Too Large' });
  });
});
