import fc from 'fast-check';
import { answerTo } from '../../diff/requests/answer';
import { FrontDoor } from '../../diff/requests/front-door';
import { requestUri, sentHeaders } from '../../diff/requests/request';
import { requestDifferences } from '../../diff/requests/request-differences';
import { Match, Path } from '../../model/routes/matching';
import type { RouteModel } from '../../model/routes/route';
import { nginxConf } from '../../nginx/nginx-conf';
import { expectedRoute, type RawRequest } from '../nginx/routes/route-oracle';
import { proxyModel, somePlace } from '../nginx/support/models';

const segment = fc.constantFrom('a', 'b', 'ab', 'A', 'a.b', '1');
const segments = fc.array(segment, { maxLength: 3 });
const path = fc.tuple(segments, fc.boolean(), fc.boolean()).map(([parts, isExact, slash]) => {
  const text = `/${parts.join('/')}`;
  return isExact ? Path.exact(slash && parts.length > 0 ? `${text}/` : text) : Path.prefix(text);
});
const value = fc.constantFrom('1', '2', 'One', 'one', 'a.c', '$1');
const match = fc.oneof(
  value.map((text) => Match.header('X-A', text)),
  value.map((text) => Match.header('Accept-Version', text)),
  fc.constantFrom('1', '2', 'a.c').map((text) => Match.cookie('c', text)),
  fc.constantFrom('1', '2', 'a.c').map((text) => Match.query('q', text)),
  fc.subarray(['GET', 'POST', 'PUT'] as const, { minLength: 1 }).map((some) => Match.method(...some)),
);
const when = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: match },
  { weight: 2, arbitrary: fc.array(match, { minLength: 2, maxLength: 3 }).map((all) => Match.allOf(...all)) },
);
const routes = fc.uniqueArray(fc.record({ path, when, leadsTo: fc.nat({ max: 3 }) }), {
  minLength: 1,
  maxLength: 8,
  selector: (one) =>
    JSON.stringify([one.path, one.when?.conditions.map((condition) => JSON.stringify(condition)).sort()]),
});
const request: fc.Arbitrary<RawRequest> = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
    fc.tuple(segments, fc.constantFrom('', '/')),
    fc.option(fc.constantFrom('1', '2', 'a.c', 'x')),
    fc.array(
      fc.oneof(
        fc.tuple(fc.constantFrom('X-A', 'Accept-Version'), value),
        fc.tuple(fc.constant('Cookie'), fc.constantFrom('c=1', 'c=2', 'c=a.c')),
      ),
      { maxLength: 2 },
    ),
  )
  .map(([method, [parts, end], argument, headers]) => ({
    method,
    target: `/${parts.join('/')}${parts.length === 0 ? '' : end}${argument === null ? '' : `?q=${argument}`}`,
    headers: headers.filter(([name], index) => headers.findIndex(([other]) => other === name) === index),
  }));

/** A host whose routes lead to one of four pages each, and what nginx reads for it. */
function hostOf(some: typeof routes extends fc.Arbitrary<infer Routes> ? Routes : never): {
  readonly models: readonly RouteModel[];
  readonly door: FrontDoor;
} {
  const proxy = proxyModel({
    names: ['shop.example.com'],
    backends: [],
    routes: some.map(({ path: where, when: conditions, leadsTo }, index) => ({
      name: `r${index}`,
      path: where,
      ...(conditions === undefined ? {} : { when: conditions }),
      target: { kind: 'redirect', location: `https://pages.example.com/?page=${leadsTo}`, status: 308 } as const,
    })),
  });
  return { models: proxy.hosts[0].routes, door: new FrontDoor(nginxConf(proxy, somePlace())) };
}

/** What answers by the rules alone. */
function expected(models: readonly RouteModel[], raw: RawRequest): string {
  const target = expectedRoute(models, raw)?.target;
  return target?.kind === 'redirect' ? `a redirect, 308 to ${target.location}` : '404, as no route fits';
}

test('for any two sets of routes, each kind of request that they answer otherwise is found, with a witness', () => {
  fc.assert(
    fc.property(routes, routes, fc.array(request, { minLength: 20, maxLength: 20 }), (some, others, requests) => {
      const [before, after] = [hostOf(some), hostOf(others)];
      const found = new Set<string>();
      for (const { witness, changes } of requestDifferences(before.door, after.door)) {
        const raw: RawRequest = {
          method: witness.method,
          target: requestUri(witness),
          headers: sentHeaders(witness).map((line) => line.split(': ') as [string, string]),
        };
        const [one, other] = [before, after].map(({ models }) => expected(models, raw));
        for (const { subject, before: was, after: is } of changes) {
          if (subject !== 'answered by') continue;
          expect([was, is]).toEqual([one, other]);
          found.add(`${was} → ${is}`);
        }
      }
      for (const raw of requests) {
        const [one, other] = [before, after].map(({ models }) => expected(models, raw));
        if (one !== other) expect([...found]).toContain(`${String(one)} → ${String(other)}`);
      }
    }),
    { numRuns: 30 },
  );
});

test('for any routes, a request ends up where the rules say', () => {
  fc.assert(
    fc.property(routes, request, (some, raw) => {
      const { models, door } = hostOf(some);
      const [asked = '', query] = raw.target.split('?');
      const cookie = raw.headers.find(([name]) => name === 'Cookie')?.[1].split('=');
      const answer = answerTo(door, {
        scheme: 'https',
        host: 'shop.example.com',
        method: raw.method,
        path: asked,
        headers: new Map(raw.headers.map(([name, text]) => [name.toLowerCase(), text])),
        cookies: new Map(cookie === undefined ? [] : [[cookie[0] ?? '', cookie[1] ?? '']]),
        query: new Map(query === undefined ? [] : [['q', query.slice('q='.length)]]),
      });
      expect(answer.by.shown).toBe(expected(models, raw));
    }),
    { numRuns: 100 },
  );
});
