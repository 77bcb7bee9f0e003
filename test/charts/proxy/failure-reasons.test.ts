import { FixedResponse, Redirect } from '../../../charts/routes/route-targets';
import type { AccessLogOptions } from '../../../model/access-log/options';
import { ResponseCache } from '../../../model/routes/response-cache';
import type { IRouteTarget } from '../../../charts/routes/route';
import { nginxConf } from '../../../nginx/nginx-conf';
import { newBackend, newProxy, newShop } from '../manifests';
import { somePlace } from '../../nginx/support/models';

interface Given {
  readonly accessLog?: AccessLogOptions;
  readonly hasMetrics?: boolean;
  readonly target?: IRouteTarget;
  readonly cache?: ResponseCache;
}

/** nginx.conf of a proxy with a route to a backend, and one to this target. */
function conf({ accessLog = {}, hasMetrics = false, target, cache }: Given = {}): string {
  const shop = newShop();
  const edge = newProxy(shop, 'edge', { accessLog });
  edge.addRoute('/', newBackend(shop, 'orders'), cache === undefined ? {} : { cache });
  if (target !== undefined) edge.addRoute('/own', target);
  return nginxConf(edge.model, somePlace(hasMetrics ? { metricsPort: 9113 } : {}));
}

const key = (text: string): string => /map "(.*)" \$reason_of_failure \{/.exec(text)?.[1] ?? '';
const count = (text: string, part: string): number => text.split(part).length - 1;
const unrouted = 'uninitialized_variable_warn off;';

test('reasons are made where the log or metrics say them, and nowhere else', () => {
  expect(conf()).toContain('map $status $reason {');
  expect(conf({ accessLog: { omit: ['reason'] } })).not.toContain('$reason');
  expect(conf({ accessLog: { omit: ['user_agent'] } })).toContain('map $status $reason {');
  expect(conf({ accessLog: { omit: ['reason'] }, hasMetrics: true })).toContain('map $status $reason {');
});

test('an answer of nginx that is a failure is told by its route', () => {
  const fixed = conf({ target: FixedResponse.of(404) });
  expect(key(fixed)).toMatch(/\|\$upstream_addr\|\|\$route$/);
  expect(fixed).toContain(String.raw`"~^404 \|.*\|own$" own-answer;`);
  expect(fixed).toContain('set $route own;');
  expect(count(fixed, unrouted)).toBe(1);
  expect(conf({ target: FixedResponse.of(400) })).toContain(String.raw`"~^400 \|.*\|own$" own-answer;`);
});

test.each([
  ['no such route', {}],
  ['a FixedResponse that is none', { target: FixedResponse.of(204) }],
  ['a Redirect', { target: Redirect.to('/') }],
])('of %s nothing is said by a route', (_what, given: Given) => {
  const text = conf(given);
  expect(key(text)).toMatch(/\|\$upstream_addr\|\|$/);
  expect(text).not.toContain('own-answer');
  expect(text).not.toContain('set $route own;');
  expect(count(text, unrouted)).toBe(0);
});

test('metrics and reasons need one word about requests without a route between them', () => {
  expect(count(conf({ hasMetrics: true }), unrouted)).toBe(1);
  expect(count(conf({ hasMetrics: true, target: FixedResponse.of(404) }), unrouted)).toBe(1);
  const omitted = { accessLog: { omit: ['reason'] }, target: FixedResponse.of(404) } as const;
  expect(count(conf(omitted), unrouted)).toBe(0);
});

test('what a cache does is asked where a route has one', () => {
  expect(key(conf())).not.toContain('cache');
  expect(conf()).not.toContain('kept-answer');
  const kept = conf({ cache: ResponseCache.of({ valid: '1m' }) });
  expect(key(kept)).toMatch(/\|\$upstream_cache_status\|$/);
  expect(kept).toContain('kept-answer;');
});
