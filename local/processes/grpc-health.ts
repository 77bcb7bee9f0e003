import { connect, type IncomingHttpHeaders } from 'node:http2';

/** The method of the health protocol of gRPC. @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const check = '/grpc.health.v1.Health/Check';

/** What a server may say of a service, by its number in the protocol. */
const states = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

export interface GrpcHealthQuestion {
  readonly port: number;
  /** Its name with its package; empty for the server as a whole. */
  readonly service: string;
  /** In milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/** Asks a process of this machine as the kubelet does; gives undefined if it is serving, or why it is not. */
export function grpcHealth({ port, service, timeout, signal }: GrpcHealthQuestion): Promise<string | undefined> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const end = (reason: string | undefined): void => {
      clearTimeout(late);
      signal.removeEventListener('abort', aborted);
      session.destroy();
      resolve(reason);
    };
    const aborted = (): void => {
      end('aborted');
    };
    const late = setTimeout(() => {
      end('no answer');
    }, timeout);
    signal.addEventListener('abort', aborted, { once: true });
    const failed = (error: Error): void => {
      end(error.message);
    };
    session.on('error', failed);
    const call = session.request({
      ':method': 'POST',
      ':path': check,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const received: Buffer[] = [];
    let said: IncomingHttpHeaders = {};
    call.on('error', failed);
    call.on('response', (headers) => (said = headers));
    call.on('trailers', (trailers: IncomingHttpHeaders) => (said = { ...said, ...trailers }));
    call.on('data', (chunk: Buffer) => received.push(chunk));
    call.on('end', () => {
      end(reasonOf(said, Buffer.concat(received)));
    });
    call.end(message(service));
  });
}

/** A request with the name as its first field, behind its length. @see https://protobuf.dev/programming-guides/encoding/ */
function message(service: string): Buffer {
  const name = Buffer.from(service);
  const field = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...lengthOf(name)]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(field.length, 1);
  return Buffer.concat([head, field]);
}

function lengthOf({ length }: Buffer): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, length >> 7];
}

function reasonOf(said: IncomingHttpHeaders, answer: Buffer): string | undefined {
  const status = said['grpc-status'];
  if (status === undefined) return `${check} is not answered by gRPC (${String(said[':status'])})`;
  if (status !== '0') {
    const text = decodeURIComponent(String(said['grpc-message'] ?? '').replaceAll(/%(?![0-9A-Fa-f]{2})/g, '%25'));
    return `${check} is answered with the status ${String(status)}${text === '' ? '' : ` (${text})`}`;
  }
  // The state is the first field, and left out when it is zero.
  const state = answer[5] === 0x08 ? (states[answer[6] ?? 0] ?? 'UNKNOWN') : 'UNKNOWN';
  return state === 'SERVING' ? undefined : `${check} says ${state}`;
}
