import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { isOfLocalLoad, LocalLoad } from '../../local/local-load';
import { RequestKey } from '../../model/load-balancing';
import { Match, Path } from '../../model/routes/matching';
import { onTestFinished } from '../afterwards';
import { proxyModel, type RouteParts } from '../nginx/support/models';
import { until } from '../until';

interface Received {
  readonly host: string | undefined;
  readonly url: string | undefined;
  readonly cookie: string | undefined;
  readonly userAgent: string | undefined;
  readonly requestId: unknown;
}

/** Sends load to routes of `localhost` that lead to a server, which notes what it received. */
async function loading(routes: readonly RouteParts[]): Promise<{ load: LocalLoad; received: Received[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'local-load-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const { certificate, privateKey } = selfSignedKeyPair(['localhost'], directory);
  const received: Received[] = [];
  const server = createServer({ cert: certificate, key: privateKey }, ({ headers, url }, response) => {
    const { host, cookie, 'user-agent': userAgent, 'x-request-id': requestId } = headers;
    received.push({ host, url, cookie, userAgent, requestId });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { hosts } = proxyModel({ routes });
  const { address, port } = server.address() as AddressInfo;
  const load = new LocalLoad(hosts, { api: '/healthcheck' }, { address, port });
  onTestFinished(() => {
    load.end();
    server.closeAllConnections();
    server.close();
  });
  return { load, received };
}

describe('load of its own', () => {
  test('goes in turn to each route that an instance answers, where it is healthy if the route leads there', async () => {
    const { load, received } = await loading([
      { name: 'all', path: '/' },
      { name: 'v1', path: '/v1', rewrite: '' },
      { name: 'orders', path: '/orders' },
      { name: 'one', path: Path.exact('/one') },
      { name: 'chosen', path: '/', when: Match.header('X-Canary', 'always') },
      { name: 'stream', path: '/events', streamTimeout: 3600 },
      { name: 'old', path: '/old', target: { kind: 'redirect', location: '/', status: 308 } },
    ]);
    load.send(200);
    await until(() => received.length >= 8);
    const paths = ['/healthcheck', '/v1/healthcheck', '/orders', '/one'];
    expect(new Set(received.map(({ url }) => url))).toEqual(new Set(paths));
    expect(new Set(received.map(({ host }) => host))).toEqual(new Set(['localhost']));
    expect(new Set(received.map(({ userAgent }) => userAgent))).toEqual(new Set(['fairlead-dashboard']));
    for (const { requestId } of received) {
      expect(requestId).toMatch(/^[\w.-]{1,128}$/);
      expect(isOfLocalLoad(JSON.stringify({ request_id: requestId }))).toBe(true);
    }
    expect(new Set(received.map(({ requestId }) => requestId)).size).toBe(received.length);
    expect(isOfLocalLoad('{"request_id":"5f0c6a1e","user_agent":"fairlead-dashboard"}')).toBe(false);
  });

  test('is that of many clients, where a cookie chooses the version', async () => {
    const shares = [{ backend: 'api', weight: 100 }];
    const { load, received } = await loading([
      { target: { kind: 'split', shares, stickyBy: RequestKey.cookie('session') } },
    ]);
    load.send(200);
    await until(() => received.length >= 5);
    expect(received.every(({ cookie }) => /^session=[\da-f-]{36}$/.test(String(cookie)))).toBe(true);
    expect(new Set(received.map(({ cookie }) => cookie)).size).toBe(received.length);
  });

  test('is refused where no route leads to an instance, and ends when none is wanted', async () => {
    const { load } = await loading([{ target: { kind: 'redirect', location: '/', status: 308 } }]);
    expect(() => {
      load.send(10);
    }).toThrow('load: 10 has nowhere to go');
    expect(load.rate).toBe(0);
    const { load: other, received } = await loading([{}]);
    other.send(100);
    await until(() => received.length > 0);
    other.send(0);
    expect(other.rate).toBe(0);
  });
});
