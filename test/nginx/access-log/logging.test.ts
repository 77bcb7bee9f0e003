import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { OneInstance, startWithOneInstance } from '../support/one-instance';

let system: OneInstance;

beforeAll(async () => {
  system = await startWithOneInstance({ names: ['api.example.com'] }, (request, response) => {
    request.resume();
    if (request.url === '/never') return;
    response.end('ok');
  });
});

afterAll(() => system.stop());

async function logged(requestId: string): Promise<Record<string, unknown>> {
  for (let entries = 1; ; entries += 1) {
    const found = (await system.nginx.accessLog(entries)).find((entry) => entry.request_id === requestId);
    if (found !== undefined) return found;
  }
}

test('a request is one JSON object with who, what, where to and how long', async () => {
  await system.nginx.get({
    method: 'POST',
    path: '/orders/7?token=secret',
    body: '{}',
    headers: { 'X-Request-Id': 'log-1', 'User-Agent': 'curl "x" \\ \u00fc' },
  });
  const entry = await logged('log-1');
  expect(entry).toMatchObject({
    client: '127.0.0.1',
    method: 'POST',
    host: 'api.example.com',
    path: '/orders/7',
    protocol: 'HTTP/1.1',
    status: 200,
    upstream_addr: `127.0.0.1:${system.api.instance.port}`,
    upstream_status: '200',
    tls: 'TLSv1.3',
  });
  expect(Number(entry.upstream_bytes_sent)).toBeGreaterThan(0);
  expect(entry.request_time).toEqual(expect.any(Number));
  expect(JSON.stringify(entry)).not.toContain('secret');
});

test('a client that leaves before the answer is logged as 499', async () => {
  const abort = new AbortController();
  const before = system.api.requests.length;
  const answer = system.nginx.get({ path: '/never', headers: { 'X-Request-Id': 'left' }, signal: abort.signal });
  while (system.api.requests.length === before) await new Promise((resolve) => setTimeout(resolve, 10));
  abort.abort();
  await expect(answer).rejects.toThrow();
  expect((await logged('left')).status).toBe(499);
});

describe('Whatever a client sends, a line is one JSON object that one write to a pipe takes', () => {
  /** A request in bytes of its own, on a connection that ends with the answer. */
  async function send(
    requestId: string,
    path: Buffer,
    userAgent: Buffer,
    { method = 'GET', host = system.nginx.host, protocol = 'HTTP/1.1' } = {},
  ): Promise<void> {
    const { nginx } = system;
    const socket = connect({
      host: '127.0.0.1',
      port: nginx.place.httpsPort,
      servername: nginx.host,
      rejectUnauthorized: false,
    });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    socket.write(
      Buffer.concat([
        Buffer.from(`${method} /`),
        path,
        Buffer.from(` ${protocol}\r\nHost: ${host}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\nUser-Agent: `),
        userAgent,
        Buffer.from('\r\n\r\n'),
      ]),
    );
    await once(socket.resume(), 'close');
  }

  /** The line as it stands, once it is there. */
  async function line(requestId: string): Promise<Buffer> {
    await logged(requestId);
    const log = readFileSync(join(system.nginx.directory, 'access.log'));
    const at = log.indexOf(`"request_id":"${requestId}"`);
    return log.subarray(log.lastIndexOf('\n', at) + 1, log.indexOf('\n', at));
  }

  const utf8 = new TextDecoder('utf-8', { fatal: true });

  test.each<[what: string, path: Buffer, userAgent: Buffer, expected: Record<string, unknown>]>([
    ['plain text', Buffer.from('a?b'), Buffer.from('curl/8 "x"'), { path: '/a', user_agent: 'curl/8 "x"' }],
    [
      'plain text with a question mark and words after it',
      Buffer.from('a?b/c?"d\\'),
      Buffer.from('Mozilla/5.0 (X11; Linux) /e?f'),
      { method: 'GET', path: '/a', user_agent: 'Mozilla/5.0 (X11; Linux) /e?f' },
    ],
    [
      'as much as is logged',
      Buffer.from('a'.repeat(799)),
      Buffer.from('b'.repeat(400)),
      { path: `/${'a'.repeat(799)}`, user_agent: 'b'.repeat(400) },
    ],
    [
      'one more',
      Buffer.from('a'.repeat(800)),
      Buffer.from('b'.repeat(401)),
      { path: `/${'a'.repeat(799)}`, user_agent: 'b'.repeat(400) },
    ],
    ['whole characters', Buffer.from('größe-😀?x'), Buffer.from('ü€😀'), { path: '/größe-😀', user_agent: 'ü€😀' }],
    [
      'half of a character',
      Buffer.from([0x61, 0xe2, 0x82]),
      Buffer.from([0x62, 0xff, 0x63]),
      { path: '/a', user_agent: 'b' },
    ],
    [
      'a surrogate, and an overlong form',
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from([0xc0, 0xaf]),
      { path: '/', user_agent: '' },
    ],
    ['nothing', Buffer.from(''), Buffer.from(''), { path: '/', user_agent: '' }],
    [
      'too much',
      Buffer.from('"'.repeat(6000)),
      Buffer.from('\\'.repeat(6000)),
      { path: `/${'"'.repeat(799)}`, user_agent: '\\'.repeat(400) },
    ],
    [
      'too many long characters',
      Buffer.from('😀'.repeat(1500)),
      Buffer.from('é'.repeat(3000)),
      { path: `/${'😀'.repeat(199)}`, user_agent: 'é'.repeat(200) },
    ],
  ])('cuts at what does not fit: %s', async (what, path, userAgent, expected) => {
    const requestId = `cut-${what.replaceAll(/\W/g, '-')}`;
    await send(requestId, path, userAgent);
    const found = await line(requestId);
    expect(JSON.parse(utf8.decode(found))).toMatchObject(expected);
    expect(found.length).toBeLessThanOrEqual(4095);
  });

  test('cuts a method that nobody knows', async () => {
    await send('method', Buffer.from('x'), Buffer.from('x'), { method: 'A'.repeat(2000) });
    expect(JSON.parse(utf8.decode(await line('method')))).toMatchObject({ method: 'A'.repeat(20) });
  });

  test.each([
    ['one-space', 'HTTP/1.1 '],
    ['spaces', `HTTP/1.1${' '.repeat(6000)}`],
    ['zeros', `HTTP/1.${'0'.repeat(6000)}1`],
  ])('cuts a protocol with %s at its end', async (what, protocol) => {
    await send(`protocol-${what}`, Buffer.from('x'), Buffer.from('x'), { protocol });
    const found = await line(`protocol-${what}`);
    expect(found.length).toBeLessThanOrEqual(4095);
    expect(JSON.parse(utf8.decode(found))).toMatchObject({
      path: '/x',
      protocol: expect.stringMatching(/^HTTP\/1\.\d{1,2}$/) as string,
    });
  });

  test('cuts a host that is none of ours', async () => {
    await send('host', Buffer.from('x'), Buffer.from('x'), { host: `${'a.'.repeat(400)}b` });
    const entry = JSON.parse(utf8.decode(await line('host'))) as { readonly host: string };
    expect(entry).toMatchObject({ status: 421, host: 'a.'.repeat(50) });
  });
});
