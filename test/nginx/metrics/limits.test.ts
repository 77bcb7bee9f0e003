import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { freePort } from '../../../local/ports';
import { nginxConf } from '../../../nginx/nginx-conf';
import { metricsModel } from '../../../nginx/metrics/metrics-model';
import { placeModel } from '../../../nginx/place';
import { plan } from '../../../nginx/plan';
import { serviceUrl } from '../../../validation/urls';
import { onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { proxyModel, ProxyParts, somePlace } from '../support/models';
import { startWithOneInstance } from '../support/one-instance';
import { sendLine } from '../support/several-backends';
import { scrape, sum } from './exposition';

function modelOf(parts: ProxyParts) {
  return metricsModel(plan(proxyModel(parts), placeModel(somePlace({ metricsPort: 9113 }))), '');
}

function routes(count: number) {
  return Array.from({ length: count }, (_, index) => ({ path: `/route-${index}` }));
}

describe('the bound of series', () => {
  test('holds for one route, and for five hundred', () => {
    for (const count of [1, 10, 500]) {
      const { series, mostRequestSeries, mostPeers } = modelOf({ routes: routes(count) });
      expect(series).toBeLessThanOrEqual(500);
      expect(mostRequestSeries).toBeGreaterThan(50);
      expect(mostPeers).toBeGreaterThanOrEqual(10);
    }
  });

  test('tells histograms apart by route, or by host where there are many, or not at all', () => {
    const groups = (parts: ProxyParts): number => Object.keys(modelOf(parts).routeGroups).length;
    // Beside a route: none, plain HTTP, and what nginx refuses before it knows.
    expect(groups({ routes: routes(3) })).toBe(3 + 3);
    expect(groups({ routes: routes(60) })).toBe(2);
    const hosts = Array.from({ length: 60 }, (_, index) => ({ names: [`host-${index}.example.com`] as const }));
    const [first, ...others] = hosts;
    if (first === undefined) throw new Error('no host');
    expect(groups({ hosts: [first, ...others].map(({ names }) => ({ names: [names[0]] })) as never })).toBe(1);
    expect(groups({ routes: routes(60), metrics: { maxSeries: 2000 } })).toBe(63);
  });

  test('refuses fewer series than a proxy has to say', () => {
    expect(() => modelOf({ metrics: { maxSeries: 100 } })).toThrow(
      /^maxSeries: 100 is less than this proxy has to say: give \d+ or more$/,
    );
  });

  test('has room for spans, where there are some', () => {
    const tracing = {
      collector: serviceUrl('endpoint', 'http://192.0.2.1'),
      service: { name: 'edge', namespace: 'shop' },
    };
    const of = (parts: ProxyParts): number =>
      modelOf({ routes: routes(3), metrics: { maxSeries: 20_000 }, ...parts }).series;
    expect(of({ tracing }) - of({})).toBe(2);
  });

  test('stands in nginx.conf', () => {
    const conf = nginxConf(proxyModel(), somePlace({ metricsPort: 9113 }));
    expect(conf).toContain(`; at most ${modelOf({}).series} series`);
  });
});

test('nginx.conf has nothing of metrics where its place has no port for them', () => {
  const conf = nginxConf(proxyModel(), somePlace());
  expect(conf).not.toContain('metrics');
  expect(conf).not.toContain('requests-0.log');
});

test('requests beyond the bound are counted as others, and this is said', async () => {
  const port = await freePort();
  const { nginx } = await startWithOneInstance(
    { metrics: { maxSeries: 200 } },
    (request, response) => {
      response.statusCode = Number(request.url?.slice(1)) || 200;
      response.end();
    },
    { metricsPort: port },
  );
  const codes = Array.from({ length: 100 }, (_, index) => 300 + index).filter((code) => code !== 304);
  const methods = ['GET', 'POST'];
  for (const method of methods) {
    await Promise.all(codes.map((code) => nginx.get({ method, path: `/${code}` })));
  }
  const found = await until(async () => {
    const now = await scrape(port);
    return sum(now, 'fairlead_http_requests_total') >= methods.length * codes.length && now;
  }, 'all requests');
  expect(found.samples.length).toBeLessThanOrEqual(sum(found, 'fairlead_metrics_series_limit'));
  expect(sum(found, 'fairlead_http_requests_total', { host: 'other', code: '3xx' })).toBeGreaterThan(0);
  // A slow machine may have given another status to one of them.
  expect(sum(found, 'fairlead_http_requests_total', { host: 'other' })).toBe(
    sum(found, 'fairlead_metrics_folded_total'),
  );
});

test('a connection over the limit is counted as refused', async () => {
  const port = await freePort();
  const { nginx } = await startWithOneInstance(
    { budget: { ...proxyModel().budget, connections: 2 }, unlimitedClients: [] },
    undefined,
    { metricsPort: port },
  );
  const held = [];
  for (let index = 0; index < 2; index += 1) {
    const socket = connect(nginx.place.httpsPort, '127.0.0.1');
    socket.on('error', () => undefined);
    onTestFinished(() => socket.destroy());
    await once(socket, 'connect');
    held.push(socket);
  }
  const refused = connect(nginx.place.httpsPort, '127.0.0.1');
  refused.on('error', () => undefined).resume();
  await once(refused, 'close');
  await until(
    async () => sum(await scrape(port), 'fairlead_refused_total', { limit: 'connections' }) === 1,
    'a refused connection',
  );
});

test('a request over the limit is counted as refused', async () => {
  const port = await freePort();
  const held: ServerResponse[] = [];
  const { nginx } = await startWithOneInstance(
    { budget: { ...proxyModel().budget, requests: 1 } },
    (request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('ok');
    },
    { metricsPort: port },
  );
  const first = nginx.get({ path: '/held' });
  await until(() => held.length === 1, 'a request at the API');
  expect((await nginx.get({})).status).toBe(503);
  held.pop()?.end('ok');
  expect((await first).status).toBe(200);
  await until(
    async () => sum(await scrape(port), 'fairlead_refused_total', { limit: 'requests' }) === 1,
    'a refused request',
  );
});

test('a peer that is not asked any more disappears, and one that comes back is counted anew', async () => {
  const port = await freePort();
  const { nginx, api } = await startWithOneInstance({}, undefined, { metricsPort: port }, (conf) =>
    conf.replace(/(js_var \$metrics_peers_forgotten) \d+/, '$1 0.2'),
  );
  const peer = `127.0.0.1:${api.instance.port}`;
  const asked = async (): Promise<number> => sum(await scrape(port), 'fairlead_peer_requests_total', { peer });
  await nginx.get({});
  await until(async () => (await asked()) === 0, 'the peer to be gone');
  expect((await scrape(port)).text).not.toContain(peer);
  await nginx.get({});
  await until(async () => (await asked()) === 1, 'the peer');
});

/** Files that change every second. */
function quickSlots(conf: string): string {
  return conf.replaceAll('{18}[0-4]', '{18}[02468]').replace(/(js_var \$metrics_slot) \d+/, '$1 1');
}

/** Returns the files once the request that a test begins with is counted and they are empty: nginx has no more to write to them. */
async function untilEmptied(directory: string, port: number): Promise<string[]> {
  const files = [0, 1].map((slot) => join(directory, `requests-${slot}.log`));
  await until(async () => {
    const counted = sum(await scrape(port), 'fairlead_http_requests_total', { code: '200' });
    return counted > 0 && files.every((file) => statSync(file).size === 0);
  }, 'the files to be emptied');
  return files;
}

test('what is more than a file may hold is skipped, and said', async () => {
  const port = await freePort();
  const { nginx } = await startWithOneInstance({}, undefined, { metricsPort: port }, (conf) =>
    quickSlots(conf).replace(/(js_var \$metrics_most_bytes) \d+/, '$1 1000'),
  );
  const files = await untilEmptied(nginx.directory, port);
  for (const file of files) truncateSync(file, 100_000);
  await until(async () => sum(await scrape(port), 'fairlead_metrics_lost_bytes_total') >= 199_000, 'what was lost');
  const before = sum(await scrape(port), 'fairlead_http_requests_total');
  await nginx.get({});
  await until(async () => sum(await scrape(port), 'fairlead_http_requests_total') > before, 'another request');
});

test('a file that is not written to any more is emptied once it is counted', async () => {
  const port = await freePort();
  const { nginx } = await startWithOneInstance({}, undefined, { metricsPort: port }, quickSlots);
  const files = [0, 1].map((slot) => join(nginx.directory, `requests-${slot}.log`));
  await nginx.get({});
  await until(() => files.some((file) => statSync(file).size > 0), 'a line');
  const [text] = files.map((file) => readFileSync(file, 'utf8')).filter((content) => content !== '');
  expect(text).toContain('Rall  api 200 GET ');
  const sent = await until(async () => sum(await scrape(port), 'fairlead_http_requests_total'), 'a request');
  await until(async () => {
    await scrape(port);
    return files.every((file) => statSync(file).size === 0);
  }, 'the file to be emptied');
  expect(sum(await scrape(port), 'fairlead_http_requests_total')).toBe(sent);
});

test('a file that ends in the middle of a line is emptied too, and what is lost of it is said', async () => {
  const port = await freePort();
  const { nginx } = await startWithOneInstance({}, undefined, { metricsPort: port }, quickSlots);
  const files = await untilEmptied(nginx.directory, port);
  for (const file of files) appendFileSync(file, 'Rall');
  await untilEmptied(nginx.directory, port);
  expect(sum(await scrape(port), 'fairlead_metrics_lost_bytes_total')).toBe(8);
});

test('of a try that lasts for hours ten seconds count as busy', async () => {
  const port = await freePort();
  const { nginx } = await startWithOneInstance({}, undefined, { metricsPort: port });
  const peer = '192.0.2.1:80';
  for (const seconds of ['9.000', '3600.000']) {
    const line = `Rall  api 200 GET  ${seconds}|${peer}|0.000|0.001|${seconds}\n`;
    appendFileSync(join(nginx.directory, 'requests-0.log'), line);
  }
  const found = await scrape(port, { path: '/metrics?peers' });
  expect(sum(found, 'fairlead_peer_busy_seconds_total', { peer })).toBe(19);
  expect(sum(found, 'fairlead_peer_response_seconds_total', { peer })).toBe(3609);
});

describe('What a client or an API can choose', () => {
  const requests = 'fairlead_http_requests_total';

  test('makes no long lines, whatever the method, and no series that is none', async () => {
    const port = await freePort();
    const { nginx } = await startWithOneInstance({ routes: [{ name: 'folded-maps' }] }, undefined, {
      metricsPort: port,
    });
    const files = [0, 1].map((slot) => join(nginx.directory, `requests-${slot}.log`));
    for (const file of files) appendFileSync(file, 'Bfolded-maps 12Rfolded-maps 5\n');
    await sendLine(`${'A'.repeat(6000)} / HTTP/1.1`, nginx);
    await nginx.get({ method: 'PUT' });
    const labels = { route: 'folded-maps', method: 'PUT', code: '200' };
    const found = await until(async () => {
      const now = await scrape(port);
      return sum(now, requests, labels) === 1 && sum(now, requests, { method: 'other' }) === 1 && now;
    }, 'both requests, in series of their route');
    expect(sum(found, requests, { route: 'folded-maps', method: 'other' })).toBe(1);
    const longest = files.flatMap((file) => readFileSync(file, 'utf8').split('\n')).map(({ length }) => length);
    expect(Math.max(...longest)).toBeLessThan(400);
  });

  test('is no refusal of nginx, if it is a 503 that was kept', async () => {
    const port = await freePort();
    const cache = { size: 2 ** 20, maxAnswerSize: 2 ** 16, valid: undefined, staleFor: 0, key: [] };
    const { nginx, api } = await startWithOneInstance(
      { routes: [{}, { path: '/kept', cache: { ...cache, backgroundUpdate: false } }] },
      (request, response) => {
        const isKept = request.url === '/kept';
        response.writeHead(isKept ? 503 : 200, { 'Cache-Control': 'max-age=60', 'Content-Length': 2 }).end('ok');
      },
      { metricsPort: port },
    );
    const before = api.requests.length;
    for (let index = 0; index < 3; index += 1) expect((await nginx.get({ path: '/kept' })).status).toBe(503);
    expect(api.requests).toHaveLength(before + 1);
    const found = await until(async () => {
      const now = await scrape(port);
      return sum(now, requests, { route: 'kept', code: '503' }) === 3 && now;
    }, 'the requests');
    expect(sum(found, 'fairlead_refused_total', { limit: 'requests' })).toBe(0);
  });
});
