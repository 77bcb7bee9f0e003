import {
  type CallOptions,
  Client,
  type ClientReadableStream,
  credentials,
  status,
  type StatusObject,
} from '@grpc/grpc-js';
import { randomUUID } from 'node:crypto';
import { HeldStream } from '../../load/held-streams';
import { answerHostname } from '../../load/load-request';
import { inTurn, loadTarget } from '../../load/load-target';
import { StreamClient } from '../../load/stream-client';
import type { StreamsResult } from '../../load/streams';

/** How long a call may take before it counts as lost, and a stream say nothing before its client gives it up; in milliseconds. */
const callTimeout = 60_000;
const silence = 10_000;

/** Messages are text, as it is. */
const asItIs = (value: Buffer): Buffer => value;

export interface GrpcLoadOptions {
  /** On this machine: `https://localhost:8443`. */
  readonly url: string;
  /** Certificates to trust, in PEM. */
  readonly certificates: readonly string[];
  /** Each has a connection of its own. */
  readonly clients: number;
  /** Calls a second, of all clients together. They are sent when their time has come, whether or not earlier ones were answered. */
  readonly rate: number;
}

/** One call and what became of it. */
export interface GrpcCall {
  /** When it was sent, in milliseconds since the epoch, and how long its answer took. */
  readonly started: number;
  readonly milliseconds: number;
  /** The instance that answered, if one did. */
  readonly hostname?: string;
  /** Why it counts as lost: another status than OK, or another answer than its own. */
  readonly error?: string;
}

export interface GrpcLoadResult {
  readonly calls: readonly GrpcCall[];
  readonly streams: StreamsResult;
}

/**
 * Clients of the service of server.mjs, by the library that programs use: in turn they send calls, and each holds a stream of the server, which it
 * opens again whenever it ends. No call is sent again, so that what is counted is what the other side did.
 */
export class GrpcLoad {
  /** Every call that was answered or lost so far. */
  readonly calls: GrpcCall[] = [];
  private readonly clients: readonly Client[];
  private readonly streamClients: readonly StreamClient[];
  private readonly refusals = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly startedAt = Date.now();
  private readonly timer: NodeJS.Timeout;
  private sent = 0;
  private result: Promise<GrpcLoadResult> | undefined;

  constructor(options: GrpcLoadOptions) {
    this.clients = Array.from({ length: options.clients }, () => connected(options));
    const events = {
      opened: () => undefined,
      refused: (reason: string) => this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1),
    };
    this.streamClients = this.clients.map(
      (client, index) => new StreamClient('gRPC stream', index, () => new HeldGrpcStream(client), events),
    );
    for (const client of this.streamClients) client.start();
    const begin = performance.now();
    this.timer = setInterval(() => {
      const due = Math.floor(((performance.now() - begin) * options.rate) / 1000);
      while (this.sent < due) this.send();
    }, 1000 / options.rate);
  }

  /** The instances that the streams are on which are open now, one for each. */
  get hostnames(): readonly string[] {
    return this.streamClients.flatMap(({ hostname }) => hostname ?? []);
  }

  /** Sends no more, waits for what is under way, and says what became of all. */
  stop(): Promise<GrpcLoadResult> {
    return (this.result ??= this.end());
  }

  private async end(): Promise<GrpcLoadResult> {
    clearInterval(this.timer);
    const endedAt = Date.now();
    await Promise.all([...this.underWay, ...this.streamClients.map((client) => client.stop())]);
    for (const client of this.clients) client.close();
    const { startedAt, refusals } = this;
    const sessions = this.streamClients.flatMap((client) => client.sessions);
    return { calls: this.calls, streams: { startedAt, endedAt, clients: this.clients.length, sessions, refusals } };
  }

  private send(): void {
    const sending = this.call(inTurn(this.clients, this.sent)).then((call) => {
      this.calls.push(call);
      this.underWay.delete(sending);
    });
    this.underWay.add(sending);
    this.sent += 1;
  }

  private call(client: Client): Promise<GrpcCall> {
    const id = randomUUID();
    const started = Date.now();
    const begin = performance.now();
    const options: CallOptions = { deadline: started + callTimeout };
    return new Promise((resolve) => {
      client.makeUnaryRequest('/shop.Orders/Get', asItIs, asItIs, Buffer.from(id), options, (error, answer) => {
        const outcome = error === null ? judged(id, String(answer)) : { error: statusText(error) };
        resolve({ started, milliseconds: performance.now() - begin, ...outcome });
      });
    });
  }
}

function judged(id: string, answer: string): Pick<GrpcCall, 'hostname' | 'error'> {
  const hostname = answerHostname(answer);
  if (hostname === undefined) return { error: 'the answer names no hostname' };
  return answer.includes(id) ? { hostname } : { hostname, error: 'the answer is not what was sent' };
}

function statusText({ code, details }: Pick<StatusObject, 'code' | 'details'>): string {
  return `${status[code]}: ${details}`;
}

/** A connection of its own, by address as all load has it. */
function connected({ url, certificates }: GrpcLoadOptions): Client {
  const { origin, host } = loadTarget(url);
  return new Client(new URL(origin).host, credentials.createSsl(Buffer.from(certificates.join('\n'))), {
    'grpc.ssl_target_name_override': new URL(url).hostname,
    'grpc.default_authority': host,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
  });
}

/** A stream of the server, whose messages name the instance. */
class HeldGrpcStream extends HeldStream {
  private readonly stream: ClientReadableStream<Buffer>;

  constructor(client: Client) {
    super(silence);
    this.stream = client.makeServerStreamRequest('/shop.Orders/Watch', asItIs, asItIs, Buffer.alloc(0));
    this.stream.on('data', (message: Buffer) => {
      this.answered(answerHostname(message.toString()));
    });
    // Its status says the same.
    this.stream.on('error', () => undefined);
    this.stream.on('status', (ending: StatusObject) => {
      this.gone(ending.code === status.OK ? { how: 'ended' } : { how: 'broken', error: statusText(ending) });
    });
  }

  protected override disconnect(): void {
    this.stream.cancel();
  }

  protected override destroy(): void {
    this.stream.cancel();
  }
}
