import { once } from 'node:events';
import { connect, TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { Match, Path } from '../../../model/routes/matching';
import { RouteModel } from '../../../model/routes/route';
import { HostParts, RouteParts } from '../support/models';
import { startWithOneInstance } from '../support/one-instance';
import { RealNginx } from '../support/real-nginx';
import { expectedRoute, normalPath, RawRequest } from './route-oracle';
import { getByHttp2 } from '../support/several-backends';

const sets = 20;
const requestsOfSet = 500;
/** As many requests are on their way at once on one connection. */
const pipelined = 100;

const segment = fc.constantFrom('a', 'b', 'ab', 'A', 'a.b', '~x', 'aa');
const segments = fc.array(segment, { maxLength: 3 });
const path = fc.tuple(segments, fc.boolean(), fc.boolean()).map(([parts, isExact, slash]) => {
  const text = `/${parts.join('/')}`;
  return isExact ? Path.exact(slash && parts.length > 0 ? `${text}/` : text) : Path.prefix(text);
});

const value = fc.constantFrom('1', '2', 'One', 'one', 'a.c', 'abc', '1, 2', '%41', 'A', '$1');
const token = value.filter((text) => !/[, $]/.test(text));
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;
const match = fc.oneof(
  fc.tuple(fc.constantFrom('X-A', 'x-b', 'Accept-Version'), value).map(([name, text]) => Match.header(name, text)),
  fc.tuple(fc.constantFrom('c', 'Dd'), token).map(([name, text]) => Match.cookie(name, text)),
  fc.tuple(fc.constantFrom('q', 'r_1'), token).map(([name, text]) => Match.query(name, text)),
  fc.subarray([...methods], { minLength: 1 }).map((some) => Match.method(...some)),
);
const when = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: match },
  { weight: 2, arbitrary: fc.array(match, { minLength: 2, maxLength: 3 }).map((all) => Match.allOf(...all)) },
);
const route = fc.record({ path, when, isForwarded: fc.boolean() });
const host = fc.uniqueArray(route, {
  minLength: 1,
  maxLength: 25,
  selector: (one) =>
    JSON.stringify([one.path, one.when?.conditions.map((condition) => JSON.stringify(condition)).sort()]),
});
const routeSet = fc.array(host, { minLength: 1, maxLength: 3 });

/** Near the paths that routes have. */
const near = fc.tuple(
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: segment },
      fc.constantFrom('.', '%61', '%2e', '', 'c', 'a%2Fb', 'x/..', 'a%252Fb'),
    ),
    {
      maxLength: 5,
    },
  ),
  fc.constantFrom('', '', '/', '//', 'b', '?', '#x'),
);
const query = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  fc
    .array(fc.tuple(fc.constantFrom('q', 'Q', 'r_1', 'xq', 'p'), fc.constantFrom('=', '=', ''), token), {
      maxLength: 3,
    })
    .map((pairs) => `?${pairs.map((pair) => pair.join('')).join('&')}`),
);
const header = fc.oneof(
  fc.tuple(fc.constantFrom('x-a', 'X-A', 'X-B', 'accept-version'), value),
  fc
    .array(fc.tuple(fc.constantFrom('c', 'C', 'dd', 'e'), token), { minLength: 1, maxLength: 3 })
    .map((pairs) => ['Cookie', pairs.map(([name, text]) => `${name}=${text}`).join('; ')] as const),
);
const request: fc.Arbitrary<RawRequest> = fc
  .tuple(fc.constantFrom(...methods), near, query, fc.array(header, { maxLength: 4 }))
  .map(([method, [parts, end], args, headers]) => ({ method, target: `/${parts.join('/')}${end}${args}`, headers }));

/** What answered: the name of a route, or a status of nginx itself. */
type Answered = string;

/** Sends requests on one connection without waiting for each answer. */
class Pipeline {
  private received = '';
  private readonly ended: Promise<unknown>;

  private constructor(private readonly socket: TLSSocket) {
    this.ended = once(socket, 'close');
    socket.setEncoding('latin1').on('data', (text: string) => (this.received += text));
  }

  static async connect({ place, host: servername }: RealNginx): Promise<Pipeline> {
    const socket = connect({ host: '127.0.0.1', port: place.httpsPort, servername, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return new Pipeline(socket);
  }

  async send(hostName: string, requests: readonly RawRequest[]): Promise<Answered[]> {
    const written = requests.map(({ method, target, headers }) => {
      const body = method === 'POST' ? 'x' : '';
      const lines = [['Host', hostName], ['Content-Length', String(body.length)], ...headers].map((pair) =>
        pair.join(': '),
      );
      return `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
    });
    this.socket.write(written.join(''), 'latin1');
    const answers: Answered[] = [];
    while (answers.length < requests.length) {
      const answer = this.next();
      if (answer !== undefined) answers.push(answer);
      else if (this.socket.destroyed) throw new Error(`closed at ${JSON.stringify(requests[answers.length])}`);
      else await Promise.race([once(this.socket, 'data'), this.ended]);
    }
    return answers;
  }

  close(): void {
    this.socket.destroy();
  }

  private next(): Answered | undefined {
    const head = this.received.indexOf('\r\n\r\n');
    if (head < 0) return undefined;
    const text = this.received.slice(0, head);
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    if (this.received.length < head + 4 + length) return undefined;
    this.received = this.received.slice(head + 4 + length);
    return /x-route: (.*)/i.exec(text)?.[1] ?? text.slice(9, 12);
  }
}

test('nginx chooses the route that the rules name, for any routes and requests', async () => {
  const seed = Date.now() % 2 ** 31;
  const hosts = fc
    .sample(routeSet, { seed, numRuns: sets })
    .flatMap((set, index) =>
      set.map((routes, number) => ({ set: index, name: `h${number}.s${index}.example.com`, routes })),
    );
  const parts = hosts.map(({ name, routes }, index): HostParts => ({
    names: [name],
    routes: routes.map(({ path: where, when: match, isForwarded }, number): RouteParts => {
      const routeName = `r${index}-${number}`;
      return {
        name: routeName,
        path: where,
        ...(match === undefined ? {} : { when: match }),
        target: isForwarded ? 'api' : { kind: 'response', status: 200, body: 'own', contentType: 'text/plain' },
        responseHeaders: [['X-Route', routeName]],
      };
    }),
  }));
  const [first = {}, ...others] = parts;
  const ready: HostParts = { names: ['localhost'] };
  const { nginx, stop } = await startWithOneInstance({ hosts: [ready, first, ...others] }, (incoming, response) => {
    incoming.resume().on('end', () => response.end('ok'));
  });
  const routesOf = (name: string): readonly RouteModel[] =>
    nginx.proxy.hosts.find(({ names }) => names[0] === name)?.routes ?? [];

  let count = 0;
  const wrong: unknown[] = [];
  try {
    const pipeline = await Pipeline.connect(nginx);
    for (let set = 0; set < sets; set += 1) {
      const ofSet = hosts.filter((one) => one.set === set);
      for (const [number, { name }] of ofSet.entries()) {
        const share = Math.floor(requestsOfSet / ofSet.length) + (number < requestsOfSet % ofSet.length ? 1 : 0);
        const requests = fc.sample(request, { seed: seed + count, numRuns: share });
        for (let from = 0; from < requests.length; from += pipelined) {
          const some = requests.slice(from, from + pipelined);
          const answers = await pipeline.send(name, some);
          for (const [index, one] of some.entries()) {
            const expected = expectedRoute(routesOf(name), one)?.name ?? '404';
            if (answers[index] !== expected) wrong.push({ seed, name, ...one, expected, answered: answers[index] });
          }
        }
        count += requests.length;
        const [overHttp2] = requests.filter(
          ({ headers, target }) =>
            new Set(headers.map(([key]) => key.toLowerCase())).size === headers.length && !target.includes('#'),
        );
        if (overHttp2 === undefined) continue;
        const { method, target, headers } = overHttp2;
        const { headers: answered, status } = await getByHttp2(nginx, {
          ':method': method,
          ':path': target,
          ':authority': name,
          ...Object.fromEntries(headers),
        });
        const expected = expectedRoute(routesOf(name), overHttp2)?.name ?? '404';
        if ((answered['x-route'] ?? String(status)) !== expected)
          wrong.push({ seed, http2: true, name, ...overHttp2, expected, answered });
      }
    }
    pipeline.close();
  } finally {
    await stop();
  }
  expect(wrong.slice(0, 3)).toEqual([]);
  expect(count).toBe(sets * requestsOfSet);
});

test.each([
  ['/a', '/a'],
  ['/a/', '/a/'],
  ['//a///b', '/a/b'],
  ['/a/./b/../c', '/a/c'],
  ['/a/..', '/'],
  ['/a/b/..', '/a/'],
  ['/%61%2fb%252f?x=/../', '/a/b%2f'],
])('the rules read %s as %s', (target, normal) => {
  expect(normalPath(target)).toBe(normal);
});
