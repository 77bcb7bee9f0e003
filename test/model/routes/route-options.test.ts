import { Match, Path, Rewrite } from '../../../model/routes/matching';
import type { TargetModel } from '../../../model/routes/route';
import { routeModel, type RouteSettings } from '../../../model/routes/route-model';
import { inherited, readRouteDefaults, Retries, type RouteOptions } from '../../../model/routes/route-options';
import { timeline } from '../../../model/timeline';

const target: TargetModel = { kind: 'backend', backend: 'orders' };

function made(options: unknown, changes: Partial<RouteSettings> = {}): ReturnType<typeof routeModel> {
  return routeModel({
    name: 'orders',
    path: Path.of('/orders'),
    options: options as RouteOptions,
    own: options as RouteOptions,
    target,
    backends: [{ name: 'orders', requestTimeout: 60 }],
    bindMirror: (mirror) => mirror.bindMirror({}),
    bindAuth: (asked) => asked.bindAuth({}),
    times: {},
    ...changes,
  });
}

describe('The model of a route', () => {
  test('has the defaults, and what it is for', () => {
    const { model, timeline: times } = made({});
    expect(model).toEqual({
      name: 'orders',
      path: Path.of('/orders'),
      when: [],
      target,
      times: { requestTimeout: 60, connectTimeout: 2, nextUpstreamTimeout: 70, nextUpstreamTries: 3 },
      retries: true,
      streamTimeout: undefined,
      maxBodySize: 2 ** 20,
      rewrite: undefined,
      requestHeaders: [],
      responseHeaders: [],
    });
    expect(times).toEqual(timeline());
  });

  test('has what was given', () => {
    const when = Match.header('X-Canary', 'always');
    const { model, timeline: times } = made(
      {
        when,
        requestTimeout: '60s',
        connectTimeout: '4s',
        retries: Retries.safe({ tries: 4, timeout: '40s' }),
        streaming: '2h',
        maxBodySize: '16k',
        rewrite: Rewrite.replacePrefix('/api'),
        requestHeaders: { 'X-A': 'b', 'X-C': false },
        responseHeaders: { 'X-D': 'e', 'X-F': false },
      },
      { times: { resolverValid: '3s', dnsCacheTtl: '0s' } },
    );
    expect(model).toMatchObject({
      when: when.conditions,
      times: { requestTimeout: 60, connectTimeout: 4, nextUpstreamTimeout: 40, nextUpstreamTries: 4 },
      streamTimeout: 7200,
      maxBodySize: 16_384,
      rewrite: '/api',
      requestHeaders: [
        ['X-A', 'b'],
        ['X-C', false],
      ],
      responseHeaders: [
        ['X-D', 'e'],
        ['X-F', false],
      ],
    });
    expect(times).toEqual(
      timeline({
        resolverValid: '3s',
        dnsCacheTtl: '0s',
        requestTimeout: '60s',
        connectTimeout: '4s',
        nextUpstreamTries: 4,
        nextUpstreamTimeout: '40s',
      }),
    );
  });

  test('has the shortest time of its backends, whichever is first', () => {
    const [a, b] = [
      { name: 'a', requestTimeout: 30 },
      { name: 'b', requestTimeout: 20 },
    ];
    for (const backends of [
      [a, b],
      [b, a],
    ]) {
      expect(made({}, { backends }).model.times.requestTimeout).toBe(20);
      expect(made({ requestTimeout: '20s' }, { backends }).model.times.requestTimeout).toBe(20);
      expect(() => made({ requestTimeout: '21s' }, { backends })).toThrow(
        new Error(
          'requestTimeout: "21s" is longer than that of b (20s), whose pods end after it: give no more, or give b a longer one',
        ),
      );
    }
  });

  test('without backends may wait as long as it likes', () => {
    expect(made({ requestTimeout: '1h' }, { backends: [] }).model.times.requestTimeout).toBe(3600);
    expect(made({}, { backends: [] }).model.times.requestTimeout).toBe(60);
  });

  test('may wait for a connection as long as for an answer', () => {
    expect(made({ connectTimeout: '60s' }).model.times.connectTimeout).toBe(60);
    expect(() => made({ connectTimeout: '61s' })).toThrow(
      new Error('connectTimeout: "61s" is longer than the backend\'s requestTimeout: give 60s or less'),
    );
    expect(() => made({ connectTimeout: '61s' }, { backends: [] })).toThrow(
      new Error('connectTimeout: "61s" is longer than requestTimeout: give 60s or less, or a longer requestTimeout'),
    );
    expect(() => made({ connectTimeout: '10s', requestTimeout: '9s' })).toThrow(
      new Error('requestTimeout: "9s" is shorter than connectTimeout: give 10s or more'),
    );
  });

  test('names the time of retries as it was given', () => {
    expect(() => made({ connectTimeout: '5s', retries: Retries.safe({ timeout: '5s' }) })).toThrow(
      new Error(
        'Retries.safe timeout: "5s" leaves no time for another pod after a first one that is silent for connectTimeout (5s): give 6s or more',
      ),
    );
  });

  test.each<[unknown, string]>([
    [5, 'options: 5 is not an object with names and values: give one, such as { requestTimeout: "10s" }'],
    [{ streamng: '1h' }, 'streamng: "1h" is an option that does not exist: streaming does'],
    [{ streaming: '999ms' }, 'streaming: "999ms" is too short: give 1s or more'],
    [{ streaming: '2d' }, 'streaming: "2d" is too long: give 1d or less'],
    [{ requestTimeout: '500ms' }, 'requestTimeout: "500ms" is too short: give 1s or more'],
    [{ maxBodySize: '1024g' }, 'maxBodySize: "1024g" is too large: give 1023g or less'],
    [
      { requestHeaders: { 'X Y': 'a' } },
      'requestHeaders["X Y"]: "X Y" is not a header name that nginx has a variable for: give letters, digits and hyphens',
    ],
    [
      { requestHeaders: { 'X Y': false } },
      'requestHeaders["X Y"]: "X Y" is not a header name that nginx has a variable for: give letters, digits and hyphens',
    ],
    [
      { responseHeaders: { 'Set-Cookie': 'a' } },
      'responseHeaders["Set-Cookie"]: "Set-Cookie" is set by nginx or the API itself: take it out',
    ],
    [
      { responseHeaders: { 'X-A': ' b' } },
      'responseHeaders["X-A"]: " b" is empty or has white space around it, which HTTP drops from X-A: trim it',
    ],
    [{ requestHeaders: { 'X-A': true } }, 'requestHeaders["X-A"]: true is not text: give a string'],
  ])('refuses %j', (options, message) => {
    expect(() => made(options)).toThrow(new Error(message));
  });
});

describe('What is inherited', () => {
  test('is nothing of nothing', () => {
    expect(inherited()).toEqual({});
    expect(inherited(undefined, {})).toEqual({ requestHeaders: {}, responseHeaders: {} });
  });

  test('is every option of the last that has it', () => {
    expect(
      inherited({ maxBodySize: '1m', streaming: '1h' }, undefined, { maxBodySize: '2m' }, { connectTimeout: '3s' }),
    ).toMatchObject({ maxBodySize: '2m', streaming: '1h', connectTimeout: '3s' });
  });

  test('is every header of the last that has it, in whatever case, at the place where it was first', () => {
    const all = inherited(
      { requestHeaders: { 'X-A': '1', 'X-B': '1' }, responseHeaders: { 'X-C': '1' } },
      { requestHeaders: { 'x-a': '2', 'X-D': '2' } },
      { responseHeaders: { 'X-C': false } },
    );
    expect(Object.entries(all.requestHeaders ?? {})).toEqual([
      ['x-a', '2'],
      ['X-B', '1'],
      ['X-D', '2'],
    ]);
    expect(all.responseHeaders).toEqual({ 'X-C': false });
  });

  test.each([5, 'x', ['x'], null])('is left to be refused where it is no group of headers: %j', (headers) => {
    expect(inherited({ requestHeaders: { 'X-A': '1' } }, { requestHeaders: headers } as never).requestHeaders).toEqual(
      headers,
    );
  });
});

describe('Defaults of routes', () => {
  test('are whatever a route may be given', () => {
    expect(() => {
      readRouteDefaults({ maxBodySize: '8m', responseHeaders: { 'X-A': 'b' } });
    }).not.toThrow();
  });

  test.each<[unknown, string]>([
    [5, 'routeDefaults: 5 is not an object with names and values: give one, such as { maxBodySize: "8m" }'],
    [
      { when: Match.method('GET') },
      'routeDefaults.when: "(object)" is of one route, as others of its path have to be without: give it to addRoute',
    ],
    [{ maxBody: '8m' }, 'routeDefaults.maxBody: "8m" is an option that does not exist: take it out'],
    [
      { maxBodySize: '0k', requestTimeout: '2h' },
      'routeDefaults.requestTimeout: "2h" is too long: give 1h or less\nrouteDefaults.maxBodySize: "0k" is zero, which nginx reads as no limit: give 1k or more',
    ],
  ])('are not %j', (given, message) => {
    expect(() => {
      readRouteDefaults(given);
    }).toThrow(new Error(message));
  });
});

describe('Retries', () => {
  test('are of safe requests, as often as was asked for', () => {
    expect(Retries.safe().options).toEqual({});
    expect(Retries.safe({ tries: 1, timeout: '2h' }).options).toEqual({ tries: 1, timeout: '2h' });
    expect(Retries.safe({ tries: 10 }).options).toEqual({ tries: 10 });
  });

  test.each<[unknown, string]>([
    [{ tries: 0 }, ' tries: 0 is out of range: give a whole number from 1 to 10'],
    [{ tries: 11 }, ' tries: 11 is out of range: give a whole number from 1 to 10'],
    [{ timeout: '0s' }, ' timeout: "0s" is too short: give 1s or more'],
    [{ timeout: '3h' }, ' timeout: "3h" is too long: give 2h or less'],
    [{ timeouts: '3s' }, ' timeouts: "3s" is an option that does not exist: timeout does'],
    [3, ': 3 is not an object with names and values: give one, such as { tries: 3 }'],
  ])('are not %j', (options, message) => {
    expect(() => Retries.safe(options as never)).toThrow(new Error(`Retries.safe${message}`));
  });
});
