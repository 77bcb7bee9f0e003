import fc from 'fast-check';
import { logFields, omittableFields } from '../../../model/access-log/fields';
import { accessLog, type AccessLogModel, LogField } from '../../../model/access-log/options';
import { InvalidOption } from '../../../validation/invalid-option';

function read(given: unknown): AccessLogModel {
  return accessLog('accessLog', given);
}

const field = LogField.requestHeader('X-Tenant');

test('what is not given logs every request, with every field', () => {
  expect(read({})).toEqual({ omit: [], add: [], sample: 1, slow: 1000 });
});

test('what is given is read', () => {
  const add = {
    tenant: LogField.requestHeader('X-Tenant', { maxLength: 36 }),
    user: LogField.responseHeader('X-User'),
    plan_2: LogField.cookie('Plan'),
    page: LogField.query('page', { maxLength: 500 }),
  };
  expect(read({ omit: ['user_agent', 'client', 'user_agent'], add, sample: 0.07, slow: '250ms' })).toEqual({
    omit: ['user_agent', 'client'],
    add: [
      { name: 'tenant', source: { kind: 'requestHeader', name: 'X-Tenant' }, maxLength: 36 },
      { name: 'user', source: { kind: 'responseHeader', name: 'X-User' }, maxLength: 64 },
      { name: 'plan_2', source: { kind: 'cookie', name: 'Plan' }, maxLength: 64 },
      { name: 'page', source: { kind: 'query', name: 'page' }, maxLength: 500 },
    ],
    sample: 0.07,
    slow: 250,
  });
});

const omittable = omittableFields.join(', ');
const notAShare =
  'is not a share that requests can be chosen by: give a number from 0.0001 to 1 with four digits behind the point at most, such as 0.1';
const notAName =
  'is not a name of a field: give at most 40 lower-case letters, digits and underscores, the first a letter, such as "tenant"';

test.each<[unknown, string]>([
  [5, 'accessLog: 5 is not an object with names and values: give one, such as { sample: 0.1 }'],
  [{ ommit: [] }, 'accessLog.ommit: "(object)" is an option that does not exist: omit does'],
  [{ omit: 'user_agent' }, 'accessLog.omit: "user_agent" is not a list: give one, such as ["user_agent"]'],
  [
    { omit: ['client', 'status'] },
    `accessLog.omit: "status" stays, as requests are found, explained or counted by it: give some of ${omittable}`,
  ],
  [
    { omit: ['trace_id'] },
    `accessLog.omit: "trace_id" stays, as requests are found, explained or counted by it: give some of ${omittable}`,
  ],
  [{ omit: ['referer'] }, `accessLog.omit: "referer" is no field of the access log: give some of ${omittable}`],
  [{ omit: [['client']] }, `accessLog.omit: ["client"] is no field of the access log: give some of ${omittable}`],
  [
    { add: [field] },
    `accessLog.add: ${JSON.stringify([field])} is not an object with names and values: give one, such as { tenant: LogField.requestHeader("X-Tenant") }`,
  ],
  [{ add: { Tenant: field } }, `accessLog.add: "Tenant" ${notAName}`],
  [{ add: { '2nd': field } }, `accessLog.add: "2nd" ${notAName}`],
  [{ add: { 'a"b': field } }, `accessLog.add: "a\\"b" ${notAName}`],
  [{ add: { ['a'.repeat(41)]: field } }, `accessLog.add: "${'a'.repeat(41)}" ${notAName}`],
  [
    { add: { user_agent: field }, omit: ['user_agent'] },
    'accessLog.add: "user_agent" is a field of the access log already: give another name',
  ],
  [{ add: { sample: field } }, 'accessLog.add: "sample" is a field of the access log already: give another name'],
  [
    { add: { tenant: 'X-Tenant' } },
    'accessLog.add.tenant: "X-Tenant" is not what stands here: give it as LogField.requestHeader("X-Tenant") does',
  ],
  [
    { add: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`field_${index}`, field])) },
    'accessLog.add: "17 fields" are too many: give 16 at most',
  ],
  [{ sample: 0 }, `accessLog.sample: 0 ${notAShare}`],
  [{ sample: 1.5 }, `accessLog.sample: 1.5 ${notAShare}`],
  [{ sample: 0.00001 }, `accessLog.sample: 0.00001 ${notAShare}`],
  [{ sample: 0.12345 }, `accessLog.sample: 0.12345 ${notAShare}`],
  [{ sample: '0.1' }, `accessLog.sample: "0.1" ${notAShare}`],
  [{ sample: 0.1, slow: '0s' }, 'accessLog.slow: "0s" is too short: give 1ms or more'],
  [{ sample: 0.1, slow: '25h' }, 'accessLog.slow: "25h" is too long: give 1d or less'],
  [
    { slow: '2s' },
    'accessLog.slow: "2s" does nothing while all requests are logged: give sample too, such as 0.1, or take it out',
  ],
])('%j is refused', (given, message) => {
  expect(() => read(given)).toThrow(new Error(message));
});

test('a sample of 1 may stand beside slow, as in an environment that logs all', () => {
  expect(read({ sample: 1, slow: '2s' })).toMatchObject({ sample: 1, slow: 2000 });
});

describe('A field', () => {
  const secret =
    'proves who a client is, so that whoever reads the log could be that client: log what the API says of it, such as LogField.responseHeader("X-User")';

  test.each(['Authorization', 'cookie', 'Set-Cookie', 'PROXY-AUTHORIZATION', 'X-Api-Key'])(
    'is no header that carries a secret: %s',
    (name) => {
      expect(() => LogField.requestHeader(name)).toThrow(new Error(`LogField.requestHeader: "${name}" ${secret}`));
      expect(() => LogField.responseHeader(name)).toThrow(new Error(`LogField.responseHeader: "${name}" ${secret}`));
    },
  );

  test.each<[() => LogField, string]>([
    [
      () => LogField.requestHeader('X_Tenant'),
      'LogField.requestHeader: "X_Tenant" is not a header name that nginx has a variable for: give letters, digits and hyphens',
    ],
    [
      () => LogField.cookie('a-b'),
      'LogField.cookie: "a-b" is not a name that nginx has a variable for: give letters, digits and underscores',
    ],
    [
      () => LogField.query(''),
      'LogField.query: "" is not a name that nginx has a variable for: give letters, digits and underscores',
    ],
    [
      () => LogField.query('page', { maxLength: 501 }),
      'LogField.query maxLength: 501 is out of range: give a whole number from 1 to 500',
    ],
    [
      () => LogField.cookie('plan', { maxlength: 5 } as object),
      'LogField.cookie maxlength: 5 is an option that does not exist: maxLength does',
    ],
  ])('is refused where nginx could not log it: %#', (make, message) => {
    expect(make).toThrow(new Error(message));
  });
});

test('what is omitted is a field of the log, and never one that tells requests apart', () => {
  for (const name of ['time', 'request_id', 'trace_id', 'status']) expect(omittableFields).not.toContain(name);
  for (const name of omittableFields) expect(logFields).toHaveProperty(name);
});

test('any name of a field is taken or refused in one line', () => {
  const names = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z][a-z0-9_]{0,45}$/));
  fc.assert(
    fc.property(names, (name) => {
      try {
        expect(read({ add: { [name]: field } }).add).toEqual([expect.objectContaining({ name })]);
        expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      } catch (error) {
        if (!(error instanceof InvalidOption)) throw error;
        expect(error.message).toMatch(/^accessLog\.add: "/);
        expect(error.message).not.toMatch(/\p{Cc}/u);
      }
    }),
  );
});
