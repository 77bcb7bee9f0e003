import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { accessLogLine } from '../../explain/access-log-line';
import { type Deployment, deploymentOf, deploymentsOfHost } from '../../explain/deployment';
import { loggedRequest } from '../../explain/logged-request';
import { explanationLines } from '../../explain/printed';
import { repeatCommand } from '../../explain/repeat';
import { Output } from '../../local/terminal/output';
import { Match, Path } from '../../model/routes/matching';
import { newBackend, newProxy, newShop } from '../charts/manifests';

const output = new Output(new PassThrough());

/** A request that an instance has hung on for as long as it may. */
const hung = {
  ...{ time: '2026-03-01T12:00:00+00:00', request_id: 'a-1', client: '203.0.113.7', method: 'POST' },
  ...{ host: 'shop.example.com', path: '/orders/17', protocol: 'HTTP/2.0', status: 504, bytes_sent: 300 },
  ...{ request_time: 5.002, upstream_addr: '10.244.1.7:3000', upstream_status: '504', upstream_bytes_sent: '388' },
  ...{ upstream_header_time: '-', upstream_response_time: '5.001', tls: 'TLSv1.3', user_agent: 'curl/8.9.1' },
};

/** What a request has that nginx itself answered. */
const noTries = {
  ...{ upstream_addr: '', upstream_status: '', upstream_bytes_sent: '' },
  ...{ upstream_header_time: '', upstream_response_time: '' },
};

function printed(more: object = {}, deployments: readonly Deployment[] = []): string {
  const line = accessLogLine('line', JSON.stringify({ ...hung, ...more }));
  return explanationLines(loggedRequest(line, deploymentsOfHost(deployments, line.host)), output).join('\n');
}

describe('where the times of a request come from', () => {
  const shop = newShop();
  const edge = newProxy(shop, 'edge', {
    host: 'shop.example.com',
    additionalHosts: ['www.example.com'],
    routeDefaults: { requestTimeout: '8s' },
  });
  const orders = newBackend(shop, 'orders', { requestTimeout: '20s' });
  edge.addRoute('/orders', orders, { requestTimeout: '5s' });
  edge.addRoute('/orders/slow', orders, { when: Match.header('X-Slow', 'yes'), requestTimeout: '6s' });
  edge.addRoute(Path.exact('/orders/read'), orders, { when: Match.method('GET'), requestTimeout: '7s' });
  edge.addRoute('/all', orders);
  edge.addRoute('/events', orders, { streaming: '5s' });
  edge.addHost('admin.example.com', { routeDefaults: { requestTimeout: '4s' } }).addRoute('/', orders);
  const deployments = [deploymentOf(edge, 'production')];
  const said = (more: object): string =>
    /(?:said nothing for \S+ s: )(.*?)\.(?: main\.ts|$)/m.exec(printed(more, deployments))?.[1] ?? '';

  test.each([
    ['/orders/17', 'requestTimeout of the route /orders (5s)'],
    ['/orders', 'requestTimeout of the route /orders (5s)'],
    ['//orders/./a/../17', 'requestTimeout of the route /orders (5s)'],
    ['/%6frders/17', 'requestTimeout of the route /orders (5s)'],
    ['/all/of/it', 'routeDefaults.requestTimeout of edge (8s)'],
    ['/events', 'streaming of the route /events (5s)'],
    [
      '/orders/slow/1',
      'requestTimeout of the route /orders/slow with X-Slow (6s), or requestTimeout of the route /orders (5s)',
    ],
    ['/orders/read', 'requestTimeout of the route /orders (5s)'],
    ['/elsewhere', 'requestTimeout of its route or backend (60s by default), or streaming of its route'],
  ])('of %s is said', (path, source) => {
    expect(said({ path })).toBe(source);
  });

  test('goes by the method and the host too', () => {
    expect(said({ path: '/orders/read', method: 'GET' })).toBe(
      'requestTimeout of the route = /orders/read with GET (7s)',
    );
    expect(said({ host: 'www.example.com', path: '/all' })).toBe('routeDefaults.requestTimeout of edge (8s)');
    expect(said({ host: 'admin.example.com', path: '/' })).toBe(
      'routeDefaults.requestTimeout of admin.example.com (4s)',
    );
  });

  test('is what the mend gives more of', () => {
    const longer = 'give its backend more (requestTimeout';
    const silent = 'give its route more (streaming';
    const events = printed({ path: '/events' }, deployments);
    expect(events).toContain(silent);
    expect(events).not.toContain(longer);
    expect(printed({ path: '/all' }, deployments)).toContain(longer);
    expect(printed({ path: '/all' }, deployments)).not.toContain(silent);
  });

  test('is left out where the host is in no main.ts', () => {
    expect(printed({ host: 'other.example.com' }, deployments)).toContain('Its host is in no main.ts that was read');
    expect(said({ host: 'other.example.com' })).toContain('60s by default');
  });

  test('is doubted where main.ts says another time than the log has', () => {
    expect(printed({ path: '/all' }, deployments)).toContain('main.ts says another time by now');
    expect(printed({}, deployments)).not.toContain('main.ts says another time by now');
  });
});

test('a time of a backend is called the default only where it was not given', () => {
  const said = (options: Parameters<typeof newBackend>[2]): string => {
    const edge = newProxy(newShop(), 'edge', { host: 'shop.example.com' });
    edge.addRoute('/orders', newBackend(edge.namespace, 'orders', options));
    return printed({}, [deploymentOf(edge, 'production')]);
  };
  expect(said({})).toContain('requestTimeout of the backend orders (60s, the default).');
  expect(said({ requestTimeout: '60s' })).toContain('requestTimeout of the backend orders (60s).');
});

test('a line is said to be over no limit where an instance was asked', () => {
  expect(printed({ status: 503, upstream_status: '-', upstream_response_time: undefined })).toContain('Why: unknown');
});

test('what nginx refuses of an answer that it had is not put down to the API', () => {
  const had = { method: 'GET', status: 412, upstream_status: '200', upstream_header_time: '0.002', cache: 'MISS' };
  expect(printed(had)).toContain('Why: bad-request\n  The client asked for it on a condition');
  const kept = printed({ ...noTries, method: 'GET', status: 416, cache: 'HIT' });
  expect(kept).toContain('Why: bad-request\n  The client asked for a part that it does not have (Range).');
  expect(kept).not.toContain('No instance has seen it');
  expect(printed({ ...had, upstream_status: '412' })).toContain('The API itself answered 412');
});

test('a line without its version of TLS is not taken for plain HTTP', () => {
  const refused = { ...noTries, method: 'GET', status: 400 };
  expect(printed({ ...refused, tls: '' })).toContain('It came without TLS');
  const unknown = printed({ ...refused, tls: undefined });
  expect(unknown).toMatch(/^400: GET https:/);
  expect(unknown).not.toContain('It came without TLS');
});

test('a 500 is put down to auth where a route may have some', () => {
  const edge = newProxy(newShop(), 'edge', { host: 'shop.example.com' });
  edge.addRoute('/orders', newBackend(edge.namespace, 'orders'));
  expect(printed({ ...noTries, status: 500 })).toContain('Most often nobody could tell who may use the route (auth)');
  expect(printed({ ...noTries, status: 500 }, [deploymentOf(edge, 'production')])).not.toMatch(/who may use|secrets/);
});

test('a host of several proxies is explained by that of the namespace that was looked in, or with a word of the others', () => {
  const all = [newShop(), newShop({ name: 'staging' })].map((namespace) => {
    const edge = newProxy(namespace, 'edge', { host: 'shop.example.com' });
    edge.addRoute('/', newBackend(namespace, 'orders'));
    return deploymentOf(edge, 'production');
  });
  const namespacesOf = (looked?: string): readonly string[] =>
    deploymentsOfHost(all, 'shop.example.com', looked).map(({ namespace }) => namespace);
  expect(namespacesOf('staging')).toEqual(['staging']);
  expect(namespacesOf('elsewhere')).toEqual(['shop', 'staging']);
  expect(namespacesOf()).toEqual(['shop', 'staging']);
  expect(printed({}, all)).toContain(
    '\n  edge, namespace shop, environment production: route /\n  Its host is one of edge of the namespace staging too: if it came there,',
  );
  expect(printed({}, all.slice(0, 1))).not.toContain('too: if it came there');
});

test('a status of gRPC that stands for two errors is said to do so', () => {
  const edge = newProxy(newShop(), 'edge', { host: 'shop.example.com' });
  edge.addRoute('/shop.Orders', newBackend(edge.namespace, 'calls', { protocol: 'grpc' }));
  const refused = { ...noTries, status: 200, grpc_status: '8', path: '/shop.Orders/Get' };
  expect(printed(refused)).toContain('grpc-message of the answer says which');
  const certain = printed(refused, [deploymentOf(edge, 'production')]);
  expect(certain).toContain('Why: body-too-large');
  expect(certain).not.toContain('grpc-message');
});

describe('what accessLog.omit has left out', () => {
  const omitted = { client: undefined, protocol: undefined, bytes_sent: undefined, request_time: undefined };
  const without = (more: object = {}): string => printed({ ...omitted, upstream_response_time: undefined, ...more });

  test('is named, and nothing is said in its place', () => {
    const lines = without().split('\n');
    expect(lines.slice(0, 4)).toEqual([
      '504: POST https://shop.example.com/orders/17',
      '  2026-03-01T12:00:00+00:00, request a-1',
      '  Its host is in no main.ts that was read: times and options are left out, or are those by default.',
      '  Its line has no client, protocol, bytes_sent, request_time, upstream_response_time: accessLog.omit of the proxy, or what carried the line, left that out.',
    ]);
    expect(lines.join('\n')).toContain('said nothing for some time');
    expect(printed({ user_agent: undefined })).not.toContain('Its line has no');
  });

  test('is no time that a client took, and none that a try has cost', () => {
    const saved = {
      ...{ status: 200, upstream_addr: '10.244.1.7:3000, 10.244.2.4:3000', upstream_status: '502, 200' },
      ...{ upstream_bytes_sent: '0, 388', upstream_header_time: '-, 0.021', request_time: 5 },
    };
    expect(without(saved)).toContain('\n  It was.\n');
    expect(without(saved)).not.toContain('went by while its client');
    expect(printed({ ...saved, upstream_response_time: '0.001, 0.022' })).toContain('went by while its client');
  });

  test('is no time after which a client left', () => {
    const left = without({ status: 499, upstream_status: '499' });
    expect(left).toContain('  The client left, before there was an answer');
    expect(left).not.toContain('That is sooner than nginx gives an instance up');
  });
});

test('docs/explain.md shows what is printed', () => {
  const shop = newShop();
  const edge = newProxy(shop, 'edge', { host: 'shop.example.com' });
  edge.addRoute('/orders', newBackend(shop, 'orders', { requestTimeout: '20s' }));
  const more = {
    ...{ request_id: '5f0c6a1e9b7d4c2f8a3e6d5b4c7f9a10', bytes_sent: 312, request_time: 20.004 },
    ...{ upstream_response_time: '20.001' },
  };
  const [, shown = ''] = /```text\n(.*?)```/s.exec(readFileSync(resolve('docs/explain.md'), 'utf8')) ?? [];
  expect(printed(more, [deploymentOf(edge, 'production')])).toBe(shown);
});

test('nothing of a client reaches a terminal as it is, and no line is endless', () => {
  const hostile = `\u001b]0;x\u0007\u202e\n${'y'.repeat(5000)}`;
  const names = ['time', 'request_id', 'client', 'method', 'host', 'path', 'protocol', 'tls', 'client_certificate'];
  const anyTry = fc.constantFrom(
    ...([
      '10.0.0.1:80|0|502|-',
      '10.0.0.1:80|9|504|-',
      'orders|0|502|-',
      '10.0.0.1:80|9|500|0.1',
      '[::1]:80|9|-|-',
    ] as const),
  );
  const anyTries = fc.array(fc.tuple(anyTry, fc.constantFrom(', ', ' : ')), { maxLength: 5 }).map((tries) => {
    const column = (index: number): string =>
      tries.map(([text, gap], at) => `${at === 0 ? '' : gap}${text.split('|')[index] ?? ''}`).join('');
    return {
      ...{ upstream_addr: column(0), upstream_bytes_sent: column(1), upstream_status: column(2) },
      ...{ upstream_header_time: column(3), upstream_response_time: column(3) },
    };
  });
  const anyStatus = fc.oneof(
    fc.constantFrom(0, 200, 308, 400, 401, 403, 404, 405, 408, 413, 414, 421, 429, 431, 499, 500, 502, 503, 504),
    fc.integer({ min: 0, max: 999 }),
  );
  const edge = newProxy(newShop(), 'edge', { host: 'shop.example.com' });
  edge.addRoute('/orders', newBackend(edge.namespace, 'orders'));
  const deployments = [deploymentOf(edge, 'production')];
  fc.assert(
    fc.property(
      fc.subarray(names),
      anyStatus,
      anyTries,
      fc.constantFrom('', '0', '8', '14', '99'),
      (chosen, status, tries, grpc_status) => {
        const more = { ...tries, ...Object.fromEntries(chosen.map((name) => [name, hostile])), status, grpc_status };
        const text = printed(more, deployments);
        // eslint-disable-next-line no-control-regex -- that none is there but the ends of lines
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
        expect(text).not.toMatch(/undefined|NaN/);
        expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThan(4000);
      },
    ),
    { numRuns: 300 },
  );
  expect(printed({ upstream_addr: '\u001b[2J:1' })).not.toContain('\u001b');
});

describe('the command that sends a request again', () => {
  const command = (more: object = {}): string | undefined =>
    repeatCommand(loggedRequest(accessLogLine('line', JSON.stringify({ ...hung, ...more })), []));

  test.each<[object, string]>([
    [
      {},
      "curl --include --request POST --data-binary @BODY-FILE --header 'X-Request-Id: a-1-again' https://shop.example.com/orders/17",
    ],
    [
      { method: 'HEAD', protocol: 'HTTP/1.1', request_id: 'b'.repeat(128) },
      `curl --include --http1.1 --head --header 'X-Request-Id: ${'b'.repeat(122)}-again' https://shop.example.com/orders/17`,
    ],
    [
      { method: 'DELETE', tls: '', path: '/a/../b', request_id: '$(x)' },
      'curl --include --request DELETE --path-as-is http://shop.example.com/a/../b',
    ],
    [
      { method: 'GET', host: 'localhost', path: "/it's [a] {b} \u00e9?#`$x`" },
      `curl --include --insecure --header 'X-Request-Id: a-1-again' 'https://localhost:8443/it'\\''s%20%5Ba%5D%20%7Bb%7D%20%C3%A9%3F%23%60$x%60'`,
    ],
    [
      { host: '[fd00::7]', method: 'GET' },
      "curl --include --header 'X-Request-Id: a-1-again' 'https://[fd00::7]/orders/17'",
    ],
  ])('of %j is quoted for a shell', (more, expected) => {
    expect(command(more)).toBe(expected);
  });

  test.each([
    { host: '' },
    { host: '-oProxyCommand=x' },
    { host: 'a b' },
    { host: 'a/b' },
    { method: '' },
    { method: '--output' },
    { path: `/${'x'.repeat(800)}` },
    { host: `${'a.'.repeat(50)}example` },
  ])('is not given of what no client sends: %j', (more) => {
    expect(command(more)).toBeUndefined();
    expect(printed(more)).toContain('No command can be given');
  });

  test('is printed whole, however long quotes make it', () => {
    const path = `/${"'".repeat(799)}`;
    expect(printed({ path })).toContain(`\n  ${String(command({ path }))}\n`);
  });

  test('is said to be of a path that nginx may have cut', () => {
    expect(printed({ path: `/${'x'.repeat(799)}` })).toContain('this one may have gone on');
    expect(printed({ path: `/${'x'.repeat(795)}` })).not.toContain('may have gone on');
  });

  test('has a path as a shell and curl take it to the letter, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (path) => {
        const text = command({ path, method: 'GET' }) ?? '';
        const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${text}`], { encoding: 'utf8' });
        const words = stdout.split('\n').slice(0, -1);
        expect(words.filter((word) => word !== '--path-as-is').slice(0, -1)).toEqual([
          ...['curl', '--include', '--header', 'X-Request-Id: a-1-again'],
        ]);
        expect(words.at(-1)).toMatch(/^https:\/\/shop\.example\.com\/[\w\-.~!$&'()*+,;=:@%/]*$/);
      }),
      { numRuns: 50 },
    );
  });
});
