import {
  Client,
  credentials,
  Metadata,
  type MetadataValue,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
  type StatusObject,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { once } from 'node:events';
import { AddressInfo, connect, createServer, Server as TcpServer, Socket } from 'node:net';
import { onFileFinished } from '../../afterwards';
import { until } from '../../until';
import { Place } from '../../../nginx/place';
import { proxyModel, ProxyParts, RouteParts } from './models';
import { RealNginx, RealNginxStart } from './real-nginx';
import { Instance, StubDns } from './stub-dns';

/** Messages are text, as it is: no test is about how they are written. */
const asItIs = (value: Buffer): Buffer => value;
const serving = Buffer.from([0x08, 0x01]);
export const healthCheck = '/grpc.health.v1.Health/Check';

/** A call as an instance has seen it. */
interface SeenCall {
  readonly method: string;
  readonly metadata: Readonly<Record<string, readonly MetadataValue[]>>;
}

/** An instance that speaks gRPC, whose every kind of call says who it is in the metadata `instance`. */
export class StubGrpc {
  readonly calls: SeenCall[] = [];
  /** Client streams that were whole: their messages. */
  readonly imports: string[][] = [];
  cancelled = 0;
  connections = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly name: string,
    private readonly server: Server,
    private readonly relay: TcpServer,
  ) {}

  static async start(name: string): Promise<StubGrpc> {
    const server = new Server();
    // Whoever asks is counted, and cut off, in between.
    const relay = createServer();
    const stub = new StubGrpc(name, server, relay);
    const definitions = {
      Get: { path: '/shop.Orders/Get', requestStream: false, responseStream: false },
      Fail: { path: '/shop.Orders/Fail', requestStream: false, responseStream: false },
      Hang: { path: '/shop.Orders/Hang', requestStream: false, responseStream: false },
      List: { path: '/shop.Orders/List', requestStream: false, responseStream: true },
      Import: { path: '/shop.Orders/Import', requestStream: true, responseStream: false },
      Talk: { path: '/shop.Chat/Talk', requestStream: true, responseStream: true },
      Check: { path: healthCheck, requestStream: false, responseStream: false },
    };
    const service = Object.fromEntries(
      Object.entries(definitions).map(([method, definition]) => [
        method,
        {
          ...definition,
          requestSerialize: asItIs,
          requestDeserialize: asItIs,
          responseSerialize: asItIs,
          responseDeserialize: asItIs,
        },
      ]),
    );
    server.addService(service, stub.handlers());
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    relay.on('connection', (socket) => {
      stub.connections += 1;
      const upstream = connect(port, '127.0.0.1');
      socket.pipe(upstream).pipe(socket);
      for (const [one, other] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        stub.sockets.add(one);
        one.on('error', () => undefined);
        one.on('close', () => {
          stub.sockets.delete(one);
          other.destroy();
        });
      }
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    onFileFinished(() => stub.stop());
    return stub;
  }

  get instance(): Instance {
    return { address: '127.0.0.1', port: (this.relay.address() as AddressInfo).port };
  }

  /** As a process that is killed. */
  cutOff(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    if (!this.relay.listening) return;
    const closed = once(this.relay, 'close');
    this.relay.close();
    this.cutOff();
    this.server.forceShutdown();
    await closed;
  }

  private handlers(): Record<string, UntypedHandleCall> {
    type Call = ServerUnaryCall<Buffer, Buffer>;
    const seen = (method: string, { metadata }: { readonly metadata: Metadata }): Metadata => {
      this.calls.push({ method, metadata: metadata.toJSON() });
      return metadataOf({ instance: this.name });
    };
    return {
      Get: (call: Call, answer: sendUnaryData<Buffer>) => {
        call.sendMetadata(seen('Get', call));
        answer(null, call.request);
      },
      Fail: (call: Call, answer: sendUnaryData<Buffer>) => {
        seen('Fail', call);
        answer({ code: status.FAILED_PRECONDITION, details: 'nö, 100 %', metadata: metadataOf({ why: 'sold out' }) });
      },
      Hang: (call: Call) => {
        seen('Hang', call);
      },
      List: (call: ServerWritableStream<Buffer, Buffer>) => {
        call.sendMetadata(seen('List', call));
        call.on('cancelled', () => (this.cancelled += 1));
        call.write(Buffer.from('first'));
        // The client's next step asks for the rest, so that no time decides.
        this.goOn = () => {
          call.write(Buffer.from('second'));
          call.end();
        };
      },
      Import: (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        call.sendMetadata(seen('Import', call));
        const messages: string[] = [];
        call.on('error', () => undefined);
        call.on('data', (message: Buffer) => messages.push(message.toString()));
        call.on('end', () => {
          this.imports.push(messages);
          answer(null, Buffer.from(String(Buffer.byteLength(messages.join('')))));
        });
      },
      Talk: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.sendMetadata(seen('Talk', call));
        call.on('error', () => undefined);
        call.on('cancelled', () => (this.cancelled += 1));
        call.on('data', (message: Buffer) => call.write(Buffer.from(`you said ${message.toString()}`)));
        call.on('end', () => {
          call.end();
        });
      },
      Check: (call: Call, answer: sendUnaryData<Buffer>) => {
        seen('Check', call);
        answer(null, serving);
      },
    };
  }

  /** Sends what is left of the last List. */
  goOn: () => void = () => undefined;
}

function metadataOf(values: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) metadata.set(name, value);
  return metadata;
}

/** What a call came to, as a client of gRPC sees it. */
interface CallResult {
  /** 0 is OK. */
  readonly code: number;
  readonly details: string;
  /** Metadata at the beginning of the answer, and at its end. */
  readonly headers: Readonly<Record<string, readonly MetadataValue[]>>;
  readonly trailers: Readonly<Record<string, readonly MetadataValue[]>>;
  readonly messages: readonly string[];
}

/** A call that is in progress. */
interface OpenCall {
  readonly messages: readonly string[];
  readonly send: (message: string) => void;
  /** The client has said all. */
  readonly end: () => void;
  readonly cancel: () => void;
  readonly result: Promise<CallResult>;
}

interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** In milliseconds. */
  readonly timeout?: number;
}

/** A client of gRPC, on one connection over TLS. */
export class GrpcClient {
  private readonly client: Client;

  constructor({ host, place }: { readonly host: string; readonly place: Pick<Place, 'httpsPort'> }) {
    this.client = new Client(
      `127.0.0.1:${place.httpsPort}`,
      credentials.createSsl(null, null, null, { rejectUnauthorized: false }),
      {
        'grpc.ssl_target_name_override': host,
        'grpc.default_authority': host,
        // What nginx does is looked at, not what a client makes of it.
        'grpc.enable_retries': 0,
        'grpc.use_local_subchannel_pool': 1,
      },
    );
    onFileFinished(() => {
      this.client.close();
    });
  }

  /** One message, and whatever comes. */
  async call(path: string, message = 'hello', options: CallOptions = {}): Promise<CallResult> {
    const { send, end, result } = this.open(path, options);
    send(message);
    end();
    return result;
  }

  /** Any kind of call: how many messages there are, on either side, is not known before. */
  open(path: string, { metadata = {}, timeout = 20_000 }: CallOptions = {}): OpenCall {
    const deadline = Date.now() + timeout;
    const call = this.client.makeBidiStreamRequest(path, asItIs, asItIs, metadataOf(metadata), { deadline });
    const messages: string[] = [];
    let headers: CallResult['headers'] = {};
    call.on('metadata', (received: Metadata) => (headers = received.toJSON()));
    call.on('data', (message: Buffer) => messages.push(message.toString()));
    call.on('error', () => undefined);
    const result = new Promise<CallResult>((resolve) => {
      call.on('status', ({ code, details, metadata: last }: StatusObject) => {
        resolve({ code, details, headers, trailers: last.toJSON(), messages });
      });
    });
    return {
      messages,
      send: (message) => call.write(Buffer.from(message)),
      end: () => {
        call.end();
      },
      cancel: () => {
        call.cancel();
      },
      result,
    };
  }
}

/** What a proxy has whose backend `api`, or each of several, speaks gRPC. */
function grpcParts(parts: ProxyParts): ProxyParts {
  const asGrpc = (route: RouteParts): RouteParts => ({ protocol: 'grpc', ...route });
  const { routes, hosts } = parts;
  return {
    ...parts,
    backends: (parts.backends ?? [{}]).map((backend) => ({
      protocol: 'grpc',
      healthCheckPath: healthCheck,
      ...backend,
    })),
    ...(hosts === undefined && routes === undefined ? { routes: [{ protocol: 'grpc' }] } : {}),
    ...(routes === undefined ? {} : { routes: routes.map(asGrpc) }),
  };
}

/** nginx in front of these instances of gRPC, and a client of it. */
export interface GrpcProxy {
  readonly nginx: RealNginx;
  readonly dns: StubDns;
  readonly client: GrpcClient;
}

/** Starts it, and waits until nginx knows the instances. They end with the test file. */
export async function startGrpc(
  parts: ProxyParts,
  instances: readonly Instance[] | Readonly<Record<string, readonly Instance[]>>,
  place: Partial<Place> = {},
  start: RealNginxStart = {},
): Promise<GrpcProxy> {
  const dns = await StubDns.start();
  const byBackend = Array.isArray(instances) ? { api: instances as readonly Instance[] } : instances;
  const all = Object.entries(byBackend as Readonly<Record<string, readonly Instance[]>>);
  for (const [name, some] of all) dns.byHost.set(`${name}.orders.svc.cluster.local`, some);
  const asked = dns.questions;
  const nginx = await RealNginx.start(proxyModel(grpcParts(parts)), { resolvers: [dns.server], ...place }, start);
  const questions = all.reduce((sum, [, some]) => sum + 1 + some.length, 0);
  await until(() => dns.questions >= asked + questions, 'the questions of nginx');
  return { nginx, dns, client: new GrpcClient(nginx) };
}
