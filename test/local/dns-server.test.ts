import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { decode, encode, Packet, RecordType, RECURSION_DESIRED } from 'dns-packet';
import { DnsInstance, DnsServer } from '../../local/dns-server';
import { onTestFinished } from '../afterwards';

const zone = 'api.internal';
const service = `_http._tcp.${zone}`;

let instances: DnsInstance[] = [];
let server: DnsServer;
let resolver: Resolver;

beforeEach(async () => {
  instances = [
    { name: 'api-1', address: '127.0.0.1', port: 4001 },
    { name: 'api-2', address: '127.0.0.1', port: 4002 },
  ];
  server = await DnsServer.start(
    { [zone]: () => instances, 'catalog.internal': () => [] },
    {
      'legacy.example.com': () => Promise.resolve(['192.0.2.1', '192.0.2.2']),
      'unknown.example.com': () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })),
      'failing.example.com': () => Promise.reject(Object.assign(new Error('try again'), { code: 'EAI_AGAIN' })),
    },
  );
  resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${server.port}`]);
});

afterEach(async () => {
  await server.close();
});

function question(name: string, type: RecordType, more: Partial<Packet> = {}): Buffer {
  return encode({ type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ name, type }], ...more });
}

async function overUdp(message: Buffer): Promise<ReturnType<typeof decode>> {
  const socket = createSocket('udp4');
  onTestFinished(() => socket.close());
  socket.send(message, server.port, '127.0.0.1');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  return decode(answer);
}

describe('the DNS server', () => {
  test('gives each instance a port and a name by SRV, and its address by A', async () => {
    expect(await resolver.resolveSrv(service)).toEqual([
      { name: 'api-1.api.internal', port: 4001, priority: 0, weight: 0 },
      { name: 'api-2.api.internal', port: 4002, priority: 0, weight: 0 },
    ]);
    expect(await resolver.resolve4('api-2.api.internal', { ttl: true })).toEqual([{ address: '127.0.0.1', ttl: 0 }]);
  });

  test('knows at once which instances there are', async () => {
    instances = [{ name: 'api-3', address: '127.0.0.1', port: 4003 }];
    expect(await resolver.resolveSrv(service)).toEqual([
      { name: 'api-3.api.internal', port: 4003, priority: 0, weight: 0 },
    ]);
    await expect(resolver.resolve4('api-1.api.internal')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  test.each([
    ['a name that does not exist', 'api-9.api.internal', 'A', 'NXDOMAIN', ['SOA']],
    ['another type of a name that exists', 'api-1.api.internal', 'AAAA', 'NOERROR', ['SOA']],
    ['a name between others', '_tcp.api.internal', 'SRV', 'NOERROR', ['SOA']],
    ['the zone itself', 'api.internal', 'A', 'NOERROR', ['SOA']],
    ['a name of somebody else', 'example.com', 'A', 'REFUSED', []],
    ['a name that only ends alike', 'notapi.internal', 'A', 'REFUSED', []],
  ] as const)('%s: %s %s is %s without an answer', async (_, name, type, rcode, authorities) => {
    const response = await overUdp(question(name, type));
    expect(response).toMatchObject({ id: 7, type: 'response', rcode, answers: [] });
    expect(response.authorities?.map((record) => record.type)).toEqual(authorities);
  });

  test('gives the addresses that this machine knows of the names of others', async () => {
    expect(await resolver.resolve4('Legacy.example.com')).toEqual(['192.0.2.1', '192.0.2.2']);
    const { flag_aa: authoritative } = await overUdp(question('legacy.example.com', 'A'));
    expect(authoritative).toBe(false);
  });

  test.each([
    ['unknown.example.com', 'A', 'NXDOMAIN'],
    ['failing.example.com', 'A', 'SERVFAIL'],
    ['legacy.example.com', 'AAAA', 'NOERROR'],
    ['a.legacy.example.com', 'A', 'REFUSED'],
  ] as const)('has no address of %s %s: %s', async (name, type, rcode) => {
    expect(await overUdp(question(name, type))).toMatchObject({ rcode, answers: [] });
  });

  test('without an instance there is no answer, and no error', async () => {
    instances = [];
    expect(await overUdp(question(service, 'SRV'))).toMatchObject({ rcode: 'NOERROR', answers: [] });
  });

  test('answers in the case of the question', async () => {
    const { answers, flag_aa: authoritative } = await overUdp(question('API-1.aPi.internal', 'A'));
    expect(answers).toMatchObject([{ name: 'API-1.aPi.internal', data: '127.0.0.1' }]);
    expect(authoritative).toBe(true);
  });

  test('what is not a query is not implemented', async () => {
    const notify = 4 << 11;
    expect(await overUdp(question(service, 'SRV', { flags: notify }))).toMatchObject({ rcode: 'NOTIMP' });
  });

  test('what does not fit a datagram is cut off there, and whole over TCP', async () => {
    instances = Array.from({ length: 100 }, (_, index) => ({
      name: `api-${index + 1}`,
      address: '127.0.0.1',
      port: 5000 + index,
    }));
    expect(await overUdp(question(service, 'SRV'))).toMatchObject({ flag_tc: true, answers: [] });
    // The resolver asks again over TCP by itself.
    expect(await resolver.resolveSrv(service)).toHaveLength(100);
  });

  test('answers questions that come in pieces over one TCP connection', async () => {
    const message = question(service, 'SRV');
    const framed = Buffer.concat([Buffer.from([0, message.length]), message]);
    const socket = connect(server.port, '127.0.0.1');
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => (received = Buffer.concat([received, chunk])));
    socket.write(framed.subarray(0, 5));
    await once(socket, 'connect');
    socket.write(Buffer.concat([framed.subarray(5), framed]));
    const complete = () => received.length > 2 && received.length === 2 * (2 + received.readUInt16BE(0));
    while (!complete()) await once(socket, 'data');
    expect(decode(received.subarray(2)).answers).toHaveLength(2);
    socket.destroy();
  });

  test('refuses a name that every object has', async () => {
    for (const name of ['constructor', '__proto__']) {
      expect(await overUdp(question(name, 'A'))).toMatchObject({ rcode: 'REFUSED' });
    }
  });

  test('goes on after what is no DNS message, and does not answer answers', async () => {
    const socket = createSocket('udp4');
    onTestFinished(() => socket.close());
    const answers: Buffer[] = [];
    socket.on('message', (message) => answers.push(message));
    socket.send(Buffer.from('no DNS'), server.port, '127.0.0.1');
    socket.send(question(service, 'SRV', { type: 'response' }), server.port, '127.0.0.1');
    socket.send(question(service, 'SRV', { id: 8 }), server.port, '127.0.0.1');
    await once(socket, 'message');
    expect(answers.map((message) => decode(message).id)).toEqual([8]);
  });
});
