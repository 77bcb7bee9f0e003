import { Cors } from '../../../model/routes/cors';

const page = 'https://app.example.com';

describe('CORS', () => {
  test('has what was given, and defaults that most APIs need', () => {
    expect(Cors.allow([page, page, 'https://*.example.com'])).toMatchObject({
      origins: [page, 'https://*.example.com'],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      headers: ['Authorization', 'Content-Type'],
      exposeHeaders: ['Retry-After', 'X-Request-Id'],
      credentials: false,
      maxAge: 600,
    });
    const options = {
      methods: ['PUT'],
      headers: [],
      exposeHeaders: ['ETag'],
      credentials: true,
      maxAge: '1h',
    } as const;
    expect(Cors.allow([page], options)).toMatchObject({ ...options, maxAge: 3600 });
    expect(Cors.none().origins).toEqual([]);
  });

  test('has each header once, whatever its case', () => {
    expect(Cors.allow([page], { headers: ['X-A', 'x-a', 'X-B'] }).headers).toEqual(['x-a', 'X-B']);
  });

  test.each([
    '*',
    'http://localhost:5173',
    'https://a.b.example.com:8443',
    'https://*.shop.example.com:8443',
    'http://192.0.2.1:8080',
    'http://[::1]:3000',
    'capacitor://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'https://a.example:65535',
    `${'a'.repeat(31)}://localhost`,
  ])('takes the origin %s', (origin) => {
    expect(Cors.allow([origin]).origins).toEqual([origin]);
  });

  const notAnOrigin =
    'is not an origin: give scheme, host and perhaps a port, in lower case and without a path, such as "https://app.example.com" or "https://*.example.com"';

  test.each<[unknown, string]>([
    ...[
      ...['', 'app.example.com', 'null', '//a.example', `${page}/`, `${page}/a`, `${page}?a`, `${page}#a`],
      ...['https://user@a.example', 'https://a.example:0', 'https://a.example:', 'HTTPS://a.example', 'https://'],
      ...[
        'https://*',
        'https://a.*.example.com',
        'https://**.example.com',
        'https://*example.com',
        `${page}\n`,
        ` ${page}`,
      ],
      ...['https://[::1', 'https://a b.example', 5, null, undefined, {}],
      ...['https://a.example:123456', 'http://[FD00::1]', '1https://a.example', `${'a'.repeat(32)}://localhost`],
    ].map((origin): [unknown, string] => [origin, notAnOrigin]),
    ['https://a.example:443', 'has a port that browsers leave out: take ":443" out'],
    ['http://a.example:80', 'has a port that browsers leave out: take ":80" out'],
    ['https://a.example:65536', 'has no such port: give one up to 65535'],
    [
      'https://*.com',
      'is too wide: give a name of two labels or more behind the "*.", such as "https://*.example.com"',
    ],
    [
      'https://*.192.0.2.1',
      'is too wide: give a name of two labels or more behind the "*.", such as "https://*.example.com"',
    ],
    [
      'https://*.[::1]',
      'is too wide: give a name of two labels or more behind the "*.", such as "https://*.example.com"',
    ],
    ['http://[0:0::1]', 'is not how a browser writes an IPv6 address: give it shortened'],
    [
      'https://a"b',
      'is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
    ],
    ['http://[:::]', 'is not how a browser writes an IPv6 address: give it shortened'],
  ])('refuses the origin %j', (origin, remedy) => {
    const shown = origin === undefined ? 'undefined' : JSON.stringify(origin).replace('\n', '\\u000a');
    expect(() => Cors.allow([origin as string])).toThrow(new Error(`Cors.allow origins: ${shown} ${remedy}`));
  });

  test.each<[unknown, unknown, string]>([
    [
      ['https://App.example.com'],
      {},
      'origins: "https://App.example.com" is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
    ],
    [[], {}, 'origins: [] is empty: give origins, such as "https://app.example.com"'],
    ['*', {}, 'origins: "*" is not a list: give one, such as ["https://app.example.com"]'],
    [['*', page], {}, `origins: ["*","${page}"] has "*", which is every origin: give it alone, or leave it out`],
    [
      ['*'],
      { credentials: true },
      'credentials: true does not go with "*", as any page could act as its visitor: name the origins',
    ],
    [[page], { methods: ['get'] }, 'methods: "get" is not a method: give one in capitals, such as "PUT"'],
    [[page], { methods: ['*'] }, 'methods: "*" is not a method: give one in capitals, such as "PUT"'],
    [[page], { methods: ['PUt'] }, 'methods: "PUt" is not a method: give one in capitals, such as "PUT"'],
    [[page], { methods: ['pUT'] }, 'methods: "pUT" is not a method: give one in capitals, such as "PUT"'],
    [[page], { headers: ['*'] }, 'headers: "*" is not a header name: give letters, digits and hyphens'],
    [[page], { exposeHeaders: ['X A'] }, 'exposeHeaders: "X A" is not a header name: give letters, digits and hyphens'],
    [[page], { maxAge: '25h' }, 'maxAge: "25h" is too long: give 1d or less'],
    [[page], { credential: true }, 'credential: true is an option that does not exist: credentials does'],
    [
      Array.from({ length: 1001 }, (_, index) => `https://${index}.example.com`),
      {},
      'origins: "1001 origins" are too many: give 1000 at most',
    ],
  ])('of %j with %j is refused', (origins, options, message) => {
    expect(() => Cors.allow(origins as string[], options as never)).toThrow(new Error(`Cors.allow ${message}`));
  });

  test('takes a thousand origins, methods of 20 letters and headers of 64, and no longer ones', () => {
    const origins = Array.from({ length: 1000 }, (_, index) => `https://${index}.example.com`);
    expect(Cors.allow(origins).origins).toEqual(origins);
    const [method, header] = ['A'.repeat(20), 'x'.repeat(64)];
    const allowed = { methods: [method], headers: [header] };
    expect(Cors.allow([page], allowed)).toMatchObject(allowed);
    expect(() => Cors.allow([page], { methods: [`${method}A`] })).toThrow('is not a method');
    expect(() => Cors.allow([page], { headers: [`${header}x`] })).toThrow('is not a header name');
  });

  test('refuses names that are together longer than nginx reads', () => {
    const headers = Array.from({ length: 40 }, (_, index) => `X-${String(index).padStart(58, 'a')}`);
    expect(() => Cors.allow([page], { headers })).toThrow(
      /^Cors\.allow headers: .* is longer than 2048 bytes, which nginx cannot read: shorten it$/,
    );
  });
});
