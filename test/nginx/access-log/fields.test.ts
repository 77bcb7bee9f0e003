import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { type LogFieldName, logFields } from '../../../model/access-log/fields';
import { longestLine } from '../../../model/access-log/longest-line';
import { accessLog, LogField } from '../../../model/access-log/options';
import { until } from '../../until';
import { OneInstance, startWithOneInstance } from '../support/one-instance';
import { rawHttp2 } from '../support/raw-http2';

const maxLength = 20;
/** Of the same header once more, long enough to fill a line. */
const traceLength = 500;
const omit: readonly string[] = ['client', 'user_agent'];
const log = accessLog('accessLog', {
  omit,
  add: {
    tenant: LogField.requestHeader('X-Tenant', { maxLength }),
    user: LogField.responseHeader('X-User', { maxLength }),
    plan: LogField.cookie('Plan', { maxLength }),
    page: LogField.query('page', { maxLength }),
    trace: LogField.requestHeader('X-Tenant', { maxLength: traceLength }),
  },
});
const documented = (Object.keys(logFields) as LogFieldName[]).filter(
  (name) => logFields[name].onlyWith === undefined && !omit.includes(name),
);

let system: OneInstance;

beforeAll(async () => {
  system = await startWithOneInstance(
    { workers: 1, accessLog: log, routes: [{}, { path: '/hidden', responseHeaders: [['X-User', false]] }] },
    ({ headers: { 'x-echo': user } }, response) => {
      if (typeof user === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(user)) response.setHeader('X-User', user);
      // With a text Node would write its headers as UTF-8 too.
      response.end(Buffer.from('ok'));
    },
    { workers: 1 },
  );
});

function allLines(): readonly Buffer[] {
  const lines = readFileSync(join(system.nginx.directory, 'access.log'), 'latin1').split('\n').slice(0, -1);
  return lines.map((line) => Buffer.from(line, 'latin1'));
}

/** Where the line stands of a request that is made to be found. */
async function marked(): Promise<number> {
  const id = randomUUID();
  await system.nginx.get({ headers: { 'X-Request-Id': id } });
  return until(() => {
    const at = allLines().findIndex((line) => line.includes(`"request_id":"${id}"`));
    return at === -1 ? undefined : at;
  }, 'the line of a request');
}

/** The lines of requests: one worker writes them in turn. */
async function linesOf(send: () => Promise<unknown>): Promise<readonly Buffer[]> {
  const before = await marked();
  await send();
  const after = await marked();
  return allLines().slice(before + 1, after);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parsed(line: Buffer): Readonly<Record<string, unknown>> {
  return JSON.parse(utf8.decode(line)) as Readonly<Record<string, unknown>>;
}

/** What a client makes as it likes; the API says `user` in its answer. */
interface Values {
  readonly tenant: Buffer;
  readonly user: Buffer;
  readonly plan: Buffer;
  readonly page: Buffer;
}

/** On a connection that ends with the answer. */
async function sendByHttp1({ tenant, user, plan, page }: Values): Promise<void> {
  const { host, place } = system.nginx;
  const socket = connect({
    ...{ host: '127.0.0.1', port: place.httpsPort, servername: host, rejectUnauthorized: false },
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write(
    Buffer.concat([
      ...[Buffer.from('GET /a?page='), page, Buffer.from(` HTTP/1.1\r\nHost: ${host}\r\nX-Tenant: `), tenant],
      ...[Buffer.from('\r\nX-Echo: '), user, Buffer.from('\r\nCookie: plan=other; Plan='), plan],
      Buffer.from('\r\nConnection: close\r\n\r\n'),
    ]),
  );
  await once(socket.resume(), 'close');
}

async function sendByHttp2({ tenant, user, plan, page }: Values): Promise<void> {
  await rawHttp2(system.nginx, {
    ...{ ':method': 'GET', ':scheme': 'https', ':authority': system.nginx.host },
    ':path': Buffer.concat([Buffer.from('/a?page='), page]),
    ...{ 'x-tenant': tenant, 'x-echo': user },
    cookie: Buffer.concat([Buffer.from('plan=other; Plan='), plan]),
  });
}

function everywhere(value: Buffer | string): Values {
  const bytes = Buffer.from(value);
  return { tenant: bytes, user: bytes, plan: bytes, page: bytes };
}

test('a value is logged from wherever it comes, in whole characters and no longer than was said', async () => {
  const cases: readonly (readonly [sent: Buffer | string, logged: string])[] = [
    ['acme', 'acme'],
    ['', ''],
    ['a%20b+c', 'a%20b+c'],
    ['a"b\\c', 'a"b\\c'],
    ['","status":999,"x":"', '","status":999,"x":"'],
    ['a'.repeat(20), 'a'.repeat(20)],
    ['a'.repeat(21), 'a'.repeat(20)],
    ['"'.repeat(300), '"'.repeat(20)],
    ['größe', 'größe'],
    ['😀'.repeat(6), '😀'.repeat(5)],
    [Buffer.from([0x61, 0xe2, 0x82]), 'a'],
    [Buffer.from([0x62, 0xff, 0x63]), 'b'],
    [Buffer.from([0xed, 0xa0, 0x80]), ''],
  ];
  const [lines, ofArguments] = [
    await linesOf(async () => {
      for (const [sent] of cases) await sendByHttp1({ ...everywhere(sent), page: Buffer.from('1') });
    }),
    // Node refuses bytes beyond ASCII in a target, which nginx has logged all the same.
    await linesOf(async () => {
      for (const [sent] of cases) await sendByHttp1({ ...everywhere('x'), page: Buffer.from(sent) });
    }),
  ];
  const found = lines.map(parsed).map(({ status, tenant, user, plan }) => ({ status, tenant, user, plan }));
  expect(found).toEqual(cases.map(([, value]) => ({ status: 200, tenant: value, user: value, plan: value })));
  expect(ofArguments.map(parsed).map(({ page }) => page)).toEqual(cases.map(([, value]) => value));
});

test('no value passes for the end of another one', async () => {
  const values = {
    tenant: Buffer.from('t "u'),
    user: Buffer.from('u" "v '.repeat(2).trim()),
    plan: Buffer.from('p "q "r'),
    page: Buffer.from('1"2"3'),
  };
  const [line] = await linesOf(() => sendByHttp1(values));
  expect(line === undefined ? undefined : parsed(line)).toMatchObject({
    ...{ tenant: 't "u', user: 'u" "v u" "v', plan: 'p "q "r', page: '1"2"3', trace: 't "u' },
  });
});

test('a value that a request has not is empty, and what was left out is in no line', async () => {
  const lines = await linesOf(async () => {
    await system.nginx.get({ path: '/nothing' });
    // nginx itself answers: the host is none of the proxy's.
    await system.nginx.get({ path: '/misdirected', headers: { host: 'other.example.com', 'X-Echo': 'ann' } });
  });
  const entries = lines.map(parsed);
  const none = { tenant: '', user: '', plan: '', page: '', trace: '' };
  expect(entries).toMatchObject([
    { path: '/nothing', status: 200, ...none },
    { path: '/misdirected', status: 421, ...none },
  ]);
  for (const entry of entries) {
    expect(Object.keys(entry)).toEqual([...documented, ...log.add.map(({ name }) => name)]);
  }
});

test('a header of the answer is logged that no client gets', async () => {
  const lines = await linesOf(async () => {
    for (const path of ['/hidden', '/shown']) {
      const { headers } = await system.nginx.get({ path, headers: { 'X-Echo': 'ann' } });
      expect(headers['x-user']).toBe(path === '/hidden' ? undefined : 'ann');
    }
  });
  expect(lines.map(parsed)).toMatchObject([
    { path: '/hidden', user: 'ann' },
    { path: '/shown', user: 'ann' },
  ]);
});

test('a cookie and an argument are those that an API finds, letter for letter', async () => {
  const lines = await linesOf(async () => {
    const cookie = 'APlan=a; Plan = b; Plan=c';
    await system.nginx.get({ path: '/?Page=1&apage=2&page=3&page=4', headers: { cookie } });
    await system.nginx.get({ path: '/?PAGE=1', headers: { cookie: 'plan=a' } });
  });
  const found = lines.map(parsed).map(({ plan, page }) => [plan, page]);
  expect(found).toEqual([
    ['b', '3'],
    ['', ''],
  ]);
});

const awkward = fc.constantFrom('"', '\\', ' ', '"', 'a', '€');

/** Any bytes, any printable ones, and many that have to be escaped. */
function anyBytes(size: number): fc.Arbitrary<Buffer> {
  return fc.oneof(
    fc.uint8Array({ maxLength: size }).map((bytes) => Buffer.from(bytes)),
    fc.string({ maxLength: size }).map((text) => Buffer.from(text)),
    fc.array(awkward, { maxLength: size }).map((all) => Buffer.from(all.join(''))),
  );
}

/** Without what ends a line of HTTP/1.1, or a part of its first one. */
function without(excluded: readonly number[], bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return bytes.map((buffer) => Buffer.from(buffer.filter((byte) => !excluded.includes(byte))));
}

const endsOfLines = [0, 10, 13];
const endsOfWords = [...endsOfLines, 9, 32, 35];

const anyValues = fc.record({ tenant: anyBytes(700), user: anyBytes(40), plan: anyBytes(40), page: anyBytes(40) });
const anyHttp1Values = fc.record({
  tenant: without(endsOfLines, anyBytes(700)),
  user: without(endsOfLines, anyBytes(40)),
  plan: without(endsOfLines, anyBytes(40)),
  page: without(endsOfWords, anyBytes(40)),
});

test.each<[protocol: string, values: fc.Arbitrary<Values>, send: (values: Values) => Promise<void>]>([
  ['HTTP/1.1', anyHttp1Values, sendByHttp1],
  ['HTTP/2', anyValues, sendByHttp2],
])('a line has its fields, in the bytes reckoned, whatever is sent over %s', async (_protocol, anything, send) => {
  let sent = 0;
  const lines = await linesOf(() =>
    fc.assert(
      fc.asyncProperty(anything, async (values) => {
        await send(values);
        sent += 1;
      }),
      { numRuns: 80 },
    ),
  );
  expect(lines).toHaveLength(sent);
  const fields = { documented, added: log.add };
  const longest = Math.max(
    longestLine(fields, { tries: 0, rounds: 0, upstreamName: 0, sentDigits: 0 }),
    longestLine(fields, { tries: 1, rounds: 1, upstreamName: 'api'.length, sentDigits: 7 }),
  );
  expect(longest).toBeLessThanOrEqual(4096);
  for (const line of lines) {
    const entry = parsed(line);
    expect(Object.keys(entry)).toEqual([...documented, ...log.add.map(({ name }) => name)]);
    expect(line.length + 1).toBeLessThanOrEqual(longest);
    for (const { name, maxLength: most } of log.add) {
      expect(Buffer.byteLength(String(entry[name]))).toBeLessThanOrEqual(most);
    }
  }
  expect(lines.map((line) => parsed(line).status)).toContain(200);
});

test('a line is whole though all that a client makes is as long as it is logged, and has to be escaped', async () => {
  const [line] = await linesOf(() =>
    system.nginx.get({
      path: `/${'"'.repeat(2000)}?page=${'"'.repeat(300)}`,
      headers: {
        ...{ 'X-Tenant': '\\'.repeat(2000), 'X-Echo': '"'.repeat(300), cookie: `Plan=${'"'.repeat(300)}` },
        'X-Request-Id': 'i'.repeat(128),
      },
    }),
  );
  expect(line?.length).toBeGreaterThan(2 * (800 + traceLength + 4 * maxLength));
  expect(line?.length).toBeLessThan(4096);
  expect(line === undefined ? undefined : parsed(line)).toMatchObject({
    ...{ path: `/${'"'.repeat(799)}`, tenant: '\\'.repeat(maxLength), trace: '\\'.repeat(traceLength) },
    ...{ user: '"'.repeat(maxLength), plan: '"'.repeat(maxLength), page: '"'.repeat(maxLength) },
  });
});
