import fc from 'fast-check';
import { timeline, TimelineProps } from '../../timeline/timeline';
import { Duration } from '../../values/duration';

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
});

test('what is not given suits any cluster and any Node', () => {
  expect(timeline()).toEqual({
    resolverValid: 5,
    resolverTimeout: 2,
    connectTimeout: 2,
    requestTimeout: 60,
    nextUpstreamTimeout: 10,
    nextUpstreamTries: 3,
    keepAliveTimeout: 5,
    upstreamKeepAliveTimeout: 4,
    clientKeepAliveTimeout: 65,
    clientKeepAliveHint: 20,
    clientKeepAliveMinimum: 22,
    certificateValid: 10,
    apiPreStop: 38,
    apiShutdownTimeout: 62,
    apiTerminationGracePeriod: 105,
    proxyPreStop: 15,
    workerShutdownTimeout: 62,
    proxyTerminationGracePeriod: 82,
    discovery: 36,
    longestWaitOnSilentPods: 8,
    longestWaitOnHungPods: 134,
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
    'a hung pod costs more than a silent one, and both are bounded',
    (line) => line.longestWaitOnHungPods > line.longestWaitOnSilentPods,
  );
});

test.each<[Record<string, unknown>, string]>([
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
    { connectTimeout: '10s' },
    'nextUpstreamTimeout: "10s" leaves no time for another pod after a first one that is silent for connectTimeout (10s): give 11s or more',
  ],
  [{ requestTimeout: '1s' }, 'requestTimeout: "1s" is shorter than connectTimeout: give 2s or more'],
])('%j is refused', (props, message) => {
  expect(() => timeline(props as TimelineProps)).toThrow(new Error(message));
});
