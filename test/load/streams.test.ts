import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyPair } from '../../certificates/key-pair';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { Streams, type StreamsOptions, streamsSummary } from '../../load/streams';
import { apiServer } from '../api/support/api-server';
import { until } from '../until';
import { StubStreams } from './stub-streams';

const running: Streams[] = [];
const servers: StubStreams[] = [];

afterEach(async () => {
  for (const streams of running.splice(0)) await streams.stop();
  for (const server of servers.splice(0)) server.stop();
});

async function stub(hostname = 'one', keyPair?: KeyPair): Promise<StubStreams> {
  const server = await StubStreams.start(hostname, keyPair);
  servers.push(server);
  return server;
}

function streams(port: number, options: Omit<StreamsOptions, 'url'>): Streams {
  const started = new Streams({
    url: `http://localhost:${port}`,
    openingRate: 1000,
    messageInterval: 10,
    ...options,
  });
  running.push(started);
  return started;
}

test('a WebSocket that is closed with 1001 comes back, and both instances are known', async () => {
  const server = await stub('one');
  const held = streams(server.port, { webSockets: 3 });
  await held.opened;
  server.hostname = 'two';
  const closed = [...server.webSockets][0];
  closed?.close(1001, 'going away');
  await until(() => closed !== undefined && !server.webSockets.has(closed) && server.webSockets.size === 3);
  // Until the client that came back has heard the name.
  await until(() => server.connectedAt.length === 4);
  const result = await stopOnceBack(held);
  const ended = result.sessions.filter(({ comeback }) => comeback !== undefined);
  expect(ended).toMatchObject([
    {
      kind: 'WebSocket',
      hostname: 'one',
      ending: { how: 'closed', code: 1001, reason: 'going away' },
      comeback: { refused: 0, hostname: 'two' },
    },
  ]);
  expect(ended[0]?.endedAt).toBeGreaterThanOrEqual(ended[0]?.openedAt ?? Number.NaN);
  const summary = streamsSummary(result);
  expect(summary).toMatchObject({ ended: 1, cameBack: 1, cameBackElsewhere: 1, away: 0, neverOpen: 0, refused: 0 });
  expect(Object.fromEntries(summary.before)).toEqual({ one: 3 });
  expect(Object.fromEntries(summary.after)).toEqual({ one: 2, two: 1 });
  expect(Object.fromEntries(summary.endings)).toEqual({
    'WebSocket closed with 1001 "going away"': 1,
    'WebSocket held to the end': 3,
  });
  expect(summary.longestGap).toBe(ended[0]?.comeback?.milliseconds);
});

test('a connection without a close frame is broken, and an event stream without its last chunk too', async () => {
  const server = await stub();
  const held = streams(server.port, { webSockets: 1, eventStreams: 1 });
  await held.opened;
  for (const webSocket of server.webSockets) webSocket.terminate();
  for (const response of server.eventStreams) response.destroy();
  await until(() => server.connectedAt.length === 4);
  const { endings } = streamsSummary(await stopOnceBack(held));
  expect(Object.fromEntries(endings)).toEqual({
    'WebSocket broken: no close frame (1006)': 1,
    'WebSocket held to the end': 1,
    'event stream broken: aborted': 1,
    'event stream held to the end': 1,
  });
});

test('an event stream that ends with its last chunk is told from one that breaks', async () => {
  const server = await stub('one');
  const held = streams(server.port, { eventStreams: 2 });
  await held.opened;
  server.hostname = 'two';
  for (const response of server.eventStreams) response.end();
  await until(() => server.connectedAt.length === 4);
  const result = await stopOnceBack(held);
  const summary = streamsSummary(result);
  expect(Object.fromEntries(summary.endings)).toEqual({
    'event stream ended with its last chunk': 2,
    'event stream held to the end': 2,
  });
  expect(summary).toMatchObject({ ended: 2, cameBack: 2, cameBackElsewhere: 2 });
  expect(Object.fromEntries(summary.after)).toEqual({ two: 2 });
});

test('a client that is refused tries again, counted, until it is let in', async () => {
  const server = await stub();
  const held = streams(server.port, { webSockets: 1, eventStreams: 1 });
  await held.opened;
  server.refuse = 503;
  for (const webSocket of server.webSockets) webSocket.close(1001);
  for (const response of server.eventStreams) response.end();
  await until(() => server.connectedAt.length >= 6);
  server.refuse = undefined;
  await until(() => server.webSockets.size === 1 && server.eventStreams.size === 1);
  const result = await stopOnceBack(held);
  const summary = streamsSummary(result);
  expect(summary).toMatchObject({ ended: 2, cameBack: 2, away: 0 });
  expect(summary.refused).toBe(server.connectedAt.length - 4);
  expect([...result.refusals.keys()].sort()).toEqual([
    'broken: Unexpected server response: 503',
    'broken: status 503, text/plain',
  ]);
  const refused = result.sessions.map(({ comeback }) => comeback?.refused ?? 0);
  expect(refused.reduce((sum, count) => sum + count)).toBe(summary.refused);
});

test('a client that is still away when the run is over says so', async () => {
  const server = await stub();
  const held = streams(server.port, { webSockets: 1 });
  await held.opened;
  server.refuse = 503;
  for (const webSocket of server.webSockets) webSocket.close(1001);
  await until(() => server.connectedAt.length >= 3);
  const result = await held.stop();
  expect(result.sessions).toHaveLength(1);
  expect(result.sessions[0]?.comeback?.hostname).toBeUndefined();
  const summary = streamsSummary(result);
  expect(summary).toMatchObject({ ended: 1, cameBack: 0, away: 1 });
  expect(summary.after.size).toBe(0);
});

test('a connection that says nothing any more is given up', async () => {
  const server = await stub();
  const held = streams(server.port, { webSockets: 1, eventStreams: 1, silence: 200 });
  const feeding = setInterval(() => {
    if (!server.silent) server.event();
  }, 20);
  try {
    await held.opened;
    server.silent = true;
    await until(() => server.connectedAt.length >= 4);
    server.silent = false;
    const { endings } = streamsSummary(await stopOnceBack(held));
    expect([...endings.keys()]).toEqual(expect.arrayContaining(['WebSocket silent', 'event stream silent']));
  } finally {
    clearInterval(feeding);
  }
});

test('that a connection is held is proved by echoes and events', async () => {
  const server = await stub();
  const held = streams(server.port, { webSockets: 1, eventStreams: 1, messageInterval: 5 });
  await held.opened;
  server.event();
  server.event();
  let echoes = 0;
  for (const webSocket of server.webSockets) webSocket.on('message', () => (echoes += 1));
  await until(() => echoes > 3);
  const { sessions } = await held.stop();
  expect(sessions.find(({ kind }) => kind === 'WebSocket')?.messages).toBeGreaterThanOrEqual(3);
  expect(sessions.find(({ kind }) => kind === 'event stream')?.messages).toBe(2);
});

test('a connection that answers is held for longer than one may be silent', async () => {
  const server = await stub();
  const held = streams(server.port, { webSockets: 1, eventStreams: 1, messageInterval: 50, silence: 500 });
  await held.opened;
  let echoes = 0;
  for (const webSocket of server.webSockets) {
    webSocket.on('message', () => {
      echoes += 1;
      server.event();
    });
  }
  // Fifteen of them, 50 ms apart, are more than 500 ms.
  await until(() => echoes >= 15);
  expect([...streamsSummary(await held.stop()).endings.keys()]).toEqual([
    'WebSocket held to the end',
    'event stream held to the end',
  ]);
});

test('connections open one after another, not all at once', async () => {
  const server = await stub();
  const held = streams(server.port, { webSockets: 20, openingRate: 100 });
  await held.opened;
  expect(server.connectedAt).toHaveLength(20);
  // The last is due 190 ms after the first; a slow machine makes it later, never sooner.
  expect((server.connectedAt.at(-1) ?? 0) - (server.connectedAt[0] ?? 0)).toBeGreaterThan(100);
});

test('opened says which connections did not open, and why', async () => {
  const server = await stub();
  server.refuse = 503;
  const late = streams(server.port, { webSockets: 2, openingTimeout: 300 });
  await expect(late.opened).rejects.toThrow(
    /^2 of 2 connections did not open within 0\.3 s: broken: Unexpected server response: 503 \(\d+ times\)$/,
  );
  const stopped = streams(server.port, { webSockets: 2 });
  const result = await stopped.stop();
  await expect(stopped.opened).rejects.toThrow('2 of 2 connections did not open before the end');
  expect(streamsSummary(result)).toMatchObject({ neverOpen: 2, ended: 0, longestGap: 0 });
});

test('an instance that does not say its name is not one that a connection is held by', async () => {
  const server = await stub();
  server.hostname = undefined;
  const held = streams(server.port, { webSockets: 1, eventStreams: 1, openingTimeout: 300 });
  await expect(held.opened).rejects.toThrow('broken: the answer names no hostname');
});

test('TLS: a certificate that is given is trusted, another is not', async () => {
  const keyPair = newKeyPair();
  const server = await stub('one', keyPair);
  const url = `https://localhost:${server.port}`;
  const trusting = new Streams({ url, webSockets: 2, eventStreams: 2, certificates: [keyPair.certificate] });
  running.push(trusting);
  await trusting.opened;
  const other = newKeyPair();
  for (const kind of ['webSockets', 'eventStreams']) {
    const doubting = new Streams({ url, [kind]: 1, certificates: [other.certificate], openingTimeout: 2000 });
    running.push(doubting);
    await expect(doubting.opened).rejects.toThrow(/self.signed certificate/);
  }
});

test("the API's own app names its instance, closes with 1001 and ends its event streams", async () => {
  const ending = await apiServer({ DIAGNOSTIC_ENDPOINTS: 'true', HOSTNAME: 'api-1' });
  const held = streams(ending.port, { webSockets: 2, eventStreams: 2 });
  await held.opened;
  await ending.close();
  await until(() => held.byHostname.size === 0);
  const result = await held.stop();
  const summary = streamsSummary(result);
  expect(Object.fromEntries(summary.before)).toEqual({ 'api-1': 4 });
  // While it ends it lets some come back for a moment: those end in the same way.
  expect([...summary.endings.keys()]).toEqual(['WebSocket closed with 1001', 'event stream ended with its last chunk']);
  expect(result.sessions.length).toBeLessThan(40);
});

test.each<[Partial<StreamsOptions>, string]>([
  [{}, 'webSockets, eventStreams and http2EventStreams: 0 is out of range: give a whole number from 1 to 20000'],
  [{ webSockets: -1 }, 'webSockets: -1 is out of range: give a whole number from 0 to 10000'],
  [{ eventStreams: 1.5 }, 'eventStreams: 1.5 is out of range: give a whole number from 0 to 10000'],
  [{ webSockets: 1, openingRate: 0 }, 'openingRate: 0 is out of range: give a whole number from 1 to 1000'],
  [{ webSockets: 1, openingTimeout: 0 }, 'openingTimeout: 0 is out of range: give a whole number from 1 to 3600000'],
  [{ webSockets: 1, messageInterval: 0 }, 'messageInterval: 0 is out of range: give a whole number from 1 to 3600000'],
  [
    { webSockets: 1, messageInterval: 500, silence: 500 },
    'silence: 500 is out of range: give a whole number from 501 to 3600000',
  ],
  [
    { webSockets: 1, url: 'https://example.com' },
    'url: "https://example.com" is not on this machine: give localhost or 127.0.0.1',
  ],
])('%j is refused', (options, message) => {
  expect(() => new Streams({ url: 'http://localhost:1', ...options })).toThrow(message);
});

/** Stops when every client has a connection whose instance has answered it since. */
async function stopOnceBack(held: Streams) {
  const count = held.clients;
  await until(() => [...held.byHostname.values()].reduce((sum, connections) => sum + connections, 0) === count);
  return held.stop();
}

function newKeyPair(): KeyPair {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-streams-'));
  try {
    return selfSignedKeyPair(['localhost'], directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
