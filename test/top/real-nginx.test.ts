import { Agent } from 'node:https';
import { PassThrough } from 'node:stream';
import { freePort } from '../../local/ports';
import { Output } from '../../local/terminal/output';
import { screenLines } from '../../top/screen';
import { proxiesAt } from '../../top/source';
import { Watch } from '../../top/watch';
import { onTestFinished } from '../afterwards';
import { startWithUnevenInstances } from '../dashboard/uneven-instances';
import { scrape, sum } from '../nginx/metrics/exposition';
import { startWithOneInstance } from '../nginx/support/one-instance';
import { until } from '../until';

const { signal } = new AbortController();
const patience = 10_000;

test('what nginx counted of a load is on the screen, and nothing else once it is away', async () => {
  const port = await freePort();
  const { nginx, api, stop } = await startWithOneInstance(
    {
      names: ['api.example.com'],
      routes: [{ name: 'root' }, { name: 'orders', path: '/orders' }],
      metrics: { maxSeries: 500 },
    },
    (request, response) => {
      response.statusCode = request.url === '/orders/fails' ? 500 : 200;
      response.end('ok');
    },
    { metricsPort: port },
  );
  onTestFinished(stop);
  const watch = new Watch(proxiesAt([`http://127.0.0.1:${port}/metrics`], ''));
  const counted = (labels: Readonly<Record<string, string>>): Promise<number> =>
    scrape(port).then((found) => sum(found, 'fairlead_http_requests_total', labels));
  // A request is counted when it is done, which its client may know a moment earlier: that of the first answer is.
  await until(async () => (await counted({ route: 'root', code: '200' })) === 1);
  expect((await watch.look(patience, signal)).figures).toBeNull();

  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  onTestFinished(() => {
    agent.destroy();
  });
  const paths = [...Array<string>(36).fill('/'), ...Array<string>(3).fill('/orders'), '/orders/fails'];
  await Promise.all(paths.map((path) => nginx.get({ path, agent })));
  await until(async () => (await counted({ route: 'root', code: '200' })) === 37);
  await until(async () => (await counted({ route: 'orders' })) === 4);

  const observed = await watch.look(patience, signal);
  const { figures, proxies } = observed;
  if (figures === null) throw new Error('there are no figures');
  const { requests, errors, clientErrors, p50, p95, p99 } = figures.proxy;
  expect([errors / requests, clientErrors]).toEqual([expect.closeTo(1 / 40), 0]);
  expect([p50, p95, p99].every((seconds) => seconds !== null && seconds > 0)).toBe(true);
  expect(figures.routes.find(({ route }) => route === 'root')?.requests).toBeCloseTo(requests * 0.9);
  expect(figures.routes.find(({ route }) => route === 'orders')?.errors).toBeCloseTo(errors);
  expect(figures.backends).toMatchObject([{ name: 'api', saved: 0, lost: 0, noInstance: 0 }]);
  const peer = `127.0.0.1:${api.instance.port}`;
  expect(figures.peers).toMatchObject([{ backend: 'api', version: '', peer, share: 1, failures: 0 }]);
  expect(figures.peers[0]?.requests).toBeCloseTo(requests);
  expect(proxies.map(({ problem }) => problem)).toEqual([undefined]);
  expect(proxies[0]?.configuration).toMatch(/^[0-9a-f]{10}$/);
  expect(proxies[0]?.nginx).toMatch(/^1\.\d+\.\d+$/);
  const screen = screenLines(observed, { columns: 100, rows: 40 }, new Output(new PassThrough())).join('\n');
  expect(screen).toMatch(/^fairlead top .* 1 proxy answers\n\S+ requests\/s {3}\S+ 5xx\/s {3}0 4xx\/s {3}p50 /);
  expect(screen).toMatch(/ of [\d,]+ connections \(.* %\) {3}\d+ of [\d,]+ requests in progress/);
  expect(screen).toMatch(new RegExp(`^${peer} +api .* 100 % `, 'm'));

  await nginx.stop();
  const away = await watch.look(patience, signal);
  expect(away.figures).toBeNull();
  expect(away.proxies).toMatchObject([{ problem: expect.stringMatching(/^does not answer \(/) as string }]);
  expect(away.events[0]).toMatchObject({ tone: 'bad' });
});

test('an instance that refuses has retries, and one that answers late has its time and what is in flight', async () => {
  const { metricsPort, late, refusing, send } = await startWithUnevenInstances();
  const watch = new Watch(proxiesAt([`http://127.0.0.1:${metricsPort}/metrics`], ''));
  const { proxies } = await watch.look(patience, signal);
  expect(proxies.map(({ name }) => name)).toEqual([`127.0.0.1:${metricsPort}`]);
  await send(12);
  const observed = await watch.look(patience, signal);
  const of = (address: string) => observed.figures?.peers.find(({ peer }) => peer === address);
  expect(of(refusing)).toMatchObject({ p50: null, p99: null, retries: of(refusing)?.failures });
  expect(of(refusing)?.retries).toBeGreaterThan(0);
  expect(of(late)).toMatchObject({ failures: 0, retries: 0 });
  expect(of(late)?.p99).toBeGreaterThan(0.1);
  expect(of(late)?.inFlight).toBeGreaterThan(0);
  const lines = screenLines(observed, { columns: 100, rows: 40 }, new Output(new PassThrough())).join('\n');
  expect(lines).toMatch(/^PEER .* FAILURES {2}IN FLIGHT +P50 +P99 {2}RETRIES$/m);
  expect(lines).toMatch(new RegExp(`^${refusing} .* ([1-9]\\d*) +\\S+ +– +– +\\1$`, 'm'));
});
