import type { IncomingMessage, RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import express from 'express';
import { serve, ServeError, type ServeTracing } from 'fairlead-serve';
import { metrics, setRoute as setRouteOfMetrics } from 'fairlead-serve/metrics';
import { setRoute, tracing } from 'fairlead-serve/tracing';
import fastify from 'fastify';
import { Registry } from 'prom-client';
import { answer } from '../api/support/answer';
import { CapturedLogger } from '../api/support/captured-logger';
import { RawConnection } from '../api/support/raw-connection';
import { onFileFinished, onTestFinished } from '../afterwards';
import { until } from '../until';

/** Packages without types. */
const load = createRequire(__filename);
const express4 = load('express4') as typeof express;

interface KoaContext {
  readonly req: IncomingMessage;
  readonly _matchedRoute?: string | RegExp;
  body: string;
}
type KoaMiddleware = (context: KoaContext, next: () => Promise<void>) => unknown;
interface KoaApplication {
  use(middleware: KoaMiddleware): void;
  callback(): RequestListener;
}
const Koa = load('koa') as new () => KoaApplication;
const { Router } = load('@koa/router') as {
  readonly Router: new () => { get(path: string, middleware: KoaMiddleware): void; routes(): KoaMiddleware };
};

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const parentId = '00f067aa0ba902b7';
const sampled = { traceparent: `00-${traceId}-${parentId}-01` };

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(provider);
onFileFinished(() => {
  for (const api of [trace, propagation, context]) api.disable();
});

const { logger } = new CapturedLogger();

/** The port of an app that is traced. */
async function traced(app: RequestListener): Promise<number> {
  exporter.reset();
  const { listening, close } = serve(app, { port: 0, host: '127.0.0.1', logger, tracing: tracing() });
  onTestFinished(close);
  return (await listening).port;
}

/** What was recorded, once there are so many spans: a client has its answer before the server is done with it. */
async function recorded(spans = 1): Promise<ReadableSpan[]> {
  return until(() => {
    const found = exporter.getFinishedSpans();
    return found.length >= spans && found;
  }, `${spans} spans`);
}

async function only(): Promise<ReadableSpan> {
  const [span, ...more] = await recorded();
  expect(more).toEqual([]);
  if (span === undefined) throw new Error('no span');
  return span;
}

/** A span of the app's own, which is below that of its request. */
function work(): void {
  trace.getTracer('app').startSpan('work').end();
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const apps: Readonly<Record<string, () => RequestListener | Promise<RequestListener>>> = {
  'Express 5': () => ofExpress(express),
  'Express 4': () => ofExpress(express4),
  Fastify: async () => {
    const app = fastify();
    app.addHook('onRequest', (request, _reply, done) => {
      setRoute(request.raw, request.routeOptions.url);
      done();
    });
    app.get('/orders/:id', async () => {
      await later();
      work();
      return 'order';
    });
    await app.ready();
    return (request, response) => {
      app.routing(request, response);
    };
  },
  Koa: () => {
    const app = new Koa();
    app.use(async (of, next) => {
      try {
        await next();
      } finally {
        setRoute(of.req, of._matchedRoute);
      }
    });
    const router = new Router();
    router.get('/orders/:id', async (of) => {
      await later();
      work();
      of.body = 'order';
    });
    app.use(router.routes());
    return app.callback();
  },
  'node:http': () => async (request, response) => {
    setRoute(request, '/orders/:id');
    await later();
    work();
    response.end('order');
  },
};

function ofExpress(framework: typeof express): RequestListener {
  const app = framework();
  const orders = framework.Router();
  orders.get('/:id', (_request, response) => {
    void later().then(() => {
      work();
      response.send('order');
    });
  });
  app.use('/orders', orders);
  return app;
}

test.each(Object.entries(apps))(
  '%s has a span of each request, with its route, and its own below',
  async (_name, app) => {
    const port = await traced(await app());
    const headers = { ...sampled, host: 'orders.example.com:8443', 'x-forwarded-proto': 'https' };
    await answer(port, '/orders/1?token=secret', { headers });
    const spans = await recorded(2);
    const [own, span, ...more] = spans;
    expect(more).toEqual([]);
    expect(span).toMatchObject({
      name: 'GET /orders/:id',
      kind: SpanKind.SERVER,
      parentSpanContext: { traceId, spanId: parentId, isRemote: true },
      status: { code: SpanStatusCode.UNSET },
      events: [],
    });
    expect(span?.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/orders/:id',
      'http.response.status_code': 200,
      'url.scheme': 'https',
      'url.path': '/orders/1',
      'server.address': 'orders.example.com',
    });
    expect(own).toMatchObject({ name: 'work', parentSpanContext: { traceId, spanId: span?.spanContext().spanId } });
  },
);

describe('a span', () => {
  const listener: RequestListener = (_request, response) => response.end('ok');

  test('begins a trace where there is none, or none that is well formed', async () => {
    const port = await traced(listener);
    await answer(port, '/');
    await answer(port, '/', { headers: { traceparent: `${sampled.traceparent}-more` } });
    const spans = await recorded(2);
    expect(spans.map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined, undefined]);
    expect(new Set([traceId, ...spans.map((span) => span.spanContext().traceId)]).size).toBe(3);
  });

  test('is none where the trace is not sampled, nor is any below it', async () => {
    const port = await traced((_request, response) => {
      work();
      response.end(trace.getActiveSpan()?.spanContext().traceId);
    });
    const { body } = await answer(port, '/', { headers: { traceparent: sampled.traceparent.replace(/1$/, '0') } });
    expect(body).toBe(traceId);
    await answer(port, '/', { headers: sampled });
    expect(await recorded(2)).toHaveLength(2);
    expect(exporter.getFinishedSpans().map(({ parentSpanContext }) => parentSpanContext?.spanId)).toContain(parentId);
  });

  test('of a method that nobody knows does not name it, and of no route has none', async () => {
    const port = await traced(listener);
    await answer(port, '/', { method: 'PROPFIND' });
    const { name, attributes } = await only();
    expect(name).toBe('HTTP');
    expect(attributes['http.request.method']).toBe('_OTHER');
    expect(attributes).not.toHaveProperty('http.route');
  });

  test.each([
    [404, SpanStatusCode.UNSET, undefined],
    [499, SpanStatusCode.UNSET, undefined],
    [500, SpanStatusCode.ERROR, '500'],
    [503, SpanStatusCode.ERROR, '503'],
  ])('says whether an answer is an error of the server: %i', async (statusCode, code, type) => {
    const port = await traced((_request, response) => {
      response.writeHead(statusCode).end();
    });
    await answer(port, '/');
    const { status, attributes } = await only();
    expect(status.code).toBe(code);
    expect([attributes['http.response.status_code'], attributes['error.type']]).toEqual([statusCode, type]);
  });

  test('of a client that leaves says so, and is not an error', async () => {
    let come = 0;
    const port = await traced(() => (come += 1));
    const client = await RawConnection.open(port);
    client.get('/');
    await until(() => come === 1, 'the request');
    expect(exporter.getFinishedSpans()).toEqual([]);
    client.destroy();
    const { status, attributes, events } = await only();
    expect(status.code).toBe(SpanStatusCode.UNSET);
    expect(attributes).not.toHaveProperty('http.response.status_code');
    expect(events.map(({ name }) => name)).toEqual(['aborted']);
  });

  test('has what a listener throws, which is thrown all the same', async () => {
    const failing = tracing().trace(() => {
      throw new Error('of the app');
    });
    const caught: unknown[] = [];
    const port = await traced((request, response) => {
      try {
        failing(request, response);
      } catch (error) {
        caught.push(error);
        response.writeHead(500).end();
      }
    });
    await answer(port, '/');
    const spans = await recorded(2);
    expect(caught).toEqual([new Error('of the app')]);
    expect(
      spans.flatMap(({ events }) => events.map(({ name, attributes }) => [name, attributes?.['exception.message']])),
    ).toEqual([['exception', 'of the app']]);
  });

  test('has what an async listener rejects with, which is rejected all the same', async () => {
    const rejecting: (...asked: Parameters<RequestListener>) => unknown = async () => {
      await later();
      throw new Error('of the app');
    };
    const failing = tracing().trace(rejecting) as (...asked: Parameters<RequestListener>) => Promise<void>;
    const caught: unknown[] = [];
    const port = await traced((request, response) => {
      failing(request, response).catch((error: unknown) => {
        caught.push(error);
        response.writeHead(200).end();
      });
    });
    await answer(port, '/');
    const failed = (await recorded(2)).filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(caught).toEqual([new Error('of the app')]);
    expect(failed.map(({ events }) => events.map(({ name }) => name))).toEqual([['exception']]);
  });

  test('has what an error handler records', async () => {
    const app = express();
    app.get('/orders/:id', () => {
      throw new Error('of a route');
    });
    app.use((error: Error, _request: express.Request, response: express.Response, next: express.NextFunction) => {
      trace.getActiveSpan()?.recordException(error);
      if (response.headersSent) next(error);
      else response.sendStatus(500);
    });
    await answer(await traced(app), '/orders/1');
    const { name, events, status } = await only();
    expect(name).toBe('GET /orders/:id');
    expect(events.map(({ attributes }) => attributes?.['exception.message'])).toEqual(['of a route']);
    expect(status.code).toBe(SpanStatusCode.ERROR);
  });
});

test('an app that is measured too says each route once', async () => {
  exporter.reset();
  const register = new Registry();
  const app = express();
  app.get('/orders/:id', (_request, response) => {
    response.send('order');
  });
  app.get('/said', (request, response) => {
    setRouteOfMetrics(request, '/by-metrics');
    response.send('said');
  });
  const measured = { metrics: metrics({ port: 0, register }), tracing: tracing() };
  const { listening, close } = serve(app, { port: 0, host: '127.0.0.1', logger, ...measured });
  onTestFinished(close);
  const { port } = await listening;
  await answer(port, '/orders/1');
  await answer(port, '/said');
  expect((await recorded(2)).map(({ name }) => name)).toEqual(['GET /orders/:id', 'GET /by-metrics']);
  const text = await until(async () => {
    const found = await register.metrics();
    return found.includes('http_route="/by-metrics"') && found;
  }, 'both to be counted');
  expect(text).toContain('http_route="/orders/:id"');
});

describe('when it ends, an app', () => {
  test.each([
    ['has sent what is recorded', () => Promise.resolve(), []],
    [
      'says what cannot be sent, and ends',
      () => Promise.reject(new Error('refused')),
      ['Spans cannot be sent: Error: refused'],
    ],
  ])('%s', async (_what, flush, said) => {
    const log = new CapturedLogger();
    let flushed = 0;
    const own: ServeTracing = {
      trace: (app) => app,
      flush: () => {
        flushed += 1;
        return flush();
      },
    };
    const options = { port: 0, host: '127.0.0.1', logger: log.logger, tracing: own };
    const { listening, close } = serve((_request, response) => response.end(), options);
    await listening;
    expect(await close()).toBe(true);
    expect(flushed).toBe(1);
    expect(log.lines.filter(({ level }) => level === 50).map(({ msg }) => msg)).toEqual(said);
  });

  test('flushes what its SDK keeps, behind the API', async () => {
    const flushed = jest.spyOn(provider, 'forceFlush');
    await tracing().flush();
    expect(flushed).toHaveBeenCalledTimes(1);
  });
});

test.each([true, null, tracing, {}])('what does not trace is refused: %p', (given) => {
  expect(() =>
    serve((_request, response) => response.end(), { logger, tracing: given as unknown as ServeTracing }),
  ).toThrow(
    new ServeError('tracing: is nothing that traces: give tracing() of fairlead-serve/tracing', 'ERR_INVALID_ARG_TYPE'),
  );
});
