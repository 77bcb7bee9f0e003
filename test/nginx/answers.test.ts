import { OneInstance, startWithOneInstance } from './support/one-instance';
import { Answer } from './support/real-nginx';

let system: OneInstance;
let apiStatus = 200;
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
      const ofBody = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(apiBody) };
      // As Express answers who has it already: without a type.
      if (apiStatus === 304) response.writeHead(304, apiHeaders).end();
      else response.writeHead(apiStatus, { ...ofBody, ...apiHeaders }).end(apiBody);
    },
  );
});

afterAll(() => system.stop());

afterEach(() => {
  apiStatus = 200;
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

describe('The policy of an answer', () => {
  const [ofData, ofPages] = [
    "default-src 'none'; frame-ancestors 'none'",
    /^default-src 'self'; .*; form-action 'self'/,
  ];

  test.each(['text/html', 'text/html; charset=utf-8', 'TEXT/HTML;charset=utf-8', 'application/xhtml+xml'])(
    'lets a page (%s) load what is its own',
    async (type) => {
      apiHeaders = { 'Content-Type': type };
      const answer = await system.nginx.get({});
      expect(values(answer, 'Content-Security-Policy')).toEqual([expect.stringMatching(ofPages)]);
      // One that the proxy was given is that of every answer.
      expect(values(answer, 'Referrer-Policy')).toEqual(['same-origin']);
    },
  );

  test.each([
    ...['application/json; charset=utf-8', 'text/plain', 'text/html-fragment', 'image/svg+xml'],
    ...['application/json; a="text/html"', ''],
  ])('lets what is no page (%j) load nothing', async (type) => {
    apiHeaders = { 'Content-Type': type };
    expect(values(await system.nginx.get({}), 'Content-Security-Policy')).toEqual([ofData]);
  });

  test("is that of a page's own, and of a page with an error", async () => {
    apiHeaders = { 'Content-Type': 'text/html', 'Content-Security-Policy': "script-src 'self'" };
    expect(values(await system.nginx.get({}), 'Content-Security-Policy')).toEqual(["script-src 'self'"]);
    apiStatus = 500;
    apiHeaders = { 'Content-Type': 'text/html' };
    expect(values(await system.nginx.get({}), 'Content-Security-Policy')).toEqual([expect.stringMatching(ofPages)]);
  });

  test('is not said again by a 304, which a browser would put over that of the page that it has', async () => {
    apiStatus = 304;
    apiHeaders = { ETag: '"1"' };
    const answer = await system.nginx.get({ headers: { 'if-none-match': '"1"' } });
    expect(answer.status).toBe(304);
    expect(values(answer, 'Content-Security-Policy')).toEqual([]);
    expect(values(answer, 'X-Content-Type-Options')).toEqual(['nosniff']);
    apiHeaders = { ETag: '"1"', 'Content-Security-Policy': "default-src 'self'" };
    expect(values(await system.nginx.get({}), 'Content-Security-Policy')).toEqual(["default-src 'self'"]);
  });
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

test('an answer leads to no other location, whatever it says of one', async () => {
  apiHeaders = { 'X-Accel-Redirect': '/.nginx-error' };
  apiBody = 'its own';
  const answer = await system.nginx.get({});
  expect([answer.status, answer.body]).toEqual([200, 'its own']);
  expect(answer.headers).not.toHaveProperty('x-accel-redirect');
});
