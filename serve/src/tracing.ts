import type { IncomingMessage, RequestListener } from 'node:http';
import type { Attributes, Span, TracerProvider } from '@opentelemetry/api';
import { ServeError, type ServeTracing } from 'fairlead-serve';
import { followExpress, routeOf, setRoute } from './routes';

export { setRoute };

/**
 * Lets `serve()` open a span of OpenTelemetry for each request, which is active while the app is called, and a child of what the
 * `traceparent` says. It needs @opentelemetry/api, and an SDK that records: an app installs both beside fairlead-serve.
 *
 * @example
 * new NodeSDK().start();
 * serve(app, { tracing: tracing() });
 */
export function tracing(): ServeTracing {
  return { trace, flush };
}

function trace(app: RequestListener): RequestListener {
  const { context, propagation, SpanKind, SpanStatusCode, trace: traces } = openTelemetry();
  const tracer = traces.getTracer('fairlead-serve');
  const failed = (span: Span, error: unknown): void => {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
  };
  const call: Answering = app;
  return (request, response) => {
    const parent = propagation.extract(context.active(), request.headers);
    const method = methodOf(request);
    const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes: asked(request) }, parent);
    if (span.isRecording()) {
      followExpress(request);
      response.once('close', () => {
        const route = routeOf(request);
        if (route !== undefined) span.updateName(`${method} ${route}`).setAttribute('http.route', route);
        // Nothing of a request whose client left before it was answered.
        if (response.headersSent) {
          const { statusCode } = response;
          span.setAttribute('http.response.status_code', statusCode);
          if (statusCode >= 500) {
            span.setAttribute('error.type', String(statusCode)).setStatus({ code: SpanStatusCode.ERROR });
          }
        }
        if (!response.writableFinished) span.addEvent('aborted');
        span.end();
      });
    }
    return context.with(traces.setSpan(parent, span), () => {
      try {
        const answered: unknown = call(request, response);
        if (!(answered instanceof Promise)) return answered;
        return answered.catch((error: unknown) => {
          failed(span, error);
          throw error;
        });
      } catch (error) {
        failed(span, error);
        throw error;
      }
    });
  };
}

/** What a listener gives is nobody's concern but that of who waits for it: one that is async may fail later. */
type Answering = (...asked: Parameters<RequestListener>) => unknown;

/** What a client may write as a method is more than these. @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name */
const methods = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']);

function methodOf({ method = '' }: IncomingMessage): string {
  return methods.has(method) ? method : 'HTTP';
}

/** No query strings and nothing of who asks: they carry tokens and names. */
function asked(request: IncomingMessage): Attributes {
  const { url = '', headers } = request;
  const method = methodOf(request);
  return {
    'http.request.method': method === 'HTTP' ? '_OTHER' : method,
    // As the proxy says, which ends TLS.
    'url.scheme': headers['x-forwarded-proto'] === 'https' ? 'https' : 'http',
    'url.path': url.replace(/\?.*$/s, ''),
    ...(headers.host === undefined ? {} : { 'server.address': headers.host.replace(/:\d*$/, '') }),
  };
}

/** What a provider of an SDK can do, and that of the API cannot. */
interface Flushing extends TracerProvider {
  forceFlush?(): Promise<void>;
}

/** Spans that wait to be sent: the process may end after it. */
async function flush(): Promise<void> {
  const { ProxyTracerProvider, trace: traces } = openTelemetry();
  const provider = traces.getTracerProvider();
  const ofSdk: Flushing = provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
  await ofSdk.forceFlush?.();
}

function openTelemetry(): typeof import('@opentelemetry/api') {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- only of who asks for spans, and at once
    return require('@opentelemetry/api') as typeof import('@opentelemetry/api');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'MODULE_NOT_FOUND') throw error;
    throw new ServeError(
      'tracing() needs @opentelemetry/api, which is not installed: npm install @opentelemetry/api',
      code,
      { cause: error },
    );
  }
}
