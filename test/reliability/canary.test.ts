import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { Load } from '../../load/load';
import type { LoadRequest } from '../../load/load-request';
import { RequestKey } from '../../model/load-balancing';
import {
  clients,
  clientsOfSecond,
  shareBound,
  shareJudgements,
  versionOf,
  weights,
  weightsLine,
} from '../../reliability/scenarios/canary';
import { proxyModel } from '../nginx/support/models';
import { RealNginx } from '../nginx/support/real-nginx';
import { StubApi } from '../nginx/support/stub-api';
import { StubDns } from '../nginx/support/stub-dns';
import { WeightsFile } from '../nginx/support/weights-file';
import { until } from '../until';

/** So many clients, and the version that each has. */
function requestsOf(count: number, version: (index: number) => string): LoadRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ id: String(index), method: 'GET', protocol: 'HTTP/2', connectionUse: 'kept', started: 0, milliseconds: 1 },
    key: `key-${index}`,
    hostname: `${version(index)}-6d5f9c7b4-x2v9k`,
  }));
}

/** What was not reached. */
function missed(asked: readonly LoadRequest[], percent: number, before: ReadonlySet<string> = new Set()): string[] {
  return shareJudgements(asked, percent, before).flatMap(({ text, reached }) => (reached ? [] : [text]));
}

test('a pod is of the Deployment that its name begins with', () => {
  expect(versionOf('orders-6d5f9c7b4-x2v9k')).toBe('orders');
  expect(versionOf('orders-v2-6d5f9c7b4-x2v9k')).toBe('orders-v2');
});

test('a share is within five standard deviations, and all or nothing at the ends', () => {
  expect(shareBound(1009, 0)).toEqual({ from: 0, to: 0 });
  expect(shareBound(1009, 100)).toEqual({ from: 1009, to: 1009 });
  // 50.45 ± 5 × 6.92, and 504.5 ± 5 × 15.88
  expect(shareBound(1009, 5)).toEqual({ from: 16, to: 85 });
  expect(shareBound(1009, 50)).toEqual({ from: 426, to: 583 });
  // Of few clients it cannot say much.
  expect(shareBound(10, 5)).toEqual({ from: 0, to: 3 });
});

describe('A step of the canary', () => {
  const twentieth = (index: number): string => (index % 20 === 0 ? 'orders-v2' : 'orders');
  const some = requestsOf(1000, twentieth);

  test('is reached when the second version has its share of the clients', () => {
    const [none, all] = ['orders', 'orders-v2'].map((version) => requestsOf(1000, () => version));
    expect(missed(some, 5)).toEqual([]);
    expect(missed(none ?? [], 0)).toEqual([]);
    expect(missed(all ?? [], 100)).toEqual([]);
  });

  test('is not reached when it has more or less, or another pod answers', () => {
    const other = requestsOf(1000, (index) => (index === 1 ? 'api' : twentieth(index)));
    expect(missed(some, 50)).toEqual(['with 50 % 421 to 579 of 1000 clients have the second version (50)']);
    expect(missed(some, 0)).toHaveLength(1);
    expect(missed(some, 100)).toHaveLength(1);
    expect(missed(other, 5)).toHaveLength(1);
    expect(missed([], 5)).toHaveLength(1);
  });

  test('is not reached when a client has both versions', () => {
    const both = [...some, ...requestsOf(1, () => 'orders')];
    expect(missed(both, 5)).toContain('with 5 % every client has one version, the second if it had that before');
  });

  test('is not reached when a client that had the second version has the first again', () => {
    expect(missed(some, 5, new Set(['key-20']))).toEqual([]);
    expect(missed(some, 5, new Set(['key-21']))).toHaveLength(1);
  });
});

test('a real nginx gives the clients of the scenario their versions, and says when', async () => {
  const weighing = (weight: number): object => ({ orders: { orders: 100 - weight, 'orders-v2': weight } });
  const file = new WeightsFile(weighing(weights[0]));
  const dns = await StubDns.start();
  const versions = ['orders', 'orders-v2'];
  for (const version of versions) {
    const hostname = `${version}-6d5f9c7b4-x2v9k`;
    const api = await StubApi.start(version, (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(JSON.stringify({ hostname, body })));
    });
    dns.byHost.set(`${version}.orders.svc.cluster.local`, [api.instance]);
  }
  const shares = versions.map((backend) => ({ backend, weight: 50 }));
  const target = { kind: 'split', shares, stickyBy: RequestKey.header('X-Client') } as const;
  const routes = [{ name: 'orders', target }];
  const nginx = await RealNginx.start(
    proxyModel({ backends: versions.map((name) => ({ name })), routes }),
    { resolvers: [dns.server], weightsFile: file.path },
    { change: (conf) => conf.replace('live_weights.check interval=5s', 'live_weights.check interval=200ms') },
  );
  await nginx.untilAnswered(({ status }) => status === 200);
  const certificates = [readFileSync(join(nginx.place.certificateDirectory, 'tls.crt'), 'utf8')];
  const asked = { url: `https://localhost:${nginx.place.httpsPort}`, certificates, keys: clients };
  let had: ReadonlySet<string> = new Set();
  // All or nothing is not by chance; and nginx may read the first weight for a request, whose server logs errors alone.
  for (const weight of weights.filter((percent) => percent % 100 > 0)) {
    file.write(weighing(weight));
    await until(() => weightsLine(weight).test(nginx.errors), `the weight of ${weight}`);
    const { requests } = await new Load({ ...asked, protocols: ['HTTP/2'], rate: 400, total: clients.count }).finished;
    expect(missed(requests, weight, had)).toEqual([]);
    expect(new Set(requests.map(({ key }) => key)).size).toBe(clients.count);
    had = clientsOfSecond(requests);
  }
  await nginx.stop();
}, 240_000);

describe('What it deploys', () => {
  /** The proxy of the suite's own main with these weights. */
  function proxy(weights: object): NginxProxy {
    const found: NginxProxy[] = [];
    jest.isolateModules(() => {
      const { deployedProxies } = jest.requireActual<typeof import('../../cluster/deployed-proxies')>(
        '../../cluster/deployed-proxies',
      );
      const variables = { FAIRLEAD_ENVIRONMENT: 'kind', FAIRLEAD_WEIGHTS: JSON.stringify(weights) };
      found.push(...deployedProxies(resolve('reliability/front-door.ts'), variables));
    });
    const [only] = found;
    if (only === undefined) throw new Error('there is a proxy');
    return only;
  }

  test.each([
    [{ orders: 100 }, ['orders']],
    [{ orders: 100, 'orders-v2': 0 }, ['orders', 'orders-v2']],
    [{ orders: 95, 'orders-v2': 5 }, ['orders', 'orders-v2']],
    [{ orders: 0, 'orders-v2': 100 }, ['orders', 'orders-v2']],
    [{ 'orders-v2': 100 }, ['orders-v2']],
  ])('can be rendered with %j, and keeps the names of the standard state', (weights, backends) => {
    const made = proxy(weights);
    expect([made.namespace.name, made.node.id]).toEqual(['api', 'nginx']);
    const [own, split] = made.routes.map(({ model }) => model.target);
    expect(own).toEqual({ kind: 'backend', backend: 'api' });
    expect(split).toMatchObject({
      kind: 'split',
      shares: backends.map((backend) => ({ backend, weight: (weights as Record<string, number>)[backend] })),
    });
    expect(made.budget.connections).toBeGreaterThan(0);
  });
});
