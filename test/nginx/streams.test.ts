import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import { request } from 'node:https';
import { RealNginx } from './real-nginx';
import { StubApi } from './stub-api';
import { StubDns } from './stub-dns';

let dns: StubDns;
let api: StubApi;
let nginx: RealNginx;
const open: ServerResponse[] = [];

beforeAll(async () => {
  dns = await StubDns.start();
  api = await StubApi.start('one', (incoming, response) => {
    if (incoming.url === '/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\n\n');
      open.push(response);
      return;
    }
    response.end('ok');
  });
  dns.instances = [api.instance];
  nginx = await RealNginx.start({ upstreamService: 'http', resolvers: [dns.server] });
  await nginx.untilAnswered(({ status }) => status === 200);
});

afterAll(async () => {
  await nginx.stop();
  await api.stop();
  await dns.stop();
});

test.each(['GET', 'POST'])(
  'an event reaches a client (%s) while the answer goes on, compressed or not',
  async (method) => {
    const sent = request({
      host: '127.0.0.1',
      port: nginx.props.httpsPort,
      servername: nginx.host,
      rejectUnauthorized: false,
      agent: false,
      method,
      path: '/events',
      headers: { host: nginx.host, accept: 'application/json, text/event-stream', 'accept-encoding': 'gzip' },
    });
    sent.end(method === 'POST' ? '{}' : undefined);
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    expect(response.statusCode).toBe(200);
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.toString()).toBe('data: 1\n\n');
    open.pop()?.end('data: 2\n\n');
    const [second] = (await once(response, 'data')) as [Buffer];
    expect(second.toString()).toBe('data: 2\n\n');
    await once(response, 'end');
  },
);
