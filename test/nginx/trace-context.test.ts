import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { startGrpc, StubGrpc } from './support/grpc';
import { ProxyParts, RouteParts } from './support/models';
import { OneInstance, startWithOneInstance } from './support/one-instance';
import { RealNginx } from './support/real-nginx';
import { startWithBackends } from './support/several-backends';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const given = `00-${traceId}-${spanId}-01`;
const begun = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/;

const parts: ProxyParts = {
  traceContext: { sampledPercent: 100 },
  routes: [
    {},
    { path: '/own', requestHeaders: [['X-Zone', 'west']] },
    { path: '/none', requestHeaders: [['Traceparent', false]] },
  ],
};

/** An API that breaks off the first request for `/broken`. */
function start(own: ProxyParts): Promise<OneInstance> {
  let broken = false;
  return startWithOneInstance(own, (request, response) => {
    if (request.url === '/broken' && !broken) {
      broken = true;
      request.socket.destroy();
      return;
    }
    response.end('ok');
  });
}

let system: OneInstance;

beforeAll(async () => {
  system = await start(parts);
});

afterAll(() => system.stop());

type Sent = Readonly<Record<string, string | string[]>>;

/** What the API is told of a trace, try for try. */
async function told(headers: Sent, path = '/', { nginx, api } = system) {
  const before = api.requests.length;
  const { status } = await nginx.get({ path, headers });
  expect(status).toBe(200);
  return api.requests.slice(before).map(({ headers: { traceparent, tracestate } }) => ({ traceparent, tracestate }));
}

/** The line of a request, once it is there. */
async function logged(requestId: string, nginx: RealNginx): Promise<Record<string, unknown>> {
  for (let entries = 1; ; entries += 1) {
    const found = (await nginx.accessLog(entries)).find((entry) => entry.request_id === requestId);
    if (found !== undefined) return found;
  }
}

describe("a client's own trace", () => {
  test.each([given, `00-${traceId}-${spanId}-00`, `00-${traceId}-${spanId}-03`, `00-${traceId}-${spanId}-ff`])(
    'goes on to the API as it is: %s',
    async (traceparent) => {
      expect(await told({ traceparent })).toEqual([{ traceparent, tracestate: undefined }]);
    },
  );

  test('has what other systems say of it', async () => {
    const longest = `a=${'b'.repeat(510)}`;
    for (const tracestate of ['congo=t61rcWkgMzE,rojo=00f067aa0ba902b7', longest]) {
      expect(await told({ traceparent: given, tracestate })).toEqual([{ traceparent: given, tracestate }]);
    }
    const members = ['congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7'];
    const [joined] = await told({ traceparent: given, tracestate: members });
    expect(joined?.tracestate).toBe(members.join(', '));
  });

  test.each([
    ['is too long', `a=${'b'.repeat(511)}`],
    ['is not ASCII', 'congo=ü'],
    ['has a tab', 'congo=a,\trojo=b'],
    ['is empty', ''],
  ])('goes on without what %s', async (_what, tracestate) => {
    const latin1 = Buffer.from(tracestate).toString('latin1');
    expect(await told({ traceparent: given, tracestate: latin1 })).toEqual([
      { traceparent: given, tracestate: undefined },
    ]);
  });

  test('is in the log, beside the id of the request', async () => {
    await told({ traceparent: given, 'X-Request-Id': 'logged' });
    expect(await logged('logged', system.nginx)).toMatchObject({ trace_id: traceId });
  });
});

describe('a trace that begins here', () => {
  test.each<[what: string, traceparent: string | string[] | undefined]>([
    ['nothing is said of one', undefined],
    ['it is empty', ''],
    ['its letters are capitals', given.toUpperCase()],
    ['the trace is all zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['the span is all zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['it is of a version that is not known', `01-${traceId}-${spanId}-01`],
    ['it is of the version that never is', `ff-${traceId}-${spanId}-01`],
    ['it goes on', `${given}-more`],
    ['the trace is too short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['the span is too long', `00-${traceId}-${spanId}0-01`],
    ['it has no flags', `00-${traceId}-${spanId}`],
    ['a letter is none of hexadecimal digits', `00-${traceId.slice(1)}g-${spanId}-01`],
    ['there are two', [given, given]],
    ['there are two in one', `${given},${given}`],
    ['it breaks out of JSON', `00-${traceId}-${spanId}-01","status":200,"x":"`],
    ['it is a variable of nginx', '00-$request_id-$http_cookie-01'],
    ['it is not ASCII', Buffer.from(`${given}ü`).toString('latin1')],
    ['it is very long', '0'.repeat(4000)],
  ])('is one of its own if %s, without what belonged to another', async (what, traceparent) => {
    const id = `begun-${what.replaceAll(/\W/g, '-')}`;
    const headers = { 'X-Request-Id': id, tracestate: 'congo=t61rcWkgMzE' };
    const [seen, ...more] = await told(traceparent === undefined ? headers : { ...headers, traceparent });
    expect(more).toEqual([]);
    expect(seen?.tracestate).toBeUndefined();
    expect(seen?.traceparent).toMatch(begun);
    const [, trace] = begun.exec(String(seen?.traceparent)) ?? [];
    expect(trace).not.toBe(traceId);
    expect((await logged(id, system.nginx)).trace_id).toBe(trace);
  });

  test('is another for each request, and is called as the request where that is new too', async () => {
    const answers = [await system.nginx.get({}), await system.nginx.get({})];
    const [first, second] = system.api.requests.slice(-2).map(({ headers }) => headers);
    expect(first?.traceparent).not.toBe(second?.traceparent);
    expect([first, second].map((headers) => begun.exec(String(headers?.traceparent))?.[1])).toEqual(
      answers.map(({ headers }) => headers['x-request-id']),
    );
  });

  test('is the same for each try of a request', async () => {
    const [first, second] = await told({}, '/broken');
    expect(first?.traceparent).toMatch(begun);
    expect(second).toEqual(first);
  });

  test.each<[number, number[]]>([
    [0, [0]],
    [50, [0, 1]],
  ])('is sampled as often as is said: of %i percent', async (sampledPercent, expected) => {
    const own = await start({ traceContext: { sampledPercent } });
    onTestFinished(() => own.stop());
    const flags = new Set<number>();
    for (let request = 0; request < 60; request += 1) {
      const [seen] = await told({}, '/', own);
      flags.add(Number(/-0([01])$/.exec(String(seen?.traceparent))?.[1]));
    }
    expect([...flags].sort()).toEqual(expected);
    // What a client has begun is its own to decide.
    expect(await told({ traceparent: given }, '/', own)).toMatchObject([{ traceparent: given }]);
  });
});

test('a route with headers of its own says the trace as all others do, unless it takes it away', async () => {
  expect(await told({ traceparent: given }, '/own')).toMatchObject([{ traceparent: given }]);
  expect((await told({ traceparent: 'x' }, '/own'))[0]?.traceparent).toMatch(begun);
  expect(system.api.requests.at(-1)?.headers['x-zone']).toBe('west');
  expect(await told({ traceparent: given }, '/none')).toMatchObject([{ traceparent: undefined }]);
});

test('a copy of a request, and the service that is asked who may send it, have its trace', async () => {
  const guard = { path: '/ask', timeout: 1, forwardHeaders: [], responseHeaders: [], requestHeaders: [] };
  const { nginx, apis, stop } = await startWithBackends({
    backends: [{ name: 'api' }, { name: 'next' }, { name: 'guard' }],
    routes: [
      {
        auth: { kind: 'external', target: { kind: 'backend', backend: 'guard' }, ...guard },
        mirror: { backend: 'next', percent: 100, timeout: 2 },
      },
    ],
    traceContext: { sampledPercent: 100 },
  });
  onTestFinished(stop);
  const seen = (backend: string, url: string) =>
    (apis[backend]?.requests ?? []).filter((request) => request.url === url).map(({ headers }) => headers.traceparent);
  await nginx.get({ path: '/traced' });
  const [traceparent] = seen('api', '/traced');
  expect(traceparent).toMatch(begun);
  expect(seen('guard', '/ask')).toEqual([traceparent]);
  expect(await until(() => seen('next', '/traced')[0], 'the copy')).toBe(traceparent);
});

test('what nginx itself refuses has the trace in the log as well', async () => {
  const headers = { traceparent: given, 'X-Request-Id': 'refused', 'Content-Length': String(2 ** 30) };
  const { status } = await system.nginx.get({ method: 'POST', headers });
  expect(status).toBe(413);
  expect(await logged('refused', system.nginx)).toMatchObject({ status: 413, trace_id: traceId });
});

test('a probe begins no trace', async () => {
  const before = system.api.requests.length;
  await system.nginx.get({ port: system.nginx.place.probePort, path: '/startup' });
  expect(system.api.requests.slice(before).map(({ headers }) => headers.traceparent)).toEqual([undefined]);
});

test('a call of gRPC has the trace in its metadata', async () => {
  const api = await StubGrpc.start('api');
  const routes: readonly RouteParts[] = [
    { path: '/shop.Orders' },
    { path: '/shop.Chat', requestHeaders: [['X-Zone', 'west']] },
  ];
  const { client } = await startGrpc({ traceContext: { sampledPercent: 100 }, routes }, [api.instance]);
  const metadata = { traceparent: given, tracestate: 'congo=t61rcWkgMzE' };
  await client.call('/shop.Orders/Get', 'hello', { metadata });
  expect(api.calls.at(-1)?.metadata).toMatchObject({ traceparent: [given], tracestate: ['congo=t61rcWkgMzE'] });
  const { send, end, result } = client.open('/shop.Chat/Talk', { metadata: { tracestate: 'congo=t61rcWkgMzE' } });
  send('one');
  end();
  await result;
  const [traceparent] = api.calls.at(-1)?.metadata.traceparent ?? [];
  expect(traceparent).toMatch(begun);
  expect(api.calls.at(-1)?.metadata).not.toHaveProperty('tracestate');
});

test('without the option all of it goes through as it came, and no log has it', async () => {
  const own = await start({});
  onTestFinished(() => own.stop());
  const hostile = { traceparent: 'x'.repeat(1000), tracestate: 'y'.repeat(1000) };
  expect(await told(hostile, '/', own)).toEqual([hostile]);
  expect(await told({}, '/', own)).toEqual([{ traceparent: undefined, tracestate: undefined }]);
  await told({ traceparent: given, 'X-Request-Id': 'without' }, '/', own);
  expect(await logged('without', own.nginx)).not.toHaveProperty('trace_id');
});
