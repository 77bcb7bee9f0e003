import { createSocket, Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { AddressInfo, createServer, Server, Socket } from 'node:net';
import { decode, encode, Packet, TRUNCATED_RESPONSE } from 'dns-packet';
import { dnsAnswer, DnsInstance } from './dns-answer';

/** More needs TCP. @see https://www.rfc-editor.org/rfc/rfc1035#section-4.2.1 */
const largestDatagram = 512;
/** The same port must be free for UDP and for TCP. */
const attempts = 20;
const idleMilliseconds = 5000;

/** Discovery as in a cluster: a DNS server that knows the instances which are ready at this moment. */
export class DnsServer {
  private constructor(
    private readonly udp: UdpSocket,
    private readonly tcp: Server,
    private readonly connections: Set<Socket>,
    readonly port: number,
  ) {}

  /** Listens on a free port of the loopback interface. */
  static async start(zone: string, instances: () => readonly DnsInstance[]): Promise<DnsServer> {
    const answer = (query: Packet): Packet => dnsAnswer(zone, instances(), query);
    const connections = new Set<Socket>();
    for (let attempt = 1; ; attempt += 1) {
      const tcp = createServer((socket) => {
        connections.add(socket);
        socket.once('close', () => connections.delete(socket));
        answerStream(socket, answer);
      });
      tcp.listen(0, '127.0.0.1');
      await once(tcp, 'listening');
      const { port } = tcp.address() as AddressInfo;
      const udp = createSocket('udp4');
      try {
        udp.bind(port, '127.0.0.1');
        await once(udp, 'listening');
      } catch (error) {
        tcp.close();
        if (attempt === attempts) throw error;
        continue;
      }
      udp.on('message', (message, { port: clientPort, address }) => {
        const response = respond(message, answer);
        if (response !== undefined) udp.send(fitDatagram(response), clientPort, address);
      });
      // A client that is gone is told of by ICMP, and does not concern the others.
      udp.on('error', () => undefined);
      return new DnsServer(udp, tcp, connections, port);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    this.udp.close();
    this.tcp.close();
    await Promise.all([once(this.udp, 'close'), once(this.tcp, 'close')]);
  }
}

/** Nothing for what is not a question: an answer to an answer could go on for ever. */
function respond(message: Buffer, answer: (query: Packet) => Packet): Packet | undefined {
  let query: Packet;
  try {
    query = decode(message);
  } catch {
    return undefined;
  }
  return query.type === 'query' ? answer(query) : undefined;
}

function fitDatagram(response: Packet): Buffer {
  const whole = encode(response);
  if (whole.length <= largestDatagram) return whole;
  return encode({ ...response, flags: (response.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

/** Over TCP each message has its length in front. @see https://www.rfc-editor.org/rfc/rfc1035#section-4.2.2 */
function answerStream(socket: Socket, answer: (query: Packet) => Packet): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(idleMilliseconds, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const response = respond(received.subarray(2, end), answer);
      received = received.subarray(end);
      if (response === undefined) {
        socket.destroy();
        return;
      }
      const message = encode(response);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    }
  });
}
