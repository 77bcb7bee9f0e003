import { LoadBalancing, RequestKey } from '../../model/load-balancing';

describe('A key', () => {
  test.each([
    ['the address of a client', RequestKey.clientAddress(), { kind: 'clientAddress' }],
    ['a path', RequestKey.uri(), { kind: 'uri' }],
    ['a header', RequestKey.header('X-Tenant-2'), { kind: 'header', name: 'X-Tenant-2' }],
    ['a cookie', RequestKey.cookie('session_2'), { kind: 'cookie', name: 'session_2' }],
    ['an argument', RequestKey.query('tenant'), { kind: 'query', name: 'tenant' }],
  ])('is %s', (_, key, source) => {
    expect(key.source).toEqual(source);
  });

  test.each(['', 'X Y', 'X_Y', 'X:Y', 'ä', 'x'.repeat(65), 42, undefined, null])('is no header %j', (name) => {
    expect(() => RequestKey.header(name as string)).toThrow(
      /^RequestKey\.header: .* is not a header name that nginx has a variable for: give letters, digits and hyphens$/,
    );
  });

  test.each(['', 'a-b', 'a b', 'a.b', 'ä', 'x'.repeat(65), 42, undefined, null])(
    'is neither a cookie nor an argument %j',
    (name) => {
      for (const kind of ['cookie', 'query'] as const) {
        expect(() => RequestKey[kind](name as string)).toThrow(
          new RegExp(
            `^RequestKey\\.${kind}: .* is not a name that nginx has a variable for: give letters, digits and underscores$`,
          ),
        );
      }
    },
  );

  test('may have a name of 64 letters', () => {
    const name = 'x'.repeat(64);
    expect(
      [RequestKey.header(name), RequestKey.cookie(name), RequestKey.query(name)].map(({ source }) => source),
    ).toEqual(['header', 'cookie', 'query'].map((kind) => ({ kind, name })));
  });
});

describe('A way to balance', () => {
  test.each([
    [LoadBalancing.leastConnections(), 'leastConnections'],
    [LoadBalancing.roundRobin(), 'roundRobin'],
    [LoadBalancing.randomOfTwo(), 'randomOfTwo'],
  ])('has a method without a key: case %#', (balancing, method) => {
    expect(balancing).toEqual({ method, key: undefined });
  });

  test('is a hash by a key', () => {
    const key = RequestKey.uri();
    expect(LoadBalancing.hash(key)).toEqual({ method: 'hash', key });
  });

  test.each([
    ['uri', '"uri"'],
    [undefined, 'undefined'],
    [{ source: { kind: 'uri' } }, '{"source":{"kind":"uri"}}'],
  ])('is no hash by %j', (key, shown) => {
    expect(() => LoadBalancing.hash(key as never)).toThrow(
      new Error(`LoadBalancing.hash: ${shown} is not a key: give one, such as RequestKey.cookie("session")`),
    );
  });
});
