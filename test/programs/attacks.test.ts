import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AttackTally } from '../../reliability/attacker';
import { type ApiServer, apiServer } from '../api/support/api-server';
import { proxyModel } from '../nginx/support/models';
import { RealNginx } from '../nginx/support/real-nginx';
import { StubDns } from '../nginx/support/stub-dns';
import { until } from '../until';

const program = 'reliability/attacks/attack.mjs';

/** With the least options that show what it does, and the moment when it has done that. */
const attacks: Readonly<Record<string, readonly [options: string, done: (tally: AttackTally) => boolean]>> = {
  'held-event-streams': ['--connections 3', ({ answers }) => answers['200'] === 3],
  'slow-bodies': ['--connections 3 --size 1000000', ({ requests }) => requests === 3],
  'held-bodies': ['--connections 2 --size 1048576', ({ requests }) => requests === 2],
  'slow-heads': ['--connections 2', ({ requests }) => requests === 2],
  'slow-reads': ['--connections 2 --size 10000000', ({ answers }) => answers['200'] === 2],
  'gzip-bombs': [
    '--size 10000000 --rate 20',
    ({ requests, answers }) => requests > 2 && Object.keys(answers).length > 0,
  ],
  'idle-tls': ['--connections 3', ({ open }) => open === 3],
  'idle-http2': ['--connections 3', ({ open }) => open === 3],
  connections: ['--connections 5', ({ open }) => open === 5],
  'unread-http2-streams': ['--streams 120 --size 1000000', ({ answers }) => answers['200'] === 120],
  'rapid-reset': ['--rate 300', ({ requests }) => requests > 100],
  'continuation-flood': ['--rate 1000', ({ ended, frames }) => ended > 0 && frames > 500],
  'ping-flood': ['--rate 3000', ({ acknowledged, frames }) => acknowledged > 1 && frames > 2 * acknowledged],
  'settings-flood': ['--rate 3000', ({ acknowledged, frames }) => acknowledged > 1 && frames > 2 * acknowledged],
};

let dns: StubDns;
let api: ApiServer;
let nginx: RealNginx;
const tallies = new Map<string, AttackTally>();

/** By its own host, each can be told from the others in the log. */
function hostOf(attack: string): string {
  return `${attack}.localhost`;
}

/** Runs one until it has done what it is for, and a second longer, in which what should be held could end. */
async function run(
  attack: string,
  [options, done]: readonly [string, (tally: AttackTally) => boolean],
  host = hostOf(attack),
): Promise<AttackTally> {
  const child = spawn(process.execPath, [
    ...[program, attack, '--seconds', '15', ...options.split(' ')],
    ...['--target', `127.0.0.1:${nginx.place.httpsPort}`, '--host', host],
  ]);
  let last: AttackTally | undefined;
  let longer = 4;
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as AttackTally;
    if (done(last) && (longer -= 1) === 0) child.kill();
  }
  if (last === undefined) throw new Error(`${attack} printed nothing`);
  return last;
}

beforeAll(async () => {
  dns = await StubDns.start();
  api = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true' });
  dns.instances = [{ address: '127.0.0.1', port: api.port }];
  nginx = await RealNginx.start(proxyModel({ names: ['localhost', ...Object.keys(attacks).map(hostOf)] }), {
    resolvers: [dns.server],
  });
  await nginx.untilAnswered(({ status }) => status === 200);
  await Promise.all(Object.entries(attacks).map(async ([attack, how]) => tallies.set(attack, await run(attack, how))));
}, 60_000);

afterAll(async () => {
  await nginx.stop();
  await api.close();
  await dns.stop();
});

function tallyOf(attack: string): AttackTally {
  const tally = tallies.get(attack);
  if (tally === undefined) throw new Error(`${attack} was run`);
  return tally;
}

interface Line {
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly bytes_sent: number;
  readonly upstream_addr: string;
}

/** What nginx logged of an attack, once that is so many lines. */
function logOf(attack: string, lines: number): Promise<readonly Line[]> {
  return until(() => {
    const logged = readFileSync(join(nginx.directory, 'access.log'), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line)
      .filter(({ host }) => host === hostOf(attack));
    return logged.length >= lines ? logged : undefined;
  }, `${lines} lines of ${attack} in the log`);
}

test('event streams are held, each on a connection of its own, and the API sends to each', async () => {
  expect(tallyOf('held-event-streams')).toMatchObject({ attempted: 3, mostOpen: 3, requests: 3, answers: { 200: 3 } });
  for (const line of await logOf('held-event-streams', 3)) expect(line).toMatchObject({ path: '/sse', status: 200 });
});

test('slow bodies keep nginx waiting, and never reach the API', async () => {
  expect(tallyOf('slow-bodies')).toMatchObject({ attempted: 3, mostOpen: 3, requests: 3, answers: {}, ended: 0 });
  for (const line of await logOf('slow-bodies', 3)) {
    expect(line).toMatchObject({ path: '/echo', status: 400, upstream_addr: '' });
  }
});

test('held bodies come all but whole, and never reach the API', async () => {
  expect(tallyOf('held-bodies')).toMatchObject({ mostOpen: 2, answers: {}, ended: 0 });
  expect(tallyOf('held-bodies').bytesSent).toBeGreaterThan(2 * (2 ** 20 - 16));
  for (const line of await logOf('held-bodies', 2)) expect(line).toMatchObject({ status: 400, upstream_addr: '' });
});

test('slow heads never become requests', async () => {
  expect(tallyOf('slow-heads')).toMatchObject({ mostOpen: 2, answers: {}, ended: 0 });
  for (const line of await logOf('slow-heads', 2)) expect(line).toMatchObject({ status: 400, upstream_addr: '' });
});

test('slow reads leave most of an answer with nginx', async () => {
  expect(tallyOf('slow-reads')).toMatchObject({ mostOpen: 2, answers: { 200: 2 }, ended: 0 });
  expect(tallyOf('slow-reads').bytesReceived).toBeLessThan(1_000_000);
  for (const { bytes_sent } of await logOf('slow-reads', 2)) expect(bytes_sent).toBeLessThan(10_000_000);
});

test('gzip bombs reach the API, one after the other, and are refused by it', async () => {
  const { answers, requests, bytesSent } = tallyOf('gzip-bombs');
  expect(Object.keys(answers)).toEqual(['413']);
  expect(requests).toBeGreaterThanOrEqual(2);
  // Ten thousandths of what they unpack to, and their heads.
  expect(bytesSent / requests).toBeLessThan(20_000);
  expect((await logOf('gzip-bombs', 2))[0]).toMatchObject({ upstream_addr: `127.0.0.1:${api.port}` });
});

test.each([
  ['idle-tls', 3],
  ['idle-http2', 3],
  ['connections', 5],
])('%s are opened, and ask nothing', (attack, connections) => {
  expect(tallyOf(attack)).toMatchObject({ attempted: connections, mostOpen: connections, requests: 0, ended: 0 });
});

test('streams that do not read are answered on one connection, and none to its end', async () => {
  const { bytesReceived, ...tally } = tallyOf('unread-http2-streams');
  expect(tally).toMatchObject({ attempted: 1, requests: 120, answers: { 200: 120 }, resets: 0, goAways: 0 });
  // One window of the connection, and the heads.
  expect(bytesReceived).toBeLessThan(150_000);
  for (const { bytes_sent } of await logOf('unread-http2-streams', 120)) expect(bytes_sent).toBeLessThan(1_000_000);
});

test('rapid reset opens streams, and leaves each before its answer', async () => {
  expect(tallyOf('rapid-reset')).toMatchObject({ mostOpen: 1, answers: {}, resets: 0 });
  const statuses = new Set((await logOf('rapid-reset', 100)).map(({ status }) => status));
  expect([...statuses]).toEqual([499]);
});

test('a CONTINUATION flood is answered once on each connection, which nginx ends', () => {
  const { attempted, answers, ended, frames } = tallyOf('continuation-flood');
  expect(Object.keys(answers)).toEqual(['431']);
  expect(answers[431]).toBeLessThanOrEqual(attempted);
  expect(ended).toBeGreaterThan(0);
  expect(frames).toBeGreaterThan(attempted);
});

test.each(['ping-flood', 'settings-flood'])('a %s is frames that nginx answers until no answer is read', (attack) => {
  expect(tallyOf(attack)).toMatchObject({ attempted: 1, requests: 0, ended: 0 });
  // One is that of the connection's beginning.
  const { acknowledged, frames } = tallyOf(attack);
  expect(acknowledged).toBeGreaterThan(1);
  expect(acknowledged).toBeLessThan(frames / 2);
});

test('connections that end are opened again, no faster than was said', async () => {
  const begin = performance.now();
  const wanted: (tally: AttackTally) => boolean = ({ refused }) => refused > 4;
  const { attempted, opened } = await run('idle-tls', ['--connections 100 --opening 20', wanted], 'not-ours.localhost');
  expect(opened).toBe(0);
  expect(attempted).toBeGreaterThan(4);
  // Half a second's may be opened at once.
  expect(attempted).toBeLessThanOrEqual(10 + (20 * (performance.now() - begin)) / 1000);
});

test.each([
  ['an address of others', ['slow-heads', '--target', '8.8.8.8:443', '--host', 'a'], '--target: "8.8.8.8:443"'],
  ['a name', ['slow-heads', '--target', 'example.com:443', '--host', 'a'], '--target: "example.com:443"'],
  ['an unknown attack', ['slow', '--target', '127.0.0.1:1', '--host', 'a'], '"slow" is not an attack'],
  ['no end', ['slow-heads', '--target', '127.0.0.1:1', '--host', 'a', '--seconds', '301'], '--seconds: "301"'],
  ['an unknown option', ['slow-heads', '--forever'], "Unknown option '--forever'"],
])('the program refuses %s', (_what, args, message) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(`attack: ${message}`);
});
