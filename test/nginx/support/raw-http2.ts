import { once } from 'node:events';
import { connect } from 'node:tls';
import { RealNginx } from './real-nginx';

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-6 */
const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, goAway: 7 } as const;
const endStream = 0x1;
const endHeaders = 0x4;

/** One request in frames of its own making, as no client library sends such headers; resolves to what comes back, as text. */
export async function rawHttp2(
  { host, place }: RealNginx,
  headers: Readonly<Record<string, string | Buffer>>,
): Promise<string> {
  const socket = connect({
    ...{ host: '127.0.0.1', port: place.httpsPort, servername: host },
    ...{ rejectUnauthorized: false, ALPNProtocols: ['h2'] },
  });
  try {
    await once(socket, 'secureConnect');
    if (socket.alpnProtocol !== 'h2') throw new Error(`HTTP/2 was not agreed on, but ${String(socket.alpnProtocol)}`);
    // Literal fields, not indexed (RFC 7541, 6.2.2).
    const block = Object.entries(headers).map(([name, value]) =>
      Buffer.concat([
        Buffer.from([0]),
        ...[Buffer.from(name), typeof value === 'string' ? Buffer.from(value) : value].map(literal),
      ]),
    );
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(
      Buffer.concat([
        frame(frameTypes.settings, 0, 0, Buffer.alloc(0)),
        frame(frameTypes.headers, endStream | endHeaders, 1, Buffer.concat(block)),
      ]),
    );
    let received = Buffer.alloc(0);
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      if (isOver(received)) break;
    }
    return received.toString('latin1');
  } finally {
    socket.destroy();
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Bytes with their length before them (RFC 7541, 5.2). */
function literal(bytes: Buffer): Buffer {
  const length = [Math.min(bytes.length, 127)];
  if (bytes.length >= 127) {
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push(128 + (rest % 128));
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** Whether the other side has ended the only stream, or the connection. */
function isOver(received: Buffer): boolean {
  for (let at = 0; at + 9 <= received.length;) {
    const next = at + 9 + received.readUIntBE(at, 3);
    if (received.length < next) return false;
    const [type, flags] = [received.readUInt8(at + 3), received.readUInt8(at + 4)];
    if (type === frameTypes.reset || type === frameTypes.goAway) return true;
    if ((type === frameTypes.data || type === frameTypes.headers) && (flags & endStream) !== 0) return true;
    at = next;
  }
  return false;
}
