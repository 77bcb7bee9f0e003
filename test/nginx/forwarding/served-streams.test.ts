import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { serve, Served } from 'fairlead-serve';
import { timeline } from '../../../model/timeline';
import { CapturedLogger } from '../../api/support/captured-logger';
import { proxyModel } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { StubDns } from '../support/stub-dns';

let dns: StubDns;
let api: Served;
let nginx: RealNginx;

beforeAll(async () => {
  api = serve(
    (incoming, response) => {
      if (incoming.url === '/events') response.setHeader('Content-Type', 'text/event-stream').write('data: 1\n\n');
      else response.end();
    },
    { port: 0, host: '127.0.0.1', requestTimeoutSeconds: 2, logger: new CapturedLogger().logger },
  );
  const { address, port } = await api.listening;
  dns = await StubDns.start();
  dns.instances = [{ address, port }];
  const times = timeline({ resolverValid: '1s', dnsCacheTtl: '0s', connectTimeout: '1s', requestTimeout: '2s' });
  nginx = await RealNginx.start(proxyModel({ timeline: times }), { resolvers: [dns.server] });
  await nginx.untilAnswered(({ status }) => status === 200);
});

afterAll(async () => {
  await nginx.stop();
  await api.close();
  await dns.stop();
});

test('an event stream of serve() comes at once, and goes on without an event for longer than requestTimeout', async () => {
  const sent = request({
    host: '127.0.0.1',
    port: nginx.place.httpsPort,
    servername: nginx.host,
    rejectUnauthorized: false,
    agent: false,
    path: '/events',
    headers: { host: nginx.host },
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let received = '';
  // Two thirds of a second between comments: the fifth comes after more than requestTimeout.
  for await (const chunk of response) {
    received += String(chunk);
    if (received.length >= 'data: 1\n\n'.length + 5 * ':\n\n'.length) break;
  }
  sent.destroy();
  expect(received).toBe(`data: 1\n\n${':\n\n'.repeat(5)}`);
});
