import { requestHeader, responseHeader } from '../../../model/routes/headers';

const both = [
  ['response', responseHeader],
  ['request', requestHeader],
] as const;

describe.each(both)('The value of a %s header', (_, read) => {
  test.each(['a', 'a "b" c', 'ä', '$x', '\\', 'x'.repeat(2048), '\u00a0a'.slice(1)])(
    'is carried as it is: %j',
    (value) => {
      expect(read('option', 'X-A', value)).toBe(value);
    },
  );

  test.each<[unknown, string]>([
    [' 1', '" 1" is empty or has white space around it, which HTTP drops from X-Y: trim it'],
    ['1 ', '"1 " is empty or has white space around it, which HTTP drops from X-Y: trim it'],
    ['', '"" is empty or has white space around it, which HTTP drops from X-Y: trim it'],
    [1, '1 is not text: give a string'],
    [undefined, 'undefined is not text: give a string'],
    ['a\r\nb', '"a\\r\\nb" has a control character, which nginx cannot carry here: take it out'],
    ['\ud800', '"\\ud800" has half of a surrogate pair, which UTF-8 cannot carry: give whole characters'],
  ])('is not %j', (value, message) => {
    expect(() => read('option', 'X-Y', value)).toThrow(new Error(`option: ${message}`));
  });

  test('has 2048 bytes at most, counted as UTF-8', () => {
    expect(read('option', 'X-Y', 'ä'.repeat(1024))).toHaveLength(1024);
    expect(() => read('option', 'X-Y', 'ä'.repeat(1025))).toThrow(
      /^option: .* is longer than 2048 bytes, which nginx cannot read: shorten it$/,
    );
  });

  test.each(['X Y', 'X_Y', '', 'X:', 'ä', 'x'.repeat(65)])('is not that of %j', (name) => {
    expect(() => read('option', name, '1')).toThrow(
      new Error(
        `option: ${JSON.stringify(name)} is not a header name that nginx has a variable for: give letters, digits and hyphens`,
      ),
    );
  });
});

/** Headers that are nginx's or the message's own, of answers and of requests. */
const reserved: Readonly<Record<string, readonly ('response' | 'request')[]>> = {
  'accept-ranges': ['response'],
  'alt-svc': ['response'],
  connection: ['response', 'request'],
  'content-encoding': ['response'],
  'content-length': ['response', 'request'],
  'content-range': ['response'],
  'content-type': ['response'],
  date: ['response'],
  expect: ['request'],
  host: ['request'],
  'http2-settings': ['request'],
  'keep-alive': ['response', 'request'],
  'proxy-authenticate': ['response'],
  'proxy-connection': ['request'],
  server: ['response'],
  'set-cookie': ['response'],
  'strict-transport-security': ['response'],
  te: ['response', 'request'],
  trailer: ['response', 'request'],
  'transfer-encoding': ['response', 'request'],
  upgrade: ['response', 'request'],
  vary: ['response'],
  'x-content-type-options': ['response'],
  'x-forwarded-for': ['request'],
  'x-forwarded-host': ['request'],
  'x-forwarded-port': ['request'],
  'x-forwarded-proto': ['request'],
  'x-real-ip': ['request'],
  'x-request-id': ['response', 'request'],
};

describe.each(both)('A %s header', (direction, read) => {
  test.each(Object.entries(reserved))('%s belongs to nginx or to the message, or is free', (name, directions) => {
    for (const written of [name, name.toUpperCase()]) {
      const make = (): string => read('option', written, 'x');
      if (!directions.includes(direction)) expect(make()).toBe('x');
      else {
        expect(make).toThrow(
          new Error(`option: ${JSON.stringify(written)} is set by nginx or the API itself: take it out`),
        );
      }
    }
  });

  test.each(['Authorization', 'Cookie', 'Content-Security-Policy', 'X-Team'])('%s is free', (name) => {
    expect(read('option', name, 'x')).toBe('x');
  });
});
