import type { Backend } from '../../../charts/backend';
import type { NginxProxy } from '../../../charts/proxy/nginx-proxy';
import { FixedResponse, Redirect, TrafficSplit } from '../../../charts/routes/route-targets';
import { RequestKey } from '../../../model/load-balancing';
import { Rewrite } from '../../../model/routes/matching';
import type { TargetModel } from '../../../model/routes/route';
import { Retries, type RouteOptions } from '../../../model/routes/route-options';
import { InvalidOption } from '../../../validation/invalid-option';
import { newBackend, newProxy, newShop } from '../manifests';

function edgeAndOrders(): { readonly edge: NginxProxy; readonly orders: Backend } {
  const shop = newShop();
  return { edge: newProxy(shop), orders: newBackend(shop, 'orders') };
}

describe('A split', () => {
  const parts = (): { readonly edge: NginxProxy; readonly orders: Backend; readonly next: Backend } => {
    const { edge, orders } = edgeAndOrders();
    return { edge, orders, next: orders.addVersion('next') };
  };
  const targetOf = (edge: NginxProxy, split: TrafficSplit): TargetModel => edge.addRoute('/', split).model.target;

  test('gives each backend its part of the clients, by address unless told otherwise', () => {
    const { edge, orders, next } = parts();
    const shares = [
      { target: orders, weight: 95 },
      { target: next, weight: 5 },
    ];
    expect(targetOf(edge, TrafficSplit.weighted(shares))).toEqual({
      kind: 'split',
      shares: [
        { backend: 'orders', weight: 95 },
        { backend: 'orders-next', weight: 5 },
      ],
      stickyBy: RequestKey.clientAddress(),
    });
    const stickyBy = RequestKey.cookie('session');
    expect(edge.addRoute('/x', TrafficSplit.weighted(shares, { stickyBy })).model.target).toMatchObject({ stickyBy });
  });

  test('may have one backend, or one that gets nothing yet', () => {
    const { edge, orders, next } = parts();
    const split = TrafficSplit.weighted([
      { target: orders, weight: 100 },
      { target: next, weight: 0 },
    ]);
    expect(targetOf(edge, split)).toMatchObject({ shares: [{ weight: 100 }, { weight: 0 }] });
    expect(() => TrafficSplit.weighted([{ target: orders, weight: 100 }])).not.toThrow();
  });

  test('knows how much a version with fewer pods carries, which no later weight may exceed', () => {
    const { edge, orders } = edgeAndOrders();
    const canary = orders.addVersion('canary', { replicas: { min: 2, max: 4 } });
    const split = TrafficSplit.weighted([
      { target: orders, weight: 90 },
      { target: canary, weight: 10 },
    ]);
    expect(targetOf(edge, split)).toHaveProperty('shares', [
      { backend: 'orders', weight: 90 },
      { backend: 'orders-canary', weight: 10, mostWeight: 40 },
    ]);
  });

  test.each<[(orders: Backend, next: Backend) => unknown, unknown, string]>([
    [() => [], {}, ': [] add up to 0: give weights that add up to 100'],
    [
      (a, b) => [
        { target: a, weight: 90 },
        { target: b, weight: 11 },
      ],
      {},
      ': [90,11] add up to 101: give weights that add up to 100',
    ],
    [(a) => [{ target: a, weight: 99 }], {}, ': [99] add up to 99: give weights that add up to 100'],
    [
      (a) => [
        { target: a, weight: 50 },
        { target: a, weight: 50 },
      ],
      {},
      ' target: "orders" is given twice: give each backend one weight',
    ],
    [
      (a) => [{ target: a, weight: 101 }],
      {},
      ' weight of orders: 101 is out of range: give a whole number from 0 to 100',
    ],
    [
      (a) => [{ target: a, weight: -1 }],
      {},
      ' weight of orders: -1 is out of range: give a whole number from 0 to 100',
    ],
    [(a) => [{ target: a, weight: 0.5 }], {}, ' weight of orders: 0.5 is out of range'],
    [(a) => [{ target: a }], {}, ' weight of orders: undefined is out of range'],
    [
      () => [{ target: FixedResponse.of(204), weight: 100 }],
      {},
      ' target: "(object)" is not a Backend: give one, or a version of one',
    ],
    [() => [{ weight: 100 }], {}, ' target: "(object)" is not a Backend: give one, or a version of one'],
    [() => [100], {}, ': 100 is not an object with names and values: give one, such as { target: stable, weight: 95 }'],
    [
      () => 100,
      {},
      ': 100 is not a list: give one, such as [{ target: stable, weight: 95 }, { target: canary, weight: 5 }]',
    ],
    [
      (a) => [{ target: a, weight: 100 }],
      { stickyBy: 'cookie' },
      ' stickyBy: "cookie" is not what stands here: give it as RequestKey.cookie("session") does',
    ],
    [
      (a) => [{ target: a, weight: 100 }],
      { sticky: 'cookie' },
      ' sticky: "cookie" is an option that does not exist: stickyBy does',
    ],
    [
      (a) => [{ target: a, weight: 100 }],
      5,
      ': 5 is not an object with names and values: give one, such as { stickyBy: RequestKey.cookie("session") }',
    ],
  ])('is refused: case %#', (shares, options, message) => {
    const { orders, next } = parts();
    const make = (): unknown => TrafficSplit.weighted(shares(orders, next) as never, options as never);
    expect(make).toThrow(InvalidOption);
    expect(make).toThrow(`TrafficSplit.weighted${message}`);
  });
});

describe('A redirect', () => {
  const targetOf = (location: string, options?: object): TargetModel =>
    edgeAndOrders().edge.addRoute('/', Redirect.to(location, options)).model.target;

  test.each([
    ['/v1', '/v1'],
    ['/v1/', '/v1'],
    ['/', ''],
    ['https://www.example.com', 'https://www.example.com'],
    ['https://www.example.com/', 'https://www.example.com'],
    ['http://www.example.com:8080/a/b', 'http://www.example.com:8080/a/b'],
    ["/a-b.c~d_e!&'()*+,;=:@%20$", "/a-b.c~d_e!&'()*+,;=:@%20$"],
  ])('to %s replaces the path by %j', (location, written) => {
    expect(targetOf(location)).toEqual({ kind: 'redirect', location: written, status: 307 });
  });

  test('may be remembered by clients if it is permanent', () => {
    expect(targetOf('/v1', { permanent: true })).toMatchObject({ status: 308 });
    expect(targetOf('/v1', { permanent: false })).toMatchObject({ status: 307 });
  });

  test.each([
    '',
    'v1',
    '//www.example.com',
    '/a b',
    '/a"b',
    'ftp://www.example.com',
    'https://',
    'https://user@www.example.com',
    'https://www.example.com:123456',
    'javascript:alert(1)',
    '/a?b=c',
    '/a#b',
    'https://www.example.com//x',
  ])('to %j is refused', (location) => {
    expect(() => Redirect.to(location)).toThrow(
      new Error(
        `Redirect.to: ${JSON.stringify(location)} is neither a path nor a URL that a Location header can have: give one, such as "/v1" or "https://www.example.com"`,
      ),
    );
  });

  test.each<[unknown, unknown, string]>([
    [5, {}, 'Redirect.to: 5 is not text: give a string'],
    ['/a\r\nb', {}, 'Redirect.to: "/a\\r\\nb" has a control character, which nginx cannot carry here: take it out'],
    ['/v1', { permanent: 'yes' }, 'Redirect.to permanent: "yes" is neither true nor false: give one of them'],
    ['/v1', { permanently: true }, 'Redirect.to permanently: true is an option that does not exist: permanent does'],
    ['/v1', null, 'Redirect.to: null is not an object with names and values: give one, such as { permanent: true }'],
  ])('to %j with %j is refused', (location, options, message) => {
    expect(() => Redirect.to(location as string, options as never)).toThrow(new Error(message));
  });

  test.each<[RouteOptions, string, string]>([
    [{ requestTimeout: '1h' }, 'requestTimeout', '"1h"'],
    [{ connectTimeout: '1s' }, 'connectTimeout', '"1s"'],
    [{ retries: Retries.none() }, 'retries', '"(object)"'],
    [{ streaming: '1h' }, 'streaming', '"1h"'],
    [{ rewrite: Rewrite.stripPrefix() }, 'rewrite', '"(object)"'],
    [{ requestHeaders: { 'X-A': 'b' } }, 'requestHeaders', '"(object)"'],
  ])('refuses %j, which is of what is passed on, and leaves it out where it is inherited', (options, name, value) => {
    const { edge } = edgeAndOrders();
    expect(() => edge.addRoute('/a', Redirect.to('/v1'), options)).toThrow(
      `shop/edge, route /a ${name}: ${value} does nothing where nginx answers by itself: take it out, or give the route a backend`,
    );
    const without = edge.addRoute('/b', Redirect.to('/v1')).model;
    const inheriting = edge.addHost('www.example.com', { routeDefaults: options }).addRoute('/b', Redirect.to('/v1'));
    expect({ ...inheriting.model, name: without.name }).toEqual(without);
  });
});

describe('A fixed response', () => {
  const targetOf = (response: FixedResponse): TargetModel => edgeAndOrders().edge.addRoute('/', response).model.target;

  test('has a status, and a body of plain text unless told otherwise', () => {
    expect(targetOf(FixedResponse.of(404, 'no "such" thing'))).toEqual({
      kind: 'response',
      status: 404,
      body: 'no "such" thing',
      contentType: 'text/plain',
    });
    expect(targetOf(FixedResponse.of(503, '{}', { contentType: 'application/json' }))).toMatchObject({
      contentType: 'application/json',
    });
    expect(targetOf(FixedResponse.of(204))).toMatchObject({ status: 204, body: '' });
    for (const status of [200, 599]) expect(targetOf(FixedResponse.of(status))).toMatchObject({ status });
  });

  test.each<[unknown, unknown, unknown, string]>([
    [199, '', {}, 'FixedResponse.of status: 199 is out of range: give a whole number from 200 to 599'],
    [600, '', {}, 'FixedResponse.of status: 600 is out of range: give a whole number from 200 to 599'],
    ['200', '', {}, 'FixedResponse.of status: "200" is out of range: give a whole number from 200 to 599'],
    [204, 'x', {}, 'FixedResponse.of: "x" is a body, and an answer of 204 has none: take it out'],
    [304, 'x', {}, 'FixedResponse.of: "x" is a body, and an answer of 304 has none: take it out'],
    [200, 5, {}, 'FixedResponse.of body: 5 is not text: give a string'],
    [
      200,
      'a\nb',
      {},
      'FixedResponse.of body: "a\\nb" has a control character, which nginx cannot carry here: take it out',
    ],
    [
      200,
      '',
      { contentType: 'image/png' },
      'FixedResponse.of contentType: "image/png" is unknown: give one of text/plain, text/html, application/json, application/problem+json, application/xml',
    ],
    [
      200,
      '',
      { contenttype: 'text/html' },
      'FixedResponse.of contenttype: "text/html" is an option that does not exist: contentType does',
    ],
    [
      200,
      '',
      null,
      'FixedResponse.of: null is not an object with names and values: give one, such as { contentType: "application/json" }',
    ],
  ])('of %j, %j and %j is refused', (status, body, options, message) => {
    expect(() => FixedResponse.of(status as number, body as string, options as never)).toThrow(new Error(message));
  });

  test('has a body of 2 KiB at most', () => {
    expect(() => FixedResponse.of(200, 'ä'.repeat(1024))).not.toThrow();
    expect(() => FixedResponse.of(200, 'ä'.repeat(1025))).toThrow(
      /^FixedResponse\.of body: .* is longer than 2048 bytes, which nginx cannot read: shorten it$/,
    );
  });
});
