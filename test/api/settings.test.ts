import { readEnvironment } from '../../api/src/environment';
import { createLogger } from '../../api/src/logger';
import { NodeProcess } from './support/node-process';

test.each([
  ['HOSTNAME', 'a b', 'is not a host name: give letters, digits, dots and hyphens'],
  ['HOSTNAME', '<b>', 'is not a host name: give letters, digits, dots and hyphens'],
  ['VERSION', 'v 1', 'is not a version: give 1 to 128 visible ASCII characters'],
  ['VERSION', 'v1\n', 'is not a version: give 1 to 128 visible ASCII characters'],
  ['DIAGNOSTIC_ENDPOINTS', 'yes', 'is unknown: give one of true, false'],
  ['DIAGNOSTIC_ENDPOINTS', 'TRUE', 'is unknown: give one of true, false'],
  ['MAX_BODY_SIZE', '0', 'is not a size: give a whole number with a unit, such as "100kb" or "1mb"'],
  ['MAX_BODY_SIZE', '1.5mb', 'is not a size: give a whole number with a unit, such as "100kb" or "1mb"'],
  ['MAX_BODY_SIZE', '-1mb', 'is not a size: give a whole number with a unit, such as "100kb" or "1mb"'],
  ['MAX_BODY_SIZE', 'unlimited', 'is not a size: give a whole number with a unit, such as "100kb" or "1mb"'],
])('%s=%p is refused', (variable, value, remedy) => {
  expect(() => readEnvironment({ [variable]: value })).toThrow(`${variable}: ${JSON.stringify(value)} ${remedy}`);
});

test('an unknown LOG_LEVEL is refused', () => {
  expect(() => createLogger({ LOG_LEVEL: 'loud' })).toThrow(
    'LOG_LEVEL: "loud" is unknown: give one of trace, debug, info, warn, error, fatal, silent',
  );
});

test.each([
  [{ PORT: 'x' }, 'PORT: "x" is out of range'],
  [{ DIAGNOSTIC_ENDPOINTS: 'on', LOG_LEVEL: 'silent' }, 'DIAGNOSTIC_ENDPOINTS: "on" is unknown'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL: "loud" is unknown'],
])('the API ends with one clear line and exit code 1: %j', async (environment, message) => {
  const api = new NodeProcess('api/src/main.ts', environment);
  expect(await api.exited).toEqual({ code: 1, signal: null });
  expect(api.text).toEqual([]);
  expect(api.lines).toHaveLength(1);
  expect(api.lines[0]).toMatchObject({ level: 60, msg: expect.stringContaining(message) as string });
});
