import { OneInstance, startWithOneInstance } from './one-instance';

let system: OneInstance;

beforeAll(async () => {
  system = await startWithOneInstance({ host: 'api.example.com' }, (request, response) => {
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
