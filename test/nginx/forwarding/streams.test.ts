import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { request } from 'node:https';
import { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { timeline } from '../../../model/timeline';
import { onFileFinished } from '../../afterwards';
import { OneInstance, startWithOneInstance } from '../support/one-instance';

let system: OneInstance;
const open: ServerResponse[] = [];
const hung: Duplex[] = [];
const webSockets = new WebSocketServer({ noServer: true });

beforeAll(async () => {
  system = await startWithOneInstance(
    {
      // One try, which is over soon.
      timeline: timeline({
        requestTimeout: '1s',
        connectTimeout: '1s',
        nextUpstreamTimeout: '2s',
        resolverValid: '1s',
      }),
      routes: [{}, { path: '/events', streamTimeout: 60 }, { path: '/ws', streamTimeout: 60 }],
    },
    (incoming, response) => {
      if (incoming.url === '/hung') return;
      if (incoming.url?.startsWith('/events') === true || incoming.url === '/unbuffered') {
        if (incoming.url === '/unbuffered') response.setHeader('X-Accel-Buffering', 'no');
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('data: 1\n\n');
        open.push(response);
        return;
      }
      response.end('ok');
    },
  );
  onFileFinished(() => {
    for (const socket of hung) socket.destroy();
    for (const webSocket of webSockets.clients) webSocket.terminate();
  });
  system.api.on('upgrade', (incoming, socket) => {
    if (incoming.url === '/hung') {
      hung.push(socket);
      return;
    }
    webSockets.handleUpgrade(incoming, socket, Buffer.alloc(0), (webSocket) => {
      webSocket.on('message', (data: Buffer) => {
        webSocket.send(data.toString());
      });
    });
  });
});

async function events(path: string, method = 'GET'): Promise<IncomingMessage> {
  const { nginx } = system;
  const sent = request({
    host: '127.0.0.1',
    port: nginx.place.httpsPort,
    servername: nginx.host,
    rejectUnauthorized: false,
    agent: false,
    method,
    path,
    headers: { host: nginx.host, accept: 'application/json, text/event-stream', 'accept-encoding': 'gzip' },
  });
  sent.end(method === 'POST' ? '{}' : undefined);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

test.each([
  ['GET', '/events'],
  ['POST', '/events/orders?since=1'],
  ['GET', '/unbuffered'],
])('an event reaches a client while the answer goes on, compressed or not: %s %s', async (method, path) => {
  const response = await events(path, method);
  expect(response.statusCode).toBe(200);
  const [first] = (await once(response, 'data')) as [Buffer];
  expect(first.toString()).toBe('data: 1\n\n');
  open.pop()?.end('data: 2\n\n');
  const [second] = (await once(response, 'data')) as [Buffer];
  expect(second.toString()).toBe('data: 2\n\n');
  await once(response, 'end');
});

test('streams of a route that streams may be silent for longer than requestTimeout, any other may not', async () => {
  const webSocket = new WebSocket(`wss://127.0.0.1:${system.nginx.place.httpsPort}/ws/orders`, {
    headers: { host: system.nginx.host },
    rejectUnauthorized: false,
    ...{ servername: system.nginx.host },
  });
  await once(webSocket, 'open');
  const [named, other] = [await events('/events'), await events('/unbuffered')];
  named.resume();
  other.resume();
  // By then each of them has been silent for requestTimeout.
  await once(other, 'error');
  open.at(-2)?.end();
  await once(named, 'end');
  webSocket.send('still there');
  const [echo] = (await once(webSocket, 'message')) as [Buffer];
  expect(echo.toString()).toBe('still there');
  webSocket.close();
  await once(webSocket, 'close');
});

test.each([
  { accept: 'text/event-stream' },
  { connection: 'upgrade', upgrade: 'websocket' },
  { 'x-accel-buffering': 'no' },
])('no header of a client gives it more time than requestTimeout: %j', async (headers) => {
  const { status } = await system.nginx.get({ path: '/hung', headers });
  expect(status).toBe(504);
});
