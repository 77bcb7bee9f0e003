import { createSocket, Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { AddressInfo, createServer, Server, Socket } from 'node:net';
import { Answer, AUTHORITATIVE_ANSWER, decode, encode, Packet, Question, TRUNCATED_RESPONSE } from 'dns-packet';

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
  static async start(zones: Zones, names: Names = {}): Promise<DnsServer> {
    const answer: Answerer = (query) => outsideAnswer(names, query) ?? Promise.resolve(dnsAnswer(zones, query));
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
      let open = true;
      udp.once('close', () => (open = false));
      try {
        udp.bind(port, '127.0.0.1');
        await once(udp, 'listening');
      } catch (error) {
        tcp.close();
        if (attempt === attempts) throw error;
        continue;
      }
      udp.on('message', (message, { port: clientPort, address }) => {
        void respond(message, answer).then((response) => {
          // Whoever asked may be answered when the server is closed already.
          if (response !== undefined && open) udp.send(fitDatagram(response), clientPort, address);
        });
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
async function respond(message: Buffer, answer: Answerer): Promise<Packet | undefined> {
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
function answerStream(socket: Socket, answer: Answerer): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(idleMilliseconds, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const question = received.subarray(2, end);
      received = received.subarray(end);
      void respond(question, answer).then((response) => {
        writeTo(socket, response);
      });
    }
  });
}

function writeTo(socket: Socket, response: Packet | undefined): void {
  if (response === undefined) {
    socket.destroy();
    return;
  }
  const message = encode(response);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  if (socket.writable) socket.write(Buffer.concat([length, message]));
}

type Answerer = (query: Packet) => Promise<Packet>;

/** IPv4 addresses of names that are not of ours, as this machine knows them. */
export type Names = Readonly<Record<string, () => Promise<readonly string[]>>>;

/** The instances of each backend, by the name whose SRV records they are. */
export type Zones = Readonly<Record<string, () => readonly DnsInstance[]>>;

/** One instance of a backend, as DNS shows it. */
export interface DnsInstance {
  /** The first label of its name. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** @see https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml#dns-parameters-6 */
const rcodes = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
/** An old answer is never right. */
const ttl = 0;

/** Looks a name up for whom it asks of us; nothing for a question about another one. */
function outsideAnswer(names: Names, query: Packet): Promise<Packet> | undefined {
  const [question, ...more] = query.questions ?? [];
  if (question === undefined || more.length > 0) return undefined;
  const name = question.name.toLowerCase();
  // `constructor` is a name that anybody may ask for, and that every object has.
  const lookUp = Object.hasOwn(names, name) ? names[name] : undefined;
  if (lookUp === undefined) return undefined;
  const respond = (rcode: keyof typeof rcodes, addresses: readonly string[]): Packet => ({
    type: 'response',
    id: query.id ?? 0,
    flags: ((query.flags ?? 0) & recursionDesired) | recursionAvailable | rcodes[rcode],
    questions: query.questions ?? [],
    answers: addresses.map((data): Answer => ({ name: question.name, type: 'A', ttl, data })),
  });
  return lookUp().then(
    (addresses) => respond('NOERROR', isAskedFor('A', question) ? addresses : []),
    (error: unknown) => respond((error as NodeJS.ErrnoException).code === 'ENOTFOUND' ? 'NXDOMAIN' : 'SERVFAIL', []),
  );
}

/** Answers a question as the authoritative server of the zones: SRV for `_http._tcp.ZONE`, A for each target in it. */
function dnsAnswer(zones: Zones, query: Packet): Packet {
  const [question, ...more] = query.questions ?? [];
  const respond = (rcode: keyof typeof rcodes, sections: Partial<Packet> = {}): Packet => ({
    type: 'response',
    id: query.id ?? 0,
    flags: AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & recursionDesired) | rcodes[rcode],
    questions: query.questions ?? [],
    ...sections,
  });
  if (question === undefined || more.length > 0 || ((query.flags ?? 0) & opcode) !== 0) return respond('NOTIMP');

  const name = question.name.toLowerCase();
  const [zone, instances] = Object.entries(zones).find(([each]) => name === each || name.endsWith(`.${each}`)) ?? [];
  if (zone === undefined || instances === undefined) return respond('REFUSED');

  const records = recordsOf(zone, instances(), name);
  // An empty answer must say for how long it holds. https://www.rfc-editor.org/rfc/rfc2308#section-3
  if (records === undefined) return respond('NXDOMAIN', { authorities: [startOfAuthority(zone)] });
  const answers = records.filter(({ type }) => isAskedFor(type, question)).map((record) => sameCase(record, question));
  return answers.length > 0
    ? respond('NOERROR', { answers })
    : respond('NOERROR', { authorities: [startOfAuthority(zone)] });
}

const opcode = 0x7800;
const recursionDesired = 0x0100;
const recursionAvailable = 0x0080;

/** Every record of a name; nothing for a name that does not exist. */
function recordsOf(zone: string, instances: readonly DnsInstance[], name: string): Answer[] | undefined {
  if (name === zone) return [startOfAuthority(zone)];
  if (name === `_tcp.${zone}`) return [];
  if (name === `_http._tcp.${zone}`) {
    return instances.map((instance) => ({
      name,
      type: 'SRV',
      ttl,
      data: { priority: 0, weight: 0, port: instance.port, target: `${instance.name}.${zone}` },
    }));
  }
  const found = instances.find((instance) => name === `${instance.name}.${zone}`);
  return found === undefined ? undefined : [{ name, type: 'A', ttl, data: found.address }];
}

function isAskedFor(type: string, question: Question): boolean {
  const asked: string = question.type;
  return asked === type || asked === 'ANY';
}

/** Resolvers may use the case of letters as a nonce, and compare it. */
function sameCase(record: Answer, question: Question): Answer {
  return { ...record, name: question.name };
}

function startOfAuthority(zone: string): Answer {
  return {
    name: zone,
    type: 'SOA',
    ttl,
    data: {
      mname: `ns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: ttl,
    },
  };
}
