import fc from 'fast-check';
import { apiProbes, proxyTimeline, scrapedTimeline, timeline, type TimelineProps } from '../../model/timeline';
import type { TimeText } from '../../validation/amounts';

const seconds = (min: number, max: number): fc.Arbitrary<TimeText> =>
  fc.integer({ min, max }).map((value): TimeText => `${value}s`);

const anyProps: fc.Arbitrary<TimelineProps> = fc.record({
  keepAliveTimeout: seconds(2, 3600),
  requestTimeout: seconds(75, 3600),
  connectTimeout: seconds(1, 75),
  nextUpstreamTimeout: seconds(76, 3600),
  resolverValid: seconds(1, 300),
  dnsCacheTtl: seconds(0, 300),
  deregistrationDelay: seconds(1, 600),
  clientKeepAliveTimeout: seconds(2, 3600),
  certificateValid: seconds(1, 86_400),
  unreachableToleration: seconds(0, 86_400),
});

test('what is not given suits any cluster and any Node', () => {
  expect(timeline()).toEqual({
    resolverValid: 5,
    resolverTimeout: 2,
    connectTimeout: 2,
    requestTimeout: 60,
    nextUpstreamTimeout: 70,
    nextUpstreamTries: 3,
    tcpKeepAliveTime: 2,
    tcpKeepAliveInterval: 1,
    tcpKeepAliveProbes: 3,
    deadConnectionFound: 5,
    keepAliveTimeout: 5,
    upstreamKeepAliveTimeout: 4,
    fallbackKeepAlive: 1,
    clientKeepAliveTimeout: 65,
    clientKeepAliveHint: 20,
    clientKeepAliveMinimum: 22,
    clientConnectionRequests: 1_000_000,
    http1ConnectionTime: 600,
    http2ConnectionTime: 86_400,
    certificateValid: 10,
    apiPreStop: 38,
    apiShutdownTimeout: 62,
    apiTerminationGracePeriod: 105,
    proxyPreStop: 30,
    workerShutdownTimeout: 62,
    proxyTerminationGracePeriod: 97,
    lastScrape: 0,
    unreachableToleration: 30,
    discovery: 36,
    longestWaitOnSilentPods: 10,
    longestWaitOnHungPods: 132,
  });
});

describe('whatever is given', () => {
  const holds = (name: string, inequality: (line: ReturnType<typeof timeline>) => boolean): void => {
    test(name, () => {
      fc.assert(fc.property(anyProps, (props) => inequality(timeline(props))));
    });
  };

  holds('a pod that ends serves until the last proxy has asked DNS again', (line) => line.apiPreStop > line.discovery);
  holds(
    'nginx gives up an idle connection before the API does',
    (line) => line.upstreamKeepAliveTimeout < line.keepAliveTimeout,
  );
  holds(
    'a pod of the API may finish the longest request before it is killed',
    (line) =>
      line.apiShutdownTimeout > line.requestTimeout &&
      line.apiTerminationGracePeriod > line.apiPreStop + line.apiShutdownTimeout,
  );
  holds(
    'a proxy may finish the longest request before it is killed',
    (line) =>
      line.workerShutdownTimeout > line.requestTimeout &&
      line.proxyTerminationGracePeriod > line.proxyPreStop + line.workerShutdownTimeout,
  );
  holds(
    'an idle client is not cut off before the time it was told',
    (line) =>
      line.clientKeepAliveMinimum > line.clientKeepAliveHint &&
      line.clientKeepAliveTimeout >= line.clientKeepAliveMinimum &&
      line.workerShutdownTimeout > line.clientKeepAliveMinimum,
  );
  holds('a pod that is silent leaves time for another one', (line) => line.connectTimeout < line.nextUpstreamTimeout);
  holds(
    'a connection to the fallback is given up before the pod that it stays with may end',
    (line) => 2 * line.fallbackKeepAlive < line.apiPreStop && line.fallbackKeepAlive < line.keepAliveTimeout,
  );
  holds(
    'a hung pod costs more than a silent one, and both are bounded',
    (line) => line.longestWaitOnHungPods > line.longestWaitOnSilentPods,
  );
});

test.each<[TimelineProps, number, number]>([
  // Three silent tries, one more, and the fallback: 5 × 2; a second hung try that began at 70.
  [{}, 10, 70 + 2 + 60],
  // Of five tries, the first one and the fallback hang.
  [{ connectTimeout: '1s', requestTimeout: '5s', nextUpstreamTimeout: '2s' }, 5, 5 * 1 + 2 * 5],
  // No fourth second: the second try begins at 3 s, and none after nextUpstreamTimeout.
  [{ connectTimeout: '3s', nextUpstreamTimeout: '4s' }, 4 + 3 + 2 * 3, 5 * 3 + 2 * 60],
  [{ connectTimeout: '4s', requestTimeout: '4s', nextUpstreamTimeout: '30s' }, 20, 30 + 4 + 4],
  // As many tries as there may be, one more, and the fallback.
  [{ nextUpstreamTries: 1 }, (1 + 2) * 2, 70 + 2 + 60],
  [{ nextUpstreamTries: 10 }, (10 + 2) * 2, 70 + 2 + 60],
])('with %j a client waits at most %i s on silent pods and %i s on hung ones', (props, silent, hung) => {
  expect(timeline(props)).toMatchObject({ longestWaitOnSilentPods: silent, longestWaitOnHungPods: hung });
});

test.each(['2s', '10s', '1h'] as const)('a GET that hung for %s may be passed to another pod', (requestTimeout) => {
  const line = timeline({ requestTimeout });
  expect(line.nextUpstreamTimeout).toBe(line.requestTimeout + 10);
});

test('a connection to a lost node is found dead while a waiting GET may still be passed to another pod', () => {
  const line = timeline();
  expect(line.deadConnectionFound).toBe(2 + 3 * 1);
  expect(line.deadConnectionFound).toBeLessThan(line.nextUpstreamTimeout);
});

test.each<[Record<string, unknown>, string]>([
  [{ unreachableToleration: '25h' }, 'unreachableToleration: "25h" is too long: give 1d or less'],
  [
    { unreachableToleration: 30 },
    'unreachableToleration: 30 is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
  ],
  [
    { keepAliveTimeout: '5' },
    'keepAliveTimeout: "5" is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
  ],
  [{ keepAliveTimeout: '1s' }, 'keepAliveTimeout: "1s" is too short: give 2s or more'],
  [
    { keepAliveTimeout: '2500ms' },
    'keepAliveTimeout: "2500ms" is not a whole number of seconds: give one, such as "30s"',
  ],
  [{ resolverValid: '0s' }, 'resolverValid: "0s" is too short: give 1s or more'],
  [
    { dnsCacheTtl: '-1s' },
    'dnsCacheTtl: "-1s" is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
  ],
  [{ dnsCacheTtl: '6m' }, 'dnsCacheTtl: "6m" is too long: give 5m or less'],
  [
    { connectTimeout: '10s', nextUpstreamTimeout: '10s' },
    'nextUpstreamTimeout: "10s" leaves no time for another pod after a first one that is silent for connectTimeout (10s): give 11s or more',
  ],
  [{ requestTimeout: '1s' }, 'requestTimeout: "1s" is shorter than connectTimeout: give 2s or more'],
  [
    { connectTimeout: '70s' },
    'connectTimeout: "70s" is longer than requestTimeout: give 60s or less, or a longer requestTimeout',
  ],
  [{ connectTimeout: '0s' }, 'connectTimeout: "0s" is too short: give 1s or more'],
  [{ connectTimeout: '76s' }, 'connectTimeout: "76s" is too long: give 75s or less'],
  [{ requestTimeout: '0s' }, 'requestTimeout: "0s" is too short: give 1s or more'],
  [{ requestTimeout: '61m' }, 'requestTimeout: "61m" is too long: give 1h or less'],
  [{ keepAliveTimeout: '61m' }, 'keepAliveTimeout: "61m" is too long: give 1h or less'],
  [{ resolverValid: '6m' }, 'resolverValid: "6m" is too long: give 5m or less'],
  [{ certificateValid: '0s' }, 'certificateValid: "0s" is too short: give 1s or more'],
  [{ certificateValid: '25h' }, 'certificateValid: "25h" is too long: give 1d or less'],
  [{ deregistrationDelay: '0s' }, 'deregistrationDelay: "0s" is too short: give 1s or more'],
  [{ deregistrationDelay: '11m' }, 'deregistrationDelay: "11m" is too long: give 10m or less'],
  [{ clientKeepAliveTimeout: '1s' }, 'clientKeepAliveTimeout: "1s" is too short: give 2s or more'],
  [{ clientKeepAliveTimeout: '61m' }, 'clientKeepAliveTimeout: "61m" is too long: give 1h or less'],
  [{ nextUpstreamTimeout: '121m' }, 'nextUpstreamTimeout: "121m" is too long: give 2h or less'],
  [{ nextUpstreamTries: 0 }, 'nextUpstreamTries: 0 is out of range: give a whole number from 1 to 10'],
  [{ nextUpstreamTries: 11 }, 'nextUpstreamTries: 11 is out of range: give a whole number from 1 to 10'],
])('%j is refused', (props, message) => {
  expect(() => timeline(props as TimelineProps)).toThrow(new Error(message));
});

describe('A time may be just as long as another', () => {
  test.each<[TimelineProps]>([
    [{ requestTimeout: '2s' }],
    [{ requestTimeout: '75s', connectTimeout: '75s' }],
    [{ connectTimeout: '60s' }],
    [{ connectTimeout: '10s', nextUpstreamTimeout: '11s' }],
    [{ connectTimeout: '1s', requestTimeout: '1s', keepAliveTimeout: '2s', resolverValid: '1s', dnsCacheTtl: '0s' }],
  ])('%j', (props) => {
    expect(() => timeline(props)).not.toThrow();
  });
});

test.each<[TimeText, number]>([
  ['2s', 1],
  ['5s', 4],
  ['9s', 8],
  ['10s', 8],
  ['24s', 20],
  ['25s', 20],
  ['26s', 21],
  ['1h', 3595],
])('nginx gives up a connection that the API keeps for %s after %i s', (keepAliveTimeout, upstream) => {
  expect(timeline({ keepAliveTimeout }).upstreamKeepAliveTimeout).toBe(upstream);
});

test.each<[TimeText, number, number]>([
  ['20s', 65, 62],
  ['62s', 65, 66],
  ['63s', 65, 67],
  ['64s', 66, 68],
  ['2s', 65, 62],
])('a client that was told %s keeps a connection for %i s, and an ending worker waits %i s', (told, kept, waits) => {
  expect(timeline({ clientKeepAliveTimeout: told })).toMatchObject({
    clientKeepAliveTimeout: kept,
    workerShutdownTimeout: waits,
  });
});

describe('The timeline of a proxy', () => {
  const times = { dnsCacheTtl: '0s', deregistrationDelay: '7s', clientKeepAliveTimeout: '5s' } as const;

  test('is that of its own times without routes', () => {
    expect(proxyTimeline(times)).toEqual(timeline(times));
  });

  test('waits for the longest request of any route, and has all else from its own times', () => {
    const routes = (['10s', '90s', '30s'] as const).map((requestTimeout) =>
      timeline({ ...times, requestTimeout, connectTimeout: '5s', nextUpstreamTries: 7 }),
    );
    expect(proxyTimeline(times, ...routes)).toEqual({
      ...timeline(times),
      requestTimeout: 90,
      workerShutdownTimeout: 92,
      proxyTerminationGracePeriod: 7 + 92 + 5,
    });
  });

  test('has a minute and five seconds more where metrics are asked for', () => {
    const proxy = proxyTimeline(times);
    expect(scrapedTimeline(proxy)).toEqual({
      ...proxy,
      lastScrape: 65,
      proxyTerminationGracePeriod: proxy.proxyTerminationGracePeriod + 65,
    });
  });

  test('waits no longer than its routes where these are short', () => {
    const route = timeline({ ...times, requestTimeout: '3s' });
    expect(proxyTimeline(times, route)).toMatchObject({
      requestTimeout: 3,
      workerShutdownTimeout: 9,
      proxyTerminationGracePeriod: 21,
    });
  });
});

test('probes give a pod five minutes to start in, and a minute to answer', () => {
  const { startup, readiness, liveness } = apiProbes;
  expect(startup.period * startup.failureThreshold).toBe(300);
  expect(readiness.period * readiness.failureThreshold).toBe(10);
  expect(liveness.period * liveness.failureThreshold).toBe(60);
});
