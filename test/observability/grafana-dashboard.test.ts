import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grafanaDashboard } from '../../charts/proxy/grafana/grafana-dashboard';
import { freePort } from '../../local/ports';
import { RateLimit } from '../../model/routes/rate-limit';
import { onFileFinished } from '../afterwards';
import { proxyModel } from '../nginx/support/models';
import { oftenLooking, RealNginx } from '../nginx/support/real-nginx';
import { StubApi } from '../nginx/support/stub-api';
import { StubDns } from '../nginx/support/stub-dns';
import { until } from '../until';
import { RealPrometheus } from './real-prometheus';

const { panels, templating } = grafanaDashboard({
  namespace: 'shop',
  proxy: 'shop/edge',
  title: 'fairlead shop/edge',
  interval: undefined,
  availability: 99.9,
  latency: 1,
  certificateEnds: 14 * 24 * 60 * 60,
  runbooks: undefined,
});
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ legendFormat, expr }) => [`${title}, ${legendFormat}`, expr] as const),
);

/** What is 0 here, and why; all else is something. */
const nothing: Readonly<Record<string, string>> = {
  'Requests by code, 1xx': 'nobody opens a WebSocket',
  'Secrets of certificates, {{certificate}}': 'the pair is good',
  'Proxies, not answering': 'the only one answers',
  'Counted as other, requests and tries': 'there are fewer series than maxSeries',
  'Not counted, lost': 'counting keeps up',
};

/** Each request brings about what some panel shows: answers, retries, failures, the fallback, a refusal, a redirect. */
const paths = ['/', '/half', '/half', '/gone', '/saved', '/limited', '/limited', '/moved'];

let nginx: RealNginx;
let prometheus: RealPrometheus;

beforeAll(async () => {
  const dns = await StubDns.start();
  const api = await StubApi.start('one', (request, response) => {
    request.resume();
    // nginx counts in milliseconds: an answer that takes none would have no time.
    request.on('end', () => setTimeout(() => response.end('ok'), 5));
  });
  const broken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  onFileFinished(() => broken.close());
  await once(broken, 'listening');
  const { port } = broken.address() as AddressInfo;
  dns.byHost.set('api.orders.svc.cluster.local', [api.instance]);
  dns.byHost.set('half.orders.svc.cluster.local', [api.instance, { address: '127.0.0.1', port }]);
  const certificateStore = mkdtempSync(join(tmpdir(), 'fairlead-store-'));
  onFileFinished(() => {
    rmSync(certificateStore, { recursive: true, force: true });
  });
  const metricsPort = await freePort();
  nginx = await RealNginx.start(
    proxyModel({
      backends: [
        {},
        { name: 'half', maxFails: 1_000 },
        { name: 'gone' },
        { name: 'saved', fallback: `127.0.0.1:${api.instance.port}`, version: { of: 'api', name: 'v2' } },
      ],
      routes: [
        { name: 'root' },
        { name: 'half', path: '/half', target: 'half' },
        { name: 'gone', path: '/gone', target: 'gone' },
        { name: 'saved', path: '/saved', target: 'saved' },
        { name: 'limited', path: '/limited', rateLimits: [RateLimit.perClient('1/m')] },
        { name: 'moved', path: '/moved', target: { kind: 'redirect', location: '/', status: 308 } },
      ],
      unlimitedClients: [],
      metrics: { maxSeries: 2000 },
    }),
    { resolvers: [dns.server], metricsPort, certificateStore },
    { change: oftenLooking },
  );
  await nginx.untilAnswered(({ status }) => status === 200);
  await nginx.untilAnswered(({ status }) => status === 200, { path: '/half' });
  prometheus = await RealPrometheus.start('shop/edge', metricsPort, { namespace: 'shop' });
});

async function load(): Promise<void> {
  await Promise.all(paths.map((path) => nginx.get({ path })));
}

/** As Grafana asks, of all backends. */
function filledIn(expression: string): string {
  const variables: Readonly<Record<string, string>> = {
    namespace: 'shop',
    proxy: 'shop/edge',
    backend: '.*',
    __rate_interval: '1m',
  };
  return expression.replaceAll(/\$(\w+)/g, (_, name: string) => {
    const value = variables[name];
    if (value === undefined) throw new Error(`there is no variable ${name}`);
    return value;
  });
}

/** The numbers that an expression finds; where nothing was divided by nothing there is none. */
async function found(expression: string): Promise<number[]> {
  const samples = await prometheus.query(filledIn(expression));
  return samples.map(({ value: [, text] }) => Number(text)).filter((value) => Number.isFinite(value));
}

test.each(queries)(
  '%s: shows what there is',
  async (name, expression) => {
    const isNothing = name in nothing;
    const values = await until(
      async () => {
        await load();
        const some = await found(expression);
        return some.some((value) => isNothing || value !== 0) && some;
      },
      `an answer to ${filledIn(expression)}`,
    );
    if (isNothing) expect(new Set(values)).toEqual(new Set([0]));
  },
  // Longer than until waits, which says what it waited for.
  90_000,
);

test('whatever is 0 here is a query of the dashboard', () => {
  const names: readonly string[] = queries.map(([name]) => name);
  expect(Object.keys(nothing).filter((name) => !names.includes(name))).toEqual([]);
});

test.each([
  ['namespace', ['shop']],
  ['proxy', ['shop/edge']],
  ['backend', ['api', 'gone', 'half']],
])('the variable %s can be what is there', async (name, expected) => {
  const variable = templating.list.find((each) => each.name === name);
  const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(String(variable?.definition)) ?? [];
  await until(async () => {
    const values = await prometheus.labelValues(filledIn(selector), label);
    return values.length >= expected.length;
  }, `values of ${label}`);
  expect(await prometheus.labelValues(filledIn(selector), label)).toEqual(expected);
});

test('what was brought about is told apart as it happened', async () => {
  /** The values of a label for which a panel shows more than 0. */
  const shownOf = async (title: string, label: string): Promise<string[]> => {
    const [, expression = ''] = queries.find(([name]) => name.startsWith(`${title}, `)) ?? [];
    const samples = await prometheus.query(filledIn(expression));
    return samples.filter(({ value: [, text] }) => Number(text) > 0).map(({ metric }) => metric[label] ?? '');
  };
  const untilShown = async (title: string, label: string, expected: readonly string[]): Promise<void> => {
    await until(
      async () => {
        await load();
        const shown = await shownOf(title, label);
        return expected.every((value) => shown.includes(value));
      },
      `${label} ${expected.join(' and ')} in ${title}`,
    );
  };
  await untilShown('Share of each version', 'version', ['', 'v2']);
  await untilShown('Retries', 'outcome', ['answered', 'failed']);
  await untilShown('Refused by a limit', 'limit', ['rate']);
  await untilShown('Tries that found no instance', 'backend', ['gone']);
  await untilShown('Errors by route', 'route', ['gone']);
  await untilShown('Answered by the fallback', 'version', ['v2']);
  expect(await shownOf('Errors by route', 'route')).toEqual(['gone']);
  expect(await shownOf('Answered by the fallback', 'version')).toEqual(['v2']);
});
