import fc from 'fast-check';
import { timeline, TimelineProps } from '../../model/timeline';
import { Duration } from '../../validation/amounts';

const seconds = (min: number, max: number): fc.Arbitrary<Duration> =>
  fc.integer({ min, max }).map((value): Duration => `${value}s`);

const anyProps: fc.Arbitrary<TimelineProps> = fc.record({
  keepAliveTimeout: seconds(2, 3600),
  requestTimeout: seconds(75, 3600),
  connectTimeout: seconds(1, 75),
  nextUpstreamTimeout: seconds(76, 3600),
  resolverValid: seconds(1, 300),
  dnsCache: seconds(0, 300),
  proxyDeregistrationDelay: seconds(1, 600),
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
  [{ dnsCache: '-1s' }, 'dnsCache: "-1s" is not a duration: give a whole number with a unit, such as "30s" or "500ms"'],
  [{ dnsCache: '6m' }, 'dnsCache: "6m" is too long: give 5m or less'],
  [
    { connectTimeout: '10s', nextUpstreamTimeout: '10s' },
    'nextUpstreamTimeout: "10s" leaves no time for another pod after a first one that is silent for connectTimeout (10s): give 11s or more',
  ],
  [{ requestTimeout: '1s' }, 'requestTimeout: "1s" is shorter than connectTimeout: give 2s or more'],
])('%j is refused', (props, message) => {
  expect(() => timeline(props as TimelineProps)).toThrow(new Error(message));
});
