import { OneInstance, startWithOneInstance } from './support/one-instance';
import { Answer } from './support/real-nginx';

let system: OneInstance;
let apiHeaders: Record<string, string> = {};
let apiBody = 'ok';

beforeAll(async () => {
  system = await startWithOneInstance(
    {
      hosts: [{ names: ['api.example.com'], hstsIncludeSubDomains: true, routes: [{ maxBodySize: 2048 }] }],
      defaultResponseHeaders: [
        ['X-Team', 'orders; "all" of $them \\ {us}'],
        ['Referrer-Policy', 'same-origin'],
      ],
    },
    (request, response) => {
      request.resume();
      const length = { 'Content-Length': Buffer.byteLength(apiBody) };
      response.writeHead(200, { 'Content-Type': 'application/json', ...length, ...apiHeaders }).end(apiBody);
    },
  );
});

afterAll(() => system.stop());

afterEach(() => {
  apiHeaders = {};
  apiBody = 'ok';
});

/** How often each header is there: a second value would change its meaning. */
function values(answer: Answer, name: string): string[] {
  const { rawHeaders } = answer;
  return rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
  );
}

test('answers carry the security headers once each, and no trace of what they are made with', async () => {
  apiHeaders = {
    'X-Powered-By': 'Express',
    Server: 'secret/1.0',
    'X-Request-Id': 'own',
    'X-Content-Type-Options': 'nosniff',
  };
  const answer = await system.nginx.get({});
  expect(answer.headers).toMatchObject({
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    server: 'nginx',
  });
  expect(answer.headers).not.toHaveProperty('x-powered-by');
  expect(answer.headers).not.toHaveProperty('x-xss-protection');
  expect(values(answer, 'X-Request-Id')).toHaveLength(1);
  expect(values(answer, 'X-Content-Type-Options')).toEqual(['nosniff']);
});

test("the API's own header wins over nginx's default", async () => {
  apiHeaders = {
    'Content-Security-Policy': "default-src 'self'",
    'X-Team': 'billing',
    'Strict-Transport-Security': 'max-age=1',
  };
  const answer = await system.nginx.get({});
  expect(values(answer, 'Content-Security-Policy')).toEqual(["default-src 'self'"]);
  expect(values(answer, 'X-Team')).toEqual(['billing']);
  expect(values(answer, 'Strict-Transport-Security')).toEqual(['max-age=31536000; includeSubDomains']);
});

test('further headers are sent to the letter, and replace a default of the same name', async () => {
  const answer = await system.nginx.get({});
  expect(values(answer, 'X-Team')).toEqual(['orders; "all" of $them \\ {us}']);
  expect(values(answer, 'Referrer-Policy')).toEqual(['same-origin']);
});

test('a JSON answer of some size is compressed for who accepts it, a small one and an event stream are not', async () => {
  apiBody = JSON.stringify('x'.repeat(5000));
  const headers = { 'accept-encoding': 'gzip' };
  const large = await system.nginx.get({ headers });
  expect(large.headers['content-encoding']).toBe('gzip');
  expect(large.headers.vary).toBe('Accept-Encoding');
  expect((await system.nginx.get({})).headers['content-encoding']).toBeUndefined();
  apiHeaders = { 'Content-Type': 'text/event-stream' };
  expect((await system.nginx.get({ headers })).headers['content-encoding']).toBeUndefined();
  apiHeaders = {};
  apiBody = 'small';
  expect((await system.nginx.get({ headers })).headers['content-encoding']).toBeUndefined();
});

describe("nginx's own errors are JSON with the request id, and carry the security headers", () => {
  const cases: [number, string, Parameters<OneInstance['nginx']['get']>[0]][] = [
    [413, 'Content Too Large', { method: 'POST', body: 'x'.repeat(3000) }],
    [400, 'Bad Request', { path: '/%zz' }],
    [
      431,
      'Request Header Fields Too Large',
      { headers: Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-${i}`, 'y'])) },
    ],
    [431, 'Request Header Fields Too Large', { headers: { 'X-Large': 'y'.repeat(9000) } }],
    [414, 'URI Too Long', { path: `/${'y'.repeat(9000)}` }],
    [405, 'Method Not Allowed', { method: 'TRACE' }],
  ];

  test.each(cases)('%i %s', async (status, error, options) => {
    const answer = await system.nginx.get(options);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.body)).toEqual({ error, requestId: answer.headers['x-request-id'] });
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.body).not.toContain('nginx');
  });

  test('no client asks for the error page itself', async () => {
    const answer = await system.nginx.get({ path: '/.nginx-error' });
    expect(answer.status).toBe(404);
  });
});
