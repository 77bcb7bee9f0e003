import { ServeError } from 'fairlead-serve';
import { jsonLogger } from '../../serve/src/logger';
import { serveSettings } from '../../serve/src/serve-options';

const wholeNumber = (min: number, max: number) => `is out of range: give a whole number from ${min} to ${max}`;

test('defaults', () => {
  expect(serveSettings({}, {})).toEqual({
    port: 3000,
    host: undefined,
    keepAliveTimeout: 65_000,
    headersTimeout: 60_000,
    requestTimeout: 60_000,
    shutdownTimeout: 60_000,
    eventStreamHeartbeat: 15_000,
    trustProxyHops: 1,
    trustProxyHopsGiven: false,
  });
});

test('the environment says it', () => {
  const environment = {
    PORT: '8000',
    HOST: '::1',
    KEEP_ALIVE_TIMEOUT_SECONDS: '70',
    REQUEST_TIMEOUT_SECONDS: '300',
    SHUTDOWN_TIMEOUT_SECONDS: '302',
    EVENT_STREAM_HEARTBEAT_SECONDS: '20',
    TRUST_PROXY_HOPS: '0',
  };
  expect(serveSettings({}, environment)).toEqual({
    port: 8000,
    host: '::1',
    keepAliveTimeout: 70_000,
    headersTimeout: 60_000,
    requestTimeout: 300_000,
    shutdownTimeout: 302_000,
    eventStreamHeartbeat: 20_000,
    trustProxyHops: 0,
    trustProxyHopsGiven: true,
  });
});

test('options win over the environment, and an empty variable says nothing', () => {
  const settings = serveSettings(
    { port: 1, host: 'localhost', requestTimeoutSeconds: 5, trustProxyHops: 2 },
    { PORT: '2', HOST: '0.0.0.0', REQUEST_TIMEOUT_SECONDS: '6', TRUST_PROXY_HOPS: '', KEEP_ALIVE_TIMEOUT_SECONDS: '' },
  );
  expect(settings).toMatchObject({
    port: 1,
    host: 'localhost',
    requestTimeout: 5000,
    headersTimeout: 5000,
    keepAliveTimeout: 65_000,
    trustProxyHops: 2,
    trustProxyHopsGiven: true,
  });
});

test.each([
  [30, 10_000],
  [3600, 15_000],
])(
  'event streams get a comment after a third of %d s of silence, and after 15 s at the latest',
  (timeout, heartbeat) => {
    expect(serveSettings({ requestTimeoutSeconds: timeout }, {}).eventStreamHeartbeat).toBe(heartbeat);
    expect(
      serveSettings({ requestTimeoutSeconds: timeout, eventStreamHeartbeatSeconds: 0 }, {}).eventStreamHeartbeat,
    ).toBe(0);
  },
);

test.each([
  ['PORT', 'abc', wholeNumber(0, 65_535)],
  ['PORT', '65536', wholeNumber(0, 65_535)],
  ['PORT', '-1', wholeNumber(0, 65_535)],
  ['PORT', '3000.5', wholeNumber(0, 65_535)],
  ['PORT', '0x50', wholeNumber(0, 65_535)],
  ['PORT', ' 80', wholeNumber(0, 65_535)],
  ['PORT', 'tcp://10.0.0.1:80', wholeNumber(0, 65_535)],
  ['HOST', 'a b', 'is not an address or a host name: give one, such as "127.0.0.1"'],
  ['KEEP_ALIVE_TIMEOUT_SECONDS', '0', wholeNumber(1, 86_400)],
  ['KEEP_ALIVE_TIMEOUT_SECONDS', '65s', wholeNumber(1, 86_400)],
  ['REQUEST_TIMEOUT_SECONDS', '0', wholeNumber(1, 86_400)],
  ['SHUTDOWN_TIMEOUT_SECONDS', '86401', wholeNumber(1, 86_400)],
  ['EVENT_STREAM_HEARTBEAT_SECONDS', 'off', wholeNumber(0, 86_400)],
  ['TRUST_PROXY_HOPS', 'true', wholeNumber(0, 100)],
])('%s=%s is refused', (variable, value, remedy) => {
  expect(() => serveSettings({}, { [variable]: value })).toThrow(`${variable}: ${JSON.stringify(value)} ${remedy}`);
});

test.each([
  ['port', -1, wholeNumber(0, 65_535)],
  ['port', NaN, wholeNumber(0, 65_535)],
  ['keepAliveTimeoutSeconds', 0, wholeNumber(1, 86_400)],
  ['requestTimeoutSeconds', 1.5, wholeNumber(1, 86_400)],
  ['shutdownTimeoutSeconds', Infinity, wholeNumber(1, 86_400)],
  ['eventStreamHeartbeatSeconds', -1, wholeNumber(0, 86_400)],
  ['trustProxyHops', 101, wholeNumber(0, 100)],
])('the option %s: %d is refused', (option, value, remedy) => {
  expect(() => serveSettings({ [option]: value }, {})).toThrow(remedy);
  expect(() => serveSettings({ [option]: value }, {})).toThrow(`${option}: `);
});

test('what is refused is a ServeError of one line, whatever was given', () => {
  const refused = (): unknown => serveSettings({}, { HOST: `a\n${'b'.repeat(1000)}` });
  expect(refused).toThrow(ServeError);
  expect(refused).toThrow(expect.objectContaining({ name: 'ServeError', code: 'ERR_INVALID_ARG_VALUE' }) as Error);
  expect(refused).toThrow(/^HOST: "a\\nb{100,200} is not an address/);
});

test('an unknown LOG_LEVEL is refused', () => {
  expect(() => jsonLogger({ LOG_LEVEL: 'loud' })).toThrow(
    'LOG_LEVEL: "loud" is unknown: give one of trace, debug, info, warn, error, fatal, silent',
  );
});
