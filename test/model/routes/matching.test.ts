import { Match, Path, Rewrite } from '../../../model/routes/matching';

describe('A path', () => {
  test.each([
    ['/', '/'],
    ['/orders', '/orders'],
    ['/orders/', '/orders'],
    ['/v1/orders-2_3~4.json', '/v1/orders-2_3~4.json'],
    ['/~user', '/~user'],
    ['/a.b.c', '/a.b.c'],
    [`/${'a'.repeat(199)}`, `/${'a'.repeat(199)}`],
  ])('%s is a prefix by whole segments', (given, path) => {
    expect(Path.prefix(given)).toEqual({ kind: 'prefix', path });
    expect(Path.of(given)).toEqual(Path.prefix(given));
  });

  test('is exact to the letter', () => {
    expect(Path.exact('/orders/')).toEqual({ kind: 'exact', path: '/orders/' });
    expect(Path.exact('/')).toEqual({ kind: 'exact', path: '/' });
  });

  test('stays what it is', () => {
    const path = Path.exact('/orders');
    expect(Path.of(path)).toBe(path);
  });

  test.each([
    '',
    'events',
    'a/b',
    '//',
    '/a//b',
    '/a b',
    '/a{',
    '/..',
    '/a/../b',
    '/.hidden',
    '/$x',
    '/a?b=c',
    '/a#b',
    '/%41',
    '/ä',
    '/a\n',
    `/${'a'.repeat(200)}`,
    5,
    null,
    undefined,
    {},
  ])('cannot be %j', (path) => {
    const message =
      /^path: .* is not a path that nginx can be given: give letters, digits, "\.", "_", "~", "-" between slashes, such as "\/events"$/;
    expect(() => Path.prefix(path as string)).toThrow(message);
    expect(() => Path.exact(path as string)).toThrow(message);
    expect(() => Path.of(path)).toThrow(message);
  });
});

describe('A condition', () => {
  test.each([
    ['a header', Match.header('X-Canary', 'always'), [{ kind: 'header', name: 'X-Canary', value: 'always' }]],
    ['a cookie', Match.cookie('canary', 'yes, "now"'), [{ kind: 'cookie', name: 'canary', value: 'yes, "now"' }]],
    ['an argument', Match.query('v', '2'), [{ kind: 'query', name: 'v', value: '2' }]],
    ['one method', Match.method('GET'), [{ kind: 'method', methods: ['GET'] }]],
    [
      'several methods, each once and in one order',
      Match.method('PUT', 'GET', 'PUT'),
      [{ kind: 'method', methods: ['GET', 'PUT'] }],
    ],
    [
      'all of several',
      Match.allOf(Match.allOf(Match.query('v', '2'), Match.method('GET')), Match.cookie('a', 'b')),
      [
        { kind: 'query', name: 'v', value: '2' },
        { kind: 'method', methods: ['GET'] },
        { kind: 'cookie', name: 'a', value: 'b' },
      ],
    ],
  ])('is %s', (_, match, conditions) => {
    expect(match.conditions).toEqual(conditions);
  });

  test.each(['!', '~', '!~', '"', '\\', '$x', 'a+b', 'x'.repeat(255)])('has the value %j', (value) => {
    for (const kind of ['header', 'cookie', 'query'] as const) {
      expect(Match[kind]('a', value).conditions).toEqual([{ kind, name: 'a', value }]);
    }
  });

  test.each([
    ['header', 'a b&c#d;e'],
    ['cookie', 'a b&c#d'],
    ['query', 'a;b%20c'],
  ] as const)('of a %s has the value %j', (kind, value) => {
    expect(Match[kind]('a', value).conditions).toEqual([{ kind, name: 'a', value }]);
  });

  test.each([
    ['query', 'a b', '" "', '%20'],
    ['query', 'a&b', '"&"', '%26'],
    ['query', 'a#b', '"#"', '%23'],
    ['cookie', 'a;b', '";"', '%3B'],
  ] as const)('of a %s cannot have the value %j, which no request has', (kind, value, end, encoded) => {
    expect(() => Match[kind]('a', value)).toThrow(
      new Error(
        `Match.${kind}: "${value}" has ${end}, where such a value ends, so that no request has it: give what clients send in its place, such as "${encoded}"`,
      ),
    );
  });

  test.each(['', ' ', ' a', 'a ', 'a\n', 'a\tb', 'ä', '\u007f', 'x'.repeat(256), 5, true, undefined, null])(
    'cannot have the value %j',
    (value) => {
      for (const kind of ['header', 'cookie', 'query'] as const) {
        expect(() => Match[kind]('a', value as string)).toThrow(
          new RegExp(
            `^Match\\.${kind}: .* is not a value that can be matched: give 1 to 255 printable ASCII characters without white space around them$`,
          ),
        );
      }
    },
  );

  test.each<[() => Match, string]>([
    [
      () => Match.header('X_Canary', 'a'),
      'Match.header: "X_Canary" is not a header name that nginx has a variable for: give letters, digits and hyphens',
    ],
    [
      () => Match.cookie('a-b', 'a'),
      'Match.cookie: "a-b" is not a name that nginx has a variable for: give letters, digits and underscores',
    ],
    [
      () => Match.query('a.b', 'a'),
      'Match.query: "a.b" is not a name that nginx has a variable for: give letters, digits and underscores',
    ],
    [() => Match.method(), 'Match.method: [] is empty: give methods, such as Match.method("GET", "HEAD")'],
    [() => Match.method('GET', 'get'), 'Match.method: "get" is not a method: give one in capitals, such as "GET"'],
    [() => Match.method('M-SEARCH'), 'Match.method: "M-SEARCH" is not a method: give one in capitals, such as "GET"'],
    [() => Match.method(''), 'Match.method: "" is not a method: give one in capitals, such as "GET"'],
    [
      () => Match.method('A'.repeat(21)),
      `Match.method: "${'A'.repeat(21)}" is not a method: give one in capitals, such as "GET"`,
    ],
    [() => Match.method(5 as never), 'Match.method: 5 is not a method: give one in capitals, such as "GET"'],
    [
      () => Match.allOf(),
      'Match.allOf: [] is not a list of matches: give some, such as Match.header("X-Canary", "always")',
    ],
    [
      () => Match.allOf('x' as never),
      'Match.allOf: ["x"] is not a list of matches: give some, such as Match.header("X-Canary", "always")',
    ],
    [
      () => Match.allOf(Match.method('GET'), {} as never),
      'Match.allOf: [{"conditions":[{"kind":"method","methods":["GET"]}]},{}] is not a list of matches: give some, such as Match.header("X-Canary", "always")',
    ],
  ])('is refused: case %#', (make, message) => {
    expect(make).toThrow(new Error(message));
  });

  test('may be a method of 20 letters', () => {
    expect(Match.method('A'.repeat(20)).conditions).toEqual([{ kind: 'method', methods: ['A'.repeat(20)] }]);
  });
});

describe('A rewrite', () => {
  test.each([
    ['nothing', Rewrite.stripPrefix(), ''],
    ['nothing, written as a slash', Rewrite.replacePrefix('/'), ''],
    ['a path', Rewrite.replacePrefix('/api'), '/api'],
    ['a path without its last slash', Rewrite.replacePrefix('/api/v1/'), '/api/v1'],
  ])('puts in place of the path %s', (_, rewrite, prefix) => {
    expect(rewrite.prefix).toBe(prefix);
  });

  test.each<unknown>(['', 'api', '/a b', '/$1', undefined])('refuses %j', (prefix) => {
    expect(() => Rewrite.replacePrefix(prefix as string)).toThrow(/ is not a path that nginx can be given/);
  });
});
