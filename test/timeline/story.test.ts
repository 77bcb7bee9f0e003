import { App } from 'cdk8s';
import { Backend } from '../../charts/backend';
import { LoadBalancedApi, type LoadBalancedApiProps } from '../../charts/load-balanced-api';
import { RestrictedNamespace } from '../../charts/namespace';
import { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { Redirect, TrafficSplit } from '../../charts/routes/route-targets';
import { scrapedTimeline, timeline, type TimelineProps } from '../../model/timeline';
import { type Configuration, configurations, type Moment, type Step } from '../../timeline/chain';
import { story } from '../../timeline/story';
import { configuration, withoutDnsCache } from './configurations';

function steps(of: Configuration): readonly Step[] {
  return story([of]).flatMap((chain) => chain.steps);
}

function step(moment: Moment, of: Configuration): Step {
  const [found, ...others] = steps(of).filter((candidate) => candidate.moment === moment);
  if (found === undefined || others.length > 0) throw new Error(`${moment} is not that of one step`);
  return found;
}

/** By hand; a Record, so that a moment that is new is missing here at once. */
const computed: Readonly<Record<Moment, readonly [from: number, to: number]>> = {
  // endpoint slices 1 + valid 5 + timer 1
  'api-pod-starts.first-request': [0, 7],
  'api-pod-ends.last-request': [0, 7],
  // preStop 0 + 5 + 1 + 2; then 20 + 2 to answer, 5 to end, 2 to be forgotten
  'api-pod-ends.gone': [8, 43],
  // relist 1, and as above
  'api-process-dies.last-try': [0, 8],
  // relist 1 + start 5, and then failTimeout 10, which is later than probes 2 and discovery 7
  'api-process-dies.first-request-again': [0, 16],
  // 3 probes, 1 s each; 2 s before them if there was traffic
  'node-dies.connections-found': [3, 5],
  'node-dies.not-ready': [40, 60],
  // 40 less failTimeout 10 and connectTimeout 2; 60 and discovery 7
  'node-dies.last-try': [28, 67],
  // toleration 30; start 5 and probes 2
  'node-dies.pods-replaced': [70, 97],
  // the kubelet 60 × 1.5 + 1, nginx 5
  'certificate-changes.first-handshake': [0, 96],
  'certificate-changes.every-proxy': [0, 96],
  'proxy-ends.last-connection': [0, 5],
  // preStop 5; the longer of 20 and 22, and 2, to answer; 5 to end, 2 to be forgotten
  'proxy-ends.gone': [5, 42],
};

test.each(Object.entries(computed) as [Moment, readonly [number, number]][])('%s', (moment, [from, to]) => {
  expect(step(moment, withoutDnsCache).at).toEqual({ from, to });
});

describe('What an option moves', () => {
  const moved = (moment: Moment, change: TimelineProps) =>
    step(moment, configuration({ dnsCacheTtl: '0s', ...change }, 10)).at;

  test('dnsCacheTtl: until when an old answer is given', () => {
    expect(moved('api-pod-starts.first-request', { dnsCacheTtl: '30s' })).toEqual({ from: 0, to: 37 });
    expect(moved('api-pod-ends.gone', { dnsCacheTtl: '30s', requestTimeout: '20s' })).toEqual({ from: 38, to: 73 });
  });

  test('resolverValid: until every proxy has asked again', () => {
    expect(moved('api-process-dies.last-try', { resolverValid: '1s' })).toEqual({ from: 0, to: 4 });
  });

  test('unreachableToleration: when pods are made elsewhere', () => {
    expect(moved('node-dies.pods-replaced', { unreachableToleration: '300s' })).toEqual({ from: 340, to: 367 });
  });

  test('deregistrationDelay: how long a proxy accepts connections', () => {
    expect(moved('proxy-ends.last-connection', { deregistrationDelay: '40s' })).toEqual({ from: 0, to: 40 });
  });

  test('metrics of a proxy: how long its pod waits for who asks for them', () => {
    const last = (of: Configuration): readonly Step[] => steps(of).filter(({ what }) => what.startsWith('Its metrics'));
    expect(last(withoutDnsCache)).toEqual([]);
    const measured = { ...withoutDnsCache, proxy: scrapedTimeline(withoutDnsCache.proxy) };
    // preStop 5, relist 1, then 24 for what it holds, and 65
    expect(last(measured).map(({ at }) => at)).toEqual([{ from: 5, to: 95 }]);
    expect(step('proxy-ends.gone', measured).at).toEqual({ from: 5, to: 42 + 65 });
  });

  test('failTimeout: how long a pod that is back may be left out, if that is longer than DNS needs', () => {
    const again = (failTimeout: number) =>
      step('api-process-dies.first-request-again', { ...withoutDnsCache, failTimeout });
    expect(again(30).at.to).toBe(36);
    expect(again(30).movedBy).toContainEqual({ option: 'failTimeout', seconds: 30 });
    // relist 1, start 5, probes 2, discovery 7
    expect(again(1).at.to).toBe(15);
    expect(again(1).movedBy).toContainEqual({ option: 'resolverValid', seconds: 5 });
  });

  test('a failTimeout longer than the detection of a lost node lets the last try be at once', () => {
    expect(step('node-dies.last-try', { ...withoutDnsCache, failTimeout: 60 }).at.from).toBe(0);
  });

  test('a probe finds a pod that hangs between one period less and all of them', () => {
    const hung = story([withoutDnsCache]).find(({ title }) => title === 'A process of the API hangs');
    const at = hung?.steps.map((each) => each.at);
    // readiness: 2 failures, 5 s apart, after 2 s each; liveness: 6, 10 s apart, after 5 s each
    expect(at).toContainEqual({ from: 7, to: 12 });
    expect(at).toContainEqual({ from: 55, to: 65 });
  });
});

test('no time is before the event, and none ends before it begins', () => {
  for (const { at } of steps(withoutDnsCache)) {
    expect(at.from).toBeGreaterThanOrEqual(0);
    expect(at.to).toBeGreaterThanOrEqual(at.from);
  }
});

test('a figure has one range and one source wherever it stands', () => {
  const sources = new Map<string, string>();
  for (const mover of steps(withoutDnsCache).flatMap(({ movedBy }) => movedBy)) {
    if ('option' in mover) continue;
    const written = JSON.stringify(mover);
    expect(sources.get(mover.name) ?? written).toBe(written);
    sources.set(mover.name, written);
  }
  expect(sources.size).toBeGreaterThan(8);
});

test('a chain is told once, and of each route where they differ', () => {
  const titles = (...of: readonly Configuration[]) => story(of).map(({ title }) => title);
  const slow = configuration({ dnsCacheTtl: '0s', requestTimeout: '60s' }, 10, '/reports');
  const same = { ...withoutDnsCache, name: '/orders' };
  expect(titles(withoutDnsCache, same)).toEqual(titles(withoutDnsCache));
  expect(titles(withoutDnsCache, same, slow)).toContain('A process of the API hangs: /, /orders');
  expect(titles(withoutDnsCache, same, slow)).toContain('A process of the API hangs: /reports');
  expect(titles(withoutDnsCache, same, slow)).toContain('A pod of the API starts');
});

describe('The configurations of a proxy', () => {
  const one = (props: Omit<LoadBalancedApiProps, 'image'>): Configuration => {
    const [first, ...others] = configurations(
      new LoadBalancedApi(new App(), 'api', { image: 'api:1.0.0', ...props }).proxy,
    );
    if (first === undefined || others.length > 0) throw new Error('there is one route');
    return first;
  };

  test('are those of its options', () => {
    const all = timeline();
    expect(one({})).toEqual({
      ...{ name: '/', route: all, proxy: all, failTimeout: 5, certificateInterval: 5 },
      backend: timeline({ connectTimeout: '1s' }),
    });
    expect(one({ route: { responseHeaders: { 'X-Note': 'fail_timeout=99s' } } }).failTimeout).toBe(5);
    expect(one({ failTimeout: '7s', proxy: { certificateValid: '3s' } })).toMatchObject({
      proxy: timeline({ certificateValid: '3s' }),
      failTimeout: 7,
      certificateInterval: 3,
    });
  });

  test('are one for each route and each backend that it leads to', () => {
    const shop = new RestrictedNamespace(new App(), 'shop');
    const orders = new Backend(shop, 'orders', { image: 'orders:1.0.0', failTimeout: '7s' });
    const canary = orders.addVersion('canary', { failTimeout: '9s' });
    const edge = new NginxProxy(shop, 'edge', { host: 'shop.example.com' });
    const shares = [
      { target: orders, weight: 95 },
      { target: canary, weight: 5 },
    ];
    edge.addRoute('/', TrafficSplit.weighted(shares), { requestTimeout: '30s' });
    edge.addHost('www.example.com').addRoute('/orders', orders, { connectTimeout: '3s' });
    edge.addRoute('/old', Redirect.to('/'));
    const found = configurations(edge);
    expect(found.map(({ name, failTimeout }) => [name, failTimeout])).toEqual([
      ['/ to orders', 7],
      ['/ to orders-canary', 9],
      ['www.example.com/orders', 7],
    ]);
    expect(found.map(({ route }) => [route.requestTimeout, route.connectTimeout])).toEqual([
      [30, 2],
      [30, 2],
      [60, 3],
    ]);
    expect(found.map(({ backend, proxy }) => [backend.requestTimeout, proxy.requestTimeout])).toEqual(
      Array.from({ length: 3 }, () => [60, 60]),
    );
  });
});
