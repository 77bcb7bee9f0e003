import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import express, { type Express } from 'express';
import { serve, ServeError, type ServeMetrics } from 'fairlead-serve';
import { metrics, type MetricsOptions, setRoute } from 'fairlead-serve/metrics';
import fastify from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, register as ofAll, Registry } from 'prom-client';
import { answer } from '../api/support/answer';
import { CapturedLogger } from '../api/support/captured-logger';
import { NodeProcess } from '../api/support/node-process';
import { RawConnection } from '../api/support/raw-connection';
import { onTestFinished } from '../afterwards';
import { until } from '../until';

/** Packages without types. */
const load = createRequire(__filename);
const express4 = load('express4') as typeof express;

interface KoaContext {
  readonly req: IncomingMessage;
  readonly params: Readonly<Record<string, string>>;
  readonly _matchedRoute?: string | RegExp;
  body: string;
}
type KoaMiddleware = (context: KoaContext, next: () => Promise<void>) => unknown;
interface KoaApplication {
  silent: boolean;
  use(middleware: KoaMiddleware): void;
  callback(): RequestListener;
}
interface RouterOfKoa {
  get(path: string | RegExp, middleware: KoaMiddleware): this;
  routes(): KoaMiddleware;
}
const Koa = load('koa') as new () => KoaApplication;
const { Router } = load('@koa/router') as { readonly Router: new (options: object) => RouterOfKoa };

/** An app that is measured, with a register of its own, and what Prometheus is told of it. */
async function measured(app: RequestListener, given: MetricsOptions = {}) {
  const log = new CapturedLogger();
  const { logger } = log;
  const register = new Registry();
  const options = { port: 0, host: '127.0.0.1', logger };
  const served = serve(app, { ...options, metrics: metrics({ port: 0, register, ...given }) });
  onTestFinished(() => served.close());
  const { port } = await served.listening;
  const { msg } = await log.line((line) => String(line.msg).startsWith('Now serving metrics at '));
  const metricsPort = Number(/:(\d+)\/metrics$/.exec(String(msg))?.[1]);
  const scrape = async (): Promise<string> => (await answer(metricsPort, '/metrics')).body;
  return { ...served, port, metricsPort, log, scrape };
}

/** How many requests there were of each kind: `GET /orders/:id 200`, with `-` for what is not known. */
function counted(text: string): Readonly<Record<string, number>> {
  const lines = [...text.matchAll(/^http_server_request_duration_seconds_count\{(.*)\} (\d+)$/gm)];
  return Object.fromEntries(
    lines.map(([, written = '', count]) => {
      const pairs = [...written.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      const labels: Readonly<Record<string, string>> = Object.fromEntries(
        pairs.map(([, name = '', value = '']) => [name, value]),
      );
      const names = ['http_request_method', 'http_route', 'http_response_status_code'];
      expect(Object.keys(labels).sort()).toEqual([...names].sort());
      return [names.map((name) => (labels[name] === '' ? '-' : labels[name])).join(' '), Number(count)];
    }),
  );
}

/** The same, once so many have been counted: a client has its answer before the server is done with it. */
async function countedOf(scrape: () => Promise<string>, requests: number): Promise<Readonly<Record<string, number>>> {
  return until(async () => {
    const found = counted(await scrape());
    const all = Object.values(found).reduce((sum, count) => sum + count, 0);
    return all === requests && found;
  }, `${requests} requests to be counted`);
}

/** The value of a metric without labels. */
function valueOf(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** A path, or a method and a path. */
type Asked = string | readonly [method: string, path: string];

async function ask(port: number, requests: readonly Asked[]): Promise<void> {
  for (const each of requests) {
    if (typeof each === 'string') await answer(port, each);
    else await answer(port, each[1], { method: each[0] });
  }
}

describe.each<[string, typeof express, string]>([
  ['Express 5', express, '/files/*path'],
  ['Express 4', express4, '/files/*'],
])('routes of %s', (_name, framework, wildcard) => {
  function app(): Express {
    const own = framework();
    const orders = framework.Router();
    const items = framework.Router({ mergeParams: true });
    const tenants = framework.Router();
    items.get('/:item', (_request, response) => {
      response.send('item');
    });
    orders.get('/', (_request, response) => {
      response.send('orders');
    });
    orders.get('/:id', (request, response) => {
      if (request.params.id === 'broken') throw new Error('of a route');
      response.send('order');
    });
    orders.use('/:id/items', items);
    tenants.get('/users/:user', (_request, response) => {
      response.send('user');
    });
    own.use((_request, _response, next) => {
      next();
    });
    own.get('/', (_request, response) => {
      response.send('root');
    });
    own.post('/', (_request, response) => {
      response.status(201).send('made');
    });
    own.get(['/one', '/two'], (_request, response) => {
      response.send('either');
    });
    own.get(/^\/v\d+$/, (_request, response) => {
      response.send('expression');
    });
    own.get(wildcard, (_request, response) => {
      response.send('file');
    });
    own.use('/orders', orders);
    own.use('/tenants/:tenant', tenants);
    own.use('/v:version', tenants);
    own.use((error: Error, _request: express.Request, response: express.Response, next: express.NextFunction) => {
      if (response.headersSent) next(error);
      else response.status(500).send(error.message);
    });
    return own;
  }

  test.each<[what: string, requests: Asked[], expected: Readonly<Record<string, number>>]>([
    ['of the app', ['/', ['POST', '/'], ['HEAD', '/']], { 'GET / 200': 1, 'POST / 201': 1, 'HEAD / 200': 1 }],
    [
      'of a router, and its root',
      ['/orders', '/orders/1', '/orders/2'],
      { 'GET /orders 200': 1, 'GET /orders/:id 200': 2 },
    ],
    ['that throws', ['/orders/broken'], { 'GET /orders/:id 500': 1 }],
    ['of a router within one', ['/orders/1/items/2', '/orders/3/items/3'], { 'GET /orders/:id/items/:item 200': 2 }],
    [
      'of a router at a parameter',
      ['/tenants/acme/users/1', '/tenants/a%20c/users/2', '/tenants/tenants/users/3'],
      { 'GET /tenants/:tenant/users/:user 200': 3 },
    ],
    ['of a router at a part of a segment', ['/v1/users/1', '/v2/users/2'], { 'GET /:version/users/:user 200': 2 }],
    ['of a router, in capitals', ['/ORDERS/1', '/Orders/2'], { 'GET /orders/:id 200': 2 }],
    ['of several paths', ['/one', '/two'], { 'GET /one,/two 200': 2 }],
    ['by an expression', ['/v1', '/v2'], { 'GET /^\\\\/v\\\\d+$/ 200': 2 }],
    ['by a wildcard', ['/files/a', '/files/a/b'], { [`GET ${wildcard} 200`]: 2 }],
    ['nowhere', ['/x', '/y', '/orders/1/2', ['DELETE', '/']], { 'GET - 404': 3, 'DELETE - 404': 1 }],
    ['of a method that nobody knows', [['PROPFIND', '/']], { '_OTHER - 404': 1 }],
  ])('are counted by the path that the app has: %s', async (_what, requests, expected) => {
    const { port, scrape } = await measured(app());
    await ask(port, requests);
    expect(await countedOf(scrape, requests.length)).toEqual(expected);
  });
});

test('routes of Fastify are counted by the path that the app has', async () => {
  const app = fastify();
  app.addHook('onRequest', (request, _reply, done) => {
    setRoute(request.raw, request.routeOptions.url);
    done();
  });
  app.addHook('preHandler', (request, reply, done) => {
    if (request.headers.authorization === 'none') void reply.code(401).send();
    else done();
  });
  app.get('/orders/:id', () => 'order');
  await app.register(
    (own, _options, done) => {
      own.get('/users/:user', () => {
        throw new Error('of a route');
      });
      done();
    },
    { prefix: '/tenants/:tenant' },
  );
  await app.ready();
  const { port, scrape } = await measured((request, response) => {
    app.routing(request, response);
  });
  await ask(port, ['/orders/1', '/orders/2', '/tenants/acme/users/1', '/nowhere']);
  await answer(port, '/orders/3', { headers: { authorization: 'none' } });
  expect(await countedOf(scrape, 5)).toEqual({
    'GET /orders/:id 200': 2,
    'GET /orders/:id 401': 1,
    'GET /tenants/:tenant/users/:user 500': 1,
    'GET - 404': 1,
  });
});

test('routes of Koa are counted by the path that the router has', async () => {
  const app = new Koa();
  app.silent = true;
  app.use(async (context, next) => {
    try {
      await next();
    } finally {
      setRoute(context.req, context._matchedRoute);
    }
  });
  const router = new Router({ prefix: '/api' });
  router.get('/orders/:id', (context) => {
    if (context.params.id === 'broken') throw new Error('of a route');
    context.body = 'order';
  });
  app.use(router.routes());
  const { port, scrape } = await measured(app.callback());
  await ask(port, ['/api/orders/1', '/api/orders/2', '/api/orders/broken', '/nowhere']);
  expect(await countedOf(scrape, 4)).toEqual({
    'GET /api/orders/:id 200': 2,
    'GET /api/orders/:id 500': 1,
    'GET - 404': 1,
  });
});

test('a plain listener says its routes, or counts by method alone', async () => {
  const { port, scrape } = await measured((request, response) => {
    if (request.url?.startsWith('/orders/') === true) setRoute(request, '/orders/:id');
    setRoute(request, undefined);
    response.end();
  });
  await ask(port, ['/orders/1', '/orders/2', '/x?y=/orders/3']);
  expect(await countedOf(scrape, 3)).toEqual({ 'GET /orders/:id 200': 2, 'GET - 200': 1 });
});

test('more routes than so many are counted as one', async () => {
  const listener: RequestListener = (request, response) => {
    setRoute(request, request.url);
    response.end();
  };
  const { port, scrape } = await measured(listener, { maxRoutes: 2 });
  await ask(port, ['/a', '/b', '/c', '/d', '/a', '/e']);
  expect(await countedOf(scrape, 6)).toEqual({ 'GET /a 200': 2, 'GET /b 200': 1, 'GET other 200': 3 });
});

describe('requests', () => {
  test('are active until they are answered, and have taken so long', async () => {
    const answers: (() => void)[] = [];
    const { port, scrape } = await measured((_request, response) => {
      answers.push(() => response.end());
    });
    expect(valueOf(await scrape(), 'http_server_active_requests')).toBe(0);
    const begun = performance.now();
    const answered = answer(port, '/');
    await until(() => answers.length === 1, 'the request');
    const asked = performance.now();
    expect(valueOf(await scrape(), 'http_server_active_requests')).toBe(1);
    const least = performance.now() - asked;
    answers[0]?.();
    await answered;
    await countedOf(scrape, 1);
    const text = await scrape();
    expect(valueOf(text, 'http_server_active_requests')).toBe(0);
    const [, seconds] = /^http_server_request_duration_seconds_sum\{.*\} (\S+)$/m.exec(text) ?? [];
    expect(Number(seconds) * 1000).toBeGreaterThan(least);
    expect(Number(seconds) * 1000).toBeLessThan(performance.now() - begun);
    expect(text).toMatch(/^http_server_request_duration_seconds_bucket\{.*le="0\.005".*\} [01]$/m);
  });

  test('whose client leaves before the answer have no status', async () => {
    let come = 0;
    const { port, scrape } = await measured(() => (come += 1));
    const client = await RawConnection.open(port);
    client.get('/');
    await until(() => come === 1, 'the request');
    client.destroy();
    expect(await countedOf(scrape, 1)).toEqual({ 'GET - -': 1 });
    expect(valueOf(await scrape(), 'http_server_active_requests')).toBe(0);
  });
});

describe('what is served', () => {
  const listener: RequestListener = (_request, response) => response.end('app');

  test('is metrics at /metrics, and nothing else', async () => {
    const { port, metricsPort } = await measured(listener);
    const { status, headers, body } = await answer(metricsPort, '/metrics?name=x');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    });
    expect(await answer(metricsPort, '/metrics', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect(await answer(metricsPort, '/metrics', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    for (const path of ['/', '/metrics/', '/metricsx', '/readyz']) {
      expect(await answer(metricsPort, path)).toMatchObject({ status: 404, body: '' });
    }
    expect((await answer(port, '/metrics')).body).toBe('app');
  });

  test('is every metric that README has', async () => {
    const readme = readFileSync(resolve('serve/README.md'), 'utf8');
    const rows = [...readme.matchAll(/^\| `(\w+)` \| (histogram|gauge) \|/gm)];
    expect(rows).toHaveLength(4);
    const { scrape } = await measured(listener);
    const text = await scrape();
    for (const [, name = '', type = ''] of rows) expect(text).toContain(`# TYPE ${name} ${type}\n`);
  });

  test('has the lag of the event loop, and what the process takes', async () => {
    const { scrape } = await measured(listener);
    const text = await scrape();
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes']) {
      expect(text).toMatch(new RegExp(`^${name} \\S+$`, 'm'));
    }
  });

  test("has the app's own metrics, and those of the process once if the app has them already", async () => {
    const register = new Registry();
    collectDefaultMetrics({ register });
    new Counter({ name: 'orders_total', help: 'Orders.', registers: [register] }).inc(3);
    const { scrape } = await measured(listener, { register });
    const text = await scrape();
    expect(valueOf(text, 'orders_total')).toBe(3);
    expect(text.match(/^process_resident_memory_bytes /gm)).toHaveLength(1);
  });

  test('is of the register that all metrics are in, unless there is another', async () => {
    onTestFinished(() => {
      ofAll.clear();
    });
    new Counter({ name: 'orders_total', help: 'Orders.' }).inc(2);
    const { logger } = new CapturedLogger();
    const { listening, close } = serve(listener, { port: 0, logger, metrics: metrics({ port: 0 }) });
    onTestFinished(close);
    await listening;
    const text = await ofAll.metrics();
    expect([valueOf(text, 'orders_total'), valueOf(text, 'fairlead_ready')]).toEqual([2, 1]);
  });

  test('is an error, and a line of the log, if a metric of the app cannot be read', async () => {
    const register = new Registry();
    new Gauge({
      name: 'broken',
      help: 'Broken.',
      registers: [register],
      collect() {
        throw new Error('no database');
      },
    });
    const { metricsPort, port, log } = await measured(listener, { register });
    expect(await answer(metricsPort, '/metrics')).toMatchObject({ status: 500, body: '' });
    expect(await log.line(({ level }) => level === 50)).toMatchObject({
      msg: 'Metrics cannot be read: Error: no database',
    });
    expect((await answer(port, '/')).body).toBe('app');
  });

  test('says whether the app is ready', async () => {
    const { scrape, readiness } = await measured(listener);
    const said = async () => {
      const text = await scrape();
      return [valueOf(text, 'fairlead_ready'), valueOf(text, 'fairlead_shutting_down')];
    };
    expect(await said()).toEqual([1, 0]);
    readiness.disable();
    expect(await said()).toEqual([0, 0]);
    readiness.enable();
    expect(await said()).toEqual([1, 0]);
  });

  test('goes on until the last request is answered, and ends then', async () => {
    const answers: (() => void)[] = [];
    const { port, metricsPort, scrape, close } = await measured((_request, response) => {
      answers.push(() => response.end());
    });
    const answered = answer(port, '/');
    await until(() => answers.length === 1, 'the request');
    const closed = close();
    const text = await scrape();
    expect([valueOf(text, 'fairlead_ready'), valueOf(text, 'fairlead_shutting_down')]).toEqual([0, 1]);
    expect(valueOf(text, 'http_server_active_requests')).toBe(1);
    answers[0]?.();
    await answered;
    expect(await closed).toBe(true);
    await expect(answer(metricsPort, '/metrics')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('ends with the process, which answers what is in flight first', async () => {
    const app = new NodeProcess('test/serve/fixtures/measured.ts', { METRICS_PORT: '0' });
    const port = await app.port();
    const { msg } = await app.line('Now serving metrics at ');
    const metricsPort = Number(/^Now serving metrics at http:\/\/127\.0\.0\.1:(\d+)\/metrics$/.exec(String(msg))?.[1]);
    expect(app.lines[0]?.msg).toBe(msg);
    const answered = answer(port, '/');
    await until(() => app.text.includes('holds'), 'the request');
    app.kill('SIGTERM');
    await until(() => app.text.includes('ending'), 'the process to end');
    const { body } = await answer(metricsPort, '/metrics');
    expect(valueOf(body, 'fairlead_shutting_down')).toBe(1);
    app.kill('SIGUSR2');
    expect((await answered).body).toBe('ended');
    expect(await app.exited).toEqual({ code: 0, signal: null });
  });
});

describe('what cannot be is refused', () => {
  const listener: RequestListener = (_request, response) => response.end();
  const { logger } = new CapturedLogger();
  const start = (given: MetricsOptions, port = 0) =>
    serve(listener, { port, host: '127.0.0.1', logger, metrics: metrics({ register: new Registry(), ...given }) });

  test.each<[MetricsOptions, string]>([
    [{ port: -1 }, 'metrics.port: -1 is out of range: give a whole number from 0 to 65535'],
    [{ port: 65_536 }, 'metrics.port: 65536 is out of range: give a whole number from 0 to 65535'],
    [{ maxRoutes: 0 }, 'metrics.maxRoutes: 0 is out of range: give a whole number from 1 to 10000'],
    [{ maxRoutes: 1.5 }, 'metrics.maxRoutes: 1.5 is out of range: give a whole number from 1 to 10000'],
  ])('%j', (given, message) => {
    const handlers = process.listenerCount('SIGTERM');
    expect(() => start(given)).toThrow(new ServeError(message, 'ERR_INVALID_ARG_VALUE'));
    expect(process.listenerCount('SIGTERM')).toBe(handlers);
  });

  test.each([
    ['METRICS_PORT', 'x', 'METRICS_PORT: "x" is out of range: give a whole number from 0 to 65535'],
    ['METRICS_MAX_ROUTES', '0', 'METRICS_MAX_ROUTES: "0" is out of range: give a whole number from 1 to 10000'],
  ])('%s=%s, of who is measured alone', (variable, value, message) => {
    process.env[variable] = value;
    onTestFinished(() => {
      Reflect.deleteProperty(process.env, variable);
    });
    expect(() => start({})).toThrow(message);
    const unmeasured = serve(listener, { port: 0, host: '127.0.0.1', logger });
    onTestFinished(() => unmeasured.close());
  });

  test('the port of the app', () => {
    const remedy = 'is the port of the app: give another, which the proxy does not lead to';
    expect(() => start({ port: 9464 }, 9464)).toThrow(`metrics.port: 9464 ${remedy}`);
    expect(() => start({}, 9464)).toThrow(`METRICS_PORT: 9464 ${remedy}`);
  });

  test.each([true, null, metrics, {}])('what does not measure: %p', (given) => {
    expect(() => serve(listener, { logger, metrics: given as unknown as ServeMetrics })).toThrow(
      'metrics: is nothing that measures: give metrics() of fairlead-serve/metrics',
    );
  });

  test('a register in which another app is measured', async () => {
    const register = new Registry();
    await measured(listener, { register });
    expect(() => start({ register })).toThrow(
      'metrics.register: has http_server_request_duration_seconds already: give each serve() a Registry of its own',
    );
  });

  test('a port that is taken, and then the app does not listen either', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const handlers = process.listenerCount('SIGTERM');
    const { listening, server, close } = start({ port });
    await expect(listening).rejects.toMatchObject({
      name: 'ServeError',
      code: 'EADDRINUSE',
      message: `Port ${port} of 127.0.0.1 is taken by another program: stop it, or give another METRICS_PORT`,
    });
    expect(server.listening).toBe(false);
    expect(await close()).toBe(true);
    expect(process.listenerCount('SIGTERM')).toBe(handlers);
  });

  test('a port of the app that is taken, and then no metrics are served either', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => other.close());
    await once(other, 'listening');
    const log = new CapturedLogger();
    const { port } = other.address() as AddressInfo;
    const options = { port, host: '127.0.0.1', logger: log.logger };
    const { listening } = serve(listener, { ...options, metrics: metrics({ port: 0, register: new Registry() }) });
    await expect(listening).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const { msg } = await log.line((line) => String(line.msg).startsWith('Now serving metrics at '));
    const metricsPort = Number(/:(\d+)\/metrics$/.exec(String(msg))?.[1]);
    await expect(answer(metricsPort, '/metrics')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
