import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { accessLogLine } from '../../explain/access-log-line';
import { FoundByStatus } from '../../explain/found-by-status';
import { loggedRequest } from '../../explain/logged-request';
import { groupLines } from '../../explain/printed';
import { timeText } from '../../explain/time-span';
import { Output } from '../../local/terminal/output';
import { freePort } from '../../local/ports';
import { onFileFinished } from '../afterwards';
import { newBackend, newProxy, newShop } from '../charts/manifests';
import { fairlead } from '../cli/fairlead';
import { taking } from '../nginx/support/failing-instances';
import { RealNginx } from '../nginx/support/real-nginx';
import { StubApi } from '../nginx/support/stub-api';
import { StubDns } from '../nginx/support/stub-dns';
import { until } from '../until';

const begin = Date.UTC(2026, 2, 1, 14, 3);
const span = { from: begin, to: begin + 60_000 };

/** A request that found no instance, so many seconds after the begin. */
function line(seconds: number, more: object = {}) {
  return accessLogLine(
    'line',
    JSON.stringify({
      time: new Date(begin + seconds * 1000).toISOString(),
      ...{ request_id: `at-${seconds}`, status: 503, method: 'GET', host: 'shop.example.com', path: '/orders' },
      ...{ upstream_addr: 'orders', upstream_status: '502', upstream_bytes_sent: '0', upstream_header_time: '-' },
      ...more,
    }),
  );
}

function foundIn(status: string, lines: readonly (readonly [ReturnType<typeof line>, string?])[]): FoundByStatus {
  const found = new FoundByStatus({ status, span }, (each) => loggedRequest(each, []));
  for (const [each, proxy] of lines) found.add(each, proxy);
  return found;
}

describe('requests that ended with a status', () => {
  test('are those of the time, from its begin to before its end', () => {
    const { groups, statuses, log } = foundIn('503', [[line(-1)], [line(0)], [line(59)], [line(60)]]);
    expect(groups.map(({ count, first, last }) => [count, first, last])).toEqual([[2, begin, begin + 59_000]]);
    expect([...statuses]).toEqual([[503, 2]]);
    expect(log).toEqual({ from: begin - 1000, to: begin + 60_000 });
  });

  test.each([
    ['503', [503]],
    ['5xx', [500, 503]],
    ['4xx', [404]],
    ['000', [0]],
  ])('are those of %s alone', (wanted, expected) => {
    const { groups } = foundIn(
      wanted,
      [503, 500, 404, 0, 200].map((status) => [line(1, { status })]),
    );
    expect(groups.map(({ status }) => status).sort()).toEqual(expected);
  });

  test('are those of gRPC too, whose answers are all 200', () => {
    const call = { status: 200, grpc_status: '14' };
    expect(foundIn('503', [[line(1, call)]]).groups).toMatchObject([{ status: 503, reason: 'nobody-there', count: 1 }]);
    expect(foundIn('200', [[line(1, call)]]).groups).toEqual([]);
    expect(foundIn('200', [[line(1, { ...call, grpc_status: '0' })]]).groups).toHaveLength(1);
  });

  test('are told apart by why they did, with the latest of each, in whatever order they are logged', () => {
    const asked = {
      upstream_addr: '10.0.0.1:80, 10.0.0.2:80',
      upstream_status: '502, 502',
      upstream_bytes_sent: '0, 0',
    };
    const refused = { ...asked, upstream_header_time: '-, -' };
    const { groups } = foundIn('503', [
      [line(3, refused), 'edge-b'],
      [line(9, refused), 'edge-a'],
      [line(1, refused), 'edge-a'],
      [line(5), 'edge-a'],
    ]);
    expect(groups.map(({ reason, count, request }) => [reason, count, request.line.requestId])).toEqual([
      ['connection-refused', 3, 'at-9'],
      ['nobody-there', 1, 'at-5'],
    ]);
    const printed = groups.map((group) => groupLines(group, new Output(new PassThrough())).slice(0, 5));
    expect(printed).toEqual([
      [
        `3 requests with 503, connection-refused, from ${timeText(begin + 1000)} to ${timeText(begin + 9000)}`,
        '  asked 10.0.0.1:80 (3), 10.0.0.2:80 (3)',
        '  logged by edge-a (2), edge-b (1)',
        '  the last of them:',
        '',
      ],
      [
        `1 request with 503, nobody-there, at ${timeText(begin + 5000)}`,
        '  logged by edge-a (1)',
        '',
        '503: GET https://shop.example.com/orders',
        '  2026-03-01T14:03:05.000Z, request at-5',
      ],
    ]);
  });

  test('name no more than ten instances', () => {
    const lines = Array.from({ length: 12 }, (_, index) => {
      const tried = { upstream_addr: `10.0.0.${index}:80`, upstream_status: '502', upstream_bytes_sent: '0' };
      return [line(index, tried)] as const;
    });
    const [group] = foundIn('503', lines).groups;
    if (group === undefined) throw new Error('there is a group');
    const text = groupLines(group, new Output(new PassThrough())).join('\n');
    expect(text).toContain('10.0.0.9:80 (1), and 2 others\n');
  });

  test('are none whose time nobody can tell', () => {
    const { groups, timeless } = foundIn('503', [[line(1, { time: 'yesterday' })], [line(1, { time: undefined })]]);
    expect([groups.length, timeless]).toEqual([0, 2]);
  });

  test('at another time are remembered by the nearest', () => {
    const lines = [-500, -20, 200, 75, 1000].map((seconds) => [line(seconds)] as const);
    expect(foundIn('503', lines).nearest).toMatchObject({ requestId: 'at-75', time: begin + 75_000 });
    expect(foundIn('502', lines).nearest).toBeUndefined();
  });
});

describe('in the log of a real nginx', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-statuses-'));
  const log = join(directory, 'some.log');
  const main = join(directory, 'main.js');
  let dying: number;

  beforeAll(async () => {
    onFileFinished(() => {
      rmSync(directory, { recursive: true });
    });
    // The same routes as they are deployed.
    writeFileSync(
      main,
      `const { App } = require(${JSON.stringify(resolve('node_modules/cdk8s'))});
const { Backend, NginxProxy, RestrictedNamespace } = require(${JSON.stringify(resolve('index'))});
const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const edge = new NginxProxy(shop, 'edge', { host: 'localhost' });
const [dying] = ['dying', 'orders', 'gone'].map((name) => {
  const backend = new Backend(shop, name, { image: name + ':1' });
  edge.addRoute('/' + name, backend);
  return backend;
});
edge.addRoute('/also', dying);
app.synth();
`,
    );
    const closed = await freePort();
    const dns = await StubDns.start();
    const api = await StubApi.start('orders', (incoming, response) => {
      incoming.resume().on('end', () => {
        response.statusCode = incoming.url?.endsWith('broken') === true ? 500 : 200;
        response.end('ok');
      });
    });
    ({ port: dying } = await taking((socket) => socket.resetAndDestroy()));
    for (const name of ['orders', 'dying']) {
      dns.byHost.set(`${name}.shop.svc.cluster.local`, [{ address: '127.0.0.1', port: 0 }]);
    }
    dns.byHost.set('gone.shop.svc.cluster.local', []);
    const shop = newShop({ resolverValid: '1s', dnsCacheTtl: '0s' });
    const edge = newProxy(shop, 'edge');
    const breaking = newBackend(shop, 'dying', { port: dying });
    edge.addRoute('/dying', breaking);
    edge.addRoute('/also', breaking);
    edge.addRoute('/orders', newBackend(shop, 'orders', { port: api.instance.port }));
    edge.addRoute('/gone', newBackend(shop, 'gone', { port: closed }));
    const nginx = await RealNginx.start(
      edge.model,
      { resolvers: [dns.server], workers: 1 },
      {
        change: (conf) =>
          conf
            .replaceAll(/\w+-cluster-ip\.shop\.svc\.cluster\.local:\d+/g, `127.0.0.1:${closed}`)
            .replaceAll(' buffer=4k flush=1s', ''),
      },
    );
    const lines = (): readonly string[] =>
      readFileSync(join(nginx.directory, 'access.log'), 'utf8').split('\n').slice(0, -1);
    const post = { method: 'POST', body: 'x' };
    await nginx.untilAnswered(({ status }) => status === 200, { path: '/orders' });
    await nginx.untilAnswered(({ status }) => status === 502, { path: '/dying', ...post });
    let sent = 0;
    for (const [times, path] of [
      [3, '/dying'],
      [1, '/also'],
      [2, '/gone'],
      [2, '/orders'],
      [1, '/orders/broken'],
    ] as const) {
      for (let time = 0; time < times; time += 1) {
        sent += 1;
        await nginx.get({ path, ...post, headers: { 'x-request-id': `told-${sent}` } });
      }
    }
    const told = await until(() => {
      const found = lines().filter((text) => text.includes('"request_id":"told-'));
      return found.length === sent && found;
    }, 'all lines');
    writeFileSync(log, `${told.join('\n')}\n`);
  }, 120_000);

  /** The time of a line of the log, as its text. */
  function timeOf(index: number): number {
    const text = readFileSync(log, 'utf8').split('\n').at(index) ?? '';
    return Date.parse((JSON.parse(text) as { readonly time: string }).time);
  }

  test('what failed is told apart by why and by route, and each is explained once', async () => {
    const { code, stdout, stderr } = await fairlead('explain', '5xx', '--since', '10m', '--log', log, '--main', main);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^In some\.log: 9 requests since \S+; 7 of them ended with 5xx, in 4 ways:\n\n3 requests with/,
    );
    expect(stdout.match(/^\d+ requests? with \d+, [\w-]+/gm)).toEqual([
      '3 requests with 502, broke-off',
      '2 requests with 503, nobody-there',
      // On another route.
      '1 request with 502, broke-off',
      '1 request with 500, api-status',
    ]);
    expect(stdout.match(/^Why: .*/gm)).toEqual([
      'Why: broke-off',
      'Why: nobody-there',
      'Why: broke-off',
      'Why: api-status',
    ]);
    expect(stdout).toContain(
      `\n  route /dying of edge; backend dying\n  asked 127.0.0.1:${dying} (3)\n  the last of them:\n\n502: POST https://localhost/dying\n`,
    );
    expect(stdout).toContain('kubectl rollout undo deployment/gone --namespace shop');
  });

  test('a status that there was not ends with exit code 1, and those that there were', async () => {
    const { code, stdout, stderr } = await fairlead('explain', '504', '--since', '10m', '--log', log);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^fairlead: some\.log has no 504 since \S+: there were 502 \(4\), 503 \(2\), 200 \(2\), 500 \(1\): give one of these, or another time\n$/,
    );
  });

  test('a time at which there was nothing ends with exit code 1, and when the log is of', async () => {
    const at = timeText(timeOf(0) - 3_600_000);
    const { code, stdout, stderr } = await fairlead('explain', '502', '--at', at, '--log', log);
    expect([code, stdout]).toEqual([1, '']);
    const [first, last] = [timeText(timeOf(0)), timeText(timeOf(-2))];
    expect(stderr).toContain(
      `, as it begins at ${first} and ends at ${last}; the nearest 502 was at ${first}, request `,
    );
    expect(stderr).toMatch(/: a time without a zone is that of this machine\n$/);
  });

  test('a log without a line ends with exit code 1', async () => {
    const empty = join(directory, 'empty.log');
    writeFileSync(empty, '2026/03/01 12:00:00 [error] 7#7: nothing\n');
    expect(await fairlead('explain', '502', '--since', '1h', '--log', empty)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'fairlead: empty.log has no line of the access log: give lines as nginx writes them, a JSON object each\n',
    });
  });
});
