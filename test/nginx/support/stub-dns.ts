import { createSocket, Socket } from 'node:dgram';
import { once } from 'node:events';
import { Answer, decode, encode, RECURSION_AVAILABLE } from 'dns-packet';
import { onFileFinished } from '../../afterwards';

/** An instance as DNS knows it: an address, and a port that only SRV records carry. */
export interface Instance {
  readonly address: string;
  readonly port: number;
}

/**
 * A DNS server whose answers a test changes while nginx runs: address records for any name, and SRV records with a
 * target for each instance.
 */
export class StubDns {
  /** 'silent' answers nothing, 'failing' SERVFAIL, 'missing' NXDOMAIN. */
  mood: 'well' | 'silent' | 'failing' | 'missing' = 'well';
  instances: readonly Instance[] = [];
  /** Those of one name, where they are others. */
  readonly byHost = new Map<string, readonly Instance[]>();
  questions = 0;
  private stopped = false;

  private constructor(private readonly socket: Socket) {}

  static async start(): Promise<StubDns> {
    const socket = createSocket('udp4');
    const dns = new StubDns(socket);
    onFileFinished(() => dns.stop());
    socket.on('message', (message, { port, address }) => {
      dns.questions += 1;
      const answer = dns.answer(message);
      if (answer !== undefined) socket.send(answer, port, address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return dns;
  }

  get server(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.socket.close();
    await once(this.socket, 'close');
  }

  private answer(message: Buffer): Buffer | undefined {
    if (this.mood === 'silent') return undefined;
    const { id, questions = [] } = decode(message);
    const rcode = { well: 0, failing: 2, missing: 3 }[this.mood];
    const answers = this.mood === 'well' ? questions.flatMap(({ name, type }) => this.records(name, type)) : [];
    return encode({ type: 'response', id: id ?? 0, flags: RECURSION_AVAILABLE | rcode, questions, answers });
  }

  private records(name: string, type: string): Answer[] {
    const host = name.replace(/^(?:_[^.]+\.)+|^instance-\d+\./, '');
    const instances = this.byHost.get(host) ?? this.instances;
    if (type === 'SRV') {
      return instances.map(({ port }, index) => ({
        name,
        type,
        ttl: 30,
        data: { port, target: `instance-${index}.${host}`, priority: 0, weight: 0 },
      }));
    }
    if (type !== 'A') return [];
    const index = /^instance-(\d+)\./.exec(name)?.[1];
    const chosen = index === undefined ? instances : instances.slice(Number(index), Number(index) + 1);
    return chosen.map(({ address }) => ({ name, type, ttl: 30, data: address }));
  }
}
