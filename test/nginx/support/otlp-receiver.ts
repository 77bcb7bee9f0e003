import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Ajv } from 'ajv';
import { onFileFinished } from '../../afterwards';
import { until } from '../../until';

type Value = string | number | boolean;

/** A span as a collector gets it, with attributes by their names. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  /** In milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly events: readonly {
    readonly time: number;
    readonly name: string;
    readonly attributes: Readonly<Record<string, Value>>;
  }[];
  readonly isError: boolean;
  readonly resource: Readonly<Record<string, Value>>;
  readonly scope: string;
}

const id = (digits: number): object => ({ type: 'string', pattern: `^(?!0+$)[0-9a-f]{${digits}}$` });
const object = (properties: Readonly<Record<string, object>>, optional: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
const list = (items: object): object => ({ type: 'array', items });
const time = { type: 'string', pattern: '^[1-9]\\d{18}$' };
const attributes = list(
  object({
    key: { type: 'string', minLength: 1 },
    value: {
      oneOf: [
        object({ stringValue: { type: 'string' } }),
        object({ boolValue: { type: 'boolean' } }),
        object({ intValue: { type: ['string', 'integer'], pattern: '^-?\\d+$' } }),
        object({ doubleValue: { type: 'number' } }),
        object({ arrayValue: object({ values: { type: 'array' } }) }),
      ],
    },
  }),
);
const count = { type: 'integer', minimum: 0 };
const dropped = { droppedAttributesCount: count };

/** What is optional there is what is empty, and what SDKs write beside what this project does. @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
const isExport = new Ajv({ allowUnionTypes: true }).compile<Exported>(
  object({
    resourceSpans: list(
      object(
        {
          resource: object({ attributes, ...dropped }, ['droppedAttributesCount']),
          scopeSpans: list(
            object(
              {
                scope: object({ name: { type: 'string' }, version: { type: 'string' } }, ['version']),
                spans: list(
                  object(
                    {
                      traceId: id(32),
                      spanId: id(16),
                      parentSpanId: id(16),
                      traceState: { type: 'string' },
                      flags: count,
                      name: { type: 'string', minLength: 1 },
                      kind: { type: 'integer', minimum: 1, maximum: 5 },
                      startTimeUnixNano: time,
                      endTimeUnixNano: time,
                      attributes,
                      events: list(
                        object({ timeUnixNano: time, name: { type: 'string' }, attributes, ...dropped }, [
                          'attributes',
                          'droppedAttributesCount',
                        ]),
                      ),
                      links: { type: 'array' },
                      status: object({ code: { enum: [0, 1, 2] }, message: { type: 'string' } }, ['code', 'message']),
                      ...dropped,
                      droppedEventsCount: count,
                      droppedLinksCount: count,
                    },
                    [
                      ...[
                        'parentSpanId',
                        'traceState',
                        'flags',
                        'attributes',
                        'events',
                        'links',
                        'droppedAttributesCount',
                      ],
                      ...['droppedEventsCount', 'droppedLinksCount'],
                    ],
                  ),
                ),
                schemaUrl: { type: 'string' },
              },
              ['schemaUrl'],
            ),
          ),
          schemaUrl: { type: 'string' },
        },
        ['schemaUrl'],
      ),
    ),
  }),
);

type Attributes = readonly { readonly key: string; readonly value: Readonly<Record<string, Value>> }[];

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly kind: number;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes?: Attributes;
        readonly events?: readonly {
          readonly timeUnixNano: string;
          readonly name: string;
          readonly attributes?: Attributes;
        }[];
        readonly status: { readonly code?: number };
      }[];
    }[];
  }[];
}

/** What it answers a request for; undefined leaves it unanswered. */
type Reply = { readonly status: number; readonly body: string } | undefined;

/** Takes spans as a collector does, by OTLP over HTTP; what is none is an error of the test that asks for spans. */
export class OtlpReceiver {
  /** How many requests have come, whatever they were answered. */
  requests = 0;
  /** What those are answered that are right. */
  reply: () => Reply = () => ({ status: 200, body: '{"partialSuccess":{}}' });
  private readonly taken: ReceivedSpan[] = [];
  private problem: Error | undefined;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(port = 0): Promise<OtlpReceiver> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new OtlpReceiver(server, (server.address() as AddressInfo).port);
    onFileFinished(() => receiver.stop());
    server.on('request', (request, response) => {
      void text(request).then((body) => {
        receiver.requests += 1;
        const reply = receiver.reply();
        if (request.method !== 'POST' || request.url !== '/v1/traces') {
          receiver.problem ??= new Error(`asked for ${request.method ?? ''} ${request.url ?? ''}`);
        }
        if (reply === undefined) return;
        if (reply.status === 200) receiver.take(request.headers['content-type'], body);
        response.writeHead(reply.status, { 'Content-Type': 'application/json' }).end(reply.body);
      });
    });
    return receiver;
  }

  /** What has come so far; throws if it was no OTLP. */
  get spans(): readonly ReceivedSpan[] {
    if (this.problem !== undefined) throw this.problem;
    return this.taken;
  }

  /** The spans that are asked for, as soon as there are so many; fails at once if there are more. */
  async until(expected: number, isAsked: (span: ReceivedSpan) => boolean = () => true): Promise<ReceivedSpan[]> {
    return until(() => {
      const found = this.spans.filter(isAsked);
      if (found.length > expected) throw new Error(`${found.length} spans, and ${expected} are expected`);
      return found.length === expected && found;
    }, `${expected} spans`);
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private take(type: string | undefined, body: string): void {
    try {
      const exported: unknown = JSON.parse(body);
      if (type !== 'application/json' || !isExport(exported)) {
        throw new Error(`no OTLP: ${type ?? ''} ${JSON.stringify(isExport.errors)} ${body.slice(0, 2000)}`);
      }
      for (const { resource, scopeSpans } of exported.resourceSpans) {
        for (const { scope, spans } of scopeSpans) {
          for (const { startTimeUnixNano, endTimeUnixNano, status, ...span } of spans) {
            this.taken.push({
              ...span,
              parentSpanId: span.parentSpanId,
              start: milliseconds(startTimeUnixNano),
              end: milliseconds(endTimeUnixNano),
              attributes: byName(span.attributes),
              events: (span.events ?? []).map((event) => ({
                time: milliseconds(event.timeUnixNano),
                name: event.name,
                attributes: byName(event.attributes),
              })),
              isError: status.code === 2,
              resource: byName(resource.attributes),
              scope: scope.name,
            });
          }
        }
      }
    } catch (error) {
      this.problem ??= error as Error;
    }
  }
}

function milliseconds(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1_000_000n);
}

function byName(given: Attributes = []): Readonly<Record<string, Value>> {
  const names = given.map(({ key }) => key);
  if (new Set(names).size < names.length) throw new Error(`an attribute is there twice: ${names.join(', ')}`);
  return Object.fromEntries(
    given.map(({ key, value }) => {
      const [type = '', plain = ''] = Object.entries(value)[0] ?? [];
      return [key, type === 'intValue' ? Number(plain) : plain];
    }),
  );
}
