import { join } from 'node:path';
import { ClientProcess, type Protocol } from '../../reliability/clients/client-process';
import { type AvailableClient } from '../../reliability/clients/shipped-clients';
import { onTestFinished } from '../afterwards';
import { startWithOneInstance } from '../nginx/support/one-instance';
import { until } from '../until';

/** Has a client ask through nginx, and expects that it counts what it asked: each GET is answered 200, and each POST 409. */
export async function expectEachCounted(client: AvailableClient, protocol: Protocol): Promise<void> {
  const asked = { GET: 0, POST: 0 };
  const { nginx, stop } = await startWithOneInstance({}, (request, response) => {
    if (request.url === '/get') asked.GET += 1;
    if (request.url === '/post') asked.POST += 1;
    response.statusCode = request.url === '/post' ? 409 : 200;
    request.resume().once('end', () => response.end('ok'));
  });
  onTestFinished(stop);
  const process = new ClientProcess(client, {
    protocol,
    url: `https://localhost:${nginx.place.httpsPort}`,
    certificateFile: join(nginx.place.certificateDirectory, 'tls.crt'),
    getPath: '/get',
    postPath: '/post',
    rate: 400,
  });
  onTestFinished(() => {
    process.kill();
  });
  await process.answered;
  await until(() => asked.GET > 40 && asked.POST > 40, 'requests of both kinds');
  expect(await process.stop()).toEqual({
    sent: asked.GET + asked.POST,
    ok: asked.GET,
    errors: { 'status 409': asked.POST },
  });
  const entries = (await nginx.accessLog(asked.GET + asked.POST)).filter(({ path }) => path === '/post');
  const logged = { h2: 'HTTP/2.0', 'http/1.1': 'HTTP/1.1' }[protocol];
  expect(new Set(entries.map((entry) => entry.protocol))).toEqual(new Set([logged]));
}
