import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheKeysZone } from '../../model/memory-costs';
import { CacheModel } from '../../model/routes/response-cache';
import { cachesOf, RouteModel } from '../../model/routes/route';
import { numbersAbove, size } from '../amounts';
import { upstreamOf } from '../backends/upstream-section';
import { block, directive, Directive, heading, Node, quote } from '../directive';
import { provedVariable } from '../forwarding-section';
import { Plan } from '../plan';
import { keyVariable } from './request-variables';

/** What nginx runs, to be put beside nginx.conf whenever an answer may be given beyond its time. */
export const staleAnswersScript = {
  name: 'stale-answers.mjs',
  text: readFileSync(join(__dirname, 'stale-answers.mjs'), 'utf8'),
} as const;

/** In milliseconds: how often one of 256 directories is looked through, so that all are in about a minute. */
const forgetInterval = 250;

/** In seconds: requests for one answer do not wait longer for the first of them. */
const lockTimeout = 2;

/** Whether answers may be given beyond their time, which is then bounded by the script. */
export function hasStaleAnswers(routes: readonly RouteModel[]): boolean {
  return cachesOf(routes).some(({ staleFor }) => staleFor > 0);
}

/** Where answers are kept, and which are not. */
export function cacheSection(plan: Plan): Node[] {
  const caches = cachesOf(plan.routes);
  if (caches.length === 0) return [];
  const staleFor = caches.flatMap((cache) =>
    cache.staleFor === 0 ? [] : [`${encoded(directoryOf(plan, cache))}?${cache.staleFor}`],
  );
  return [
    heading('Answers that are kept: those of requests without credentials, as the API says'),
    ...caches.map((cache) =>
      directive(
        `proxy_cache_path ${quote('cacheDirectory', directoryOf(plan, cache))} levels=2 keys_zone=${nameOf(plan, cache)}:${cacheKeysZone(cache.size) / 1024}k max_size=${size(cache.size)} inactive=${inactive(cache)}s use_temp_path=off manager_files=1000`,
        'what was not asked for longest goes first; temporary files in the same volume',
      ),
    ),
    ...keptMaps(plan),
    ...[...new Set(caches.map(({ maxAnswerSize }) => maxAnswerSize))]
      .sort((a, b) => a - b)
      .map((limit) =>
        block(
          `map $upstream_http_content_length ${longerThan(limit)}`,
          [directive('"" 1'), directive(`${quote('maxAnswerSize', `~${numbersAbove(limit)}`)} 1`)],
          'nor an answer whose length nobody knows: the disk has an end',
        ),
      ),
    ...(hasStaleAnswers(plan.routes)
      ? [
          block(
            'map $upstream_http_cache_control $never_stale',
            [directive('"~*(?:^|[\\s,])(?:must|proxy)-revalidate(?:[\\s,]|$)" 1')],
            'it must not be given beyond its time (RFC 9111, 5.2.2.2), which the cache does',
          ),
          directive(`js_import stale_answers from ${staleAnswersScript.name}`),
          directive('js_shared_dict_zone zone=stale_answers:32k type=number'),
          ...staleFor.map((cache, index) =>
            directive(
              `js_var $stale_answers_${index + 1} ${quote('cacheDirectory', cache)}`,
              index === 0 ? 'for how many seconds each may give what is not fresh' : undefined,
            ),
          ),
        ]
      : []),
    block(
      'map "$request_method $upstream_cache_status" $cache_status',
      [
        directive('default "nginx; fwd=method"'),
        directive('"~^(?:GET|HEAD) $" "nginx; fwd=bypass"'),
        directive('"~^(?:GET|HEAD) HIT$" "nginx; hit"'),
        directive('"~^(?:GET|HEAD) MISS$" "nginx; fwd=miss"'),
        directive('"~^(?:GET|HEAD) EXPIRED$" "nginx; fwd=stale"'),
        directive('"~^(?:GET|HEAD) REVALIDATED$" "nginx; fwd=stale; fwd-status=304"'),
        directive('"~^(?:GET|HEAD) STALE$" "nginx; fwd=stale; detail=stale"'),
        directive('"~^(?:GET|HEAD) UPDATING$" "nginx; hit; detail=updating"'),
      ],
      'RFC 9211',
    ),
  ];
}

/** In the server of the probes: what looks for answers that are too old. */
export function staleAnswersLocation({ routes }: Plan): Directive[] {
  if (!hasStaleAnswers(routes)) return [];
  return [
    block('location @stale_answers', [
      directive(
        `js_periodic stale_answers.forget interval=${forgetInterval}ms`,
        'in one worker, a directory at a time',
      ),
    ]),
  ];
}

/** In every location of a route by which requests reach its target. */
export function keptAnswers(plan: Plan, route: RouteModel): Directive[] {
  const { cache } = route;
  if (cache === undefined) return [];
  const { valid, staleFor, maxAnswerSize, backgroundUpdate } = cache;
  return [
    directive(`proxy_cache ${keptVariable(plan, route, cache)}`),
    directive(`proxy_cache_key ${key(route, cache)}`, 'GET and HEAD share'),
    ...(valid === undefined
      ? []
      : [directive(`proxy_cache_valid 200 301 308 ${valid}s`, 'of answers that do not say it themselves')]),
    directive(`proxy_no_cache ${longerThan(maxAnswerSize)}${staleFor > 0 ? ' $never_stale' : ''}`),
    directive('proxy_cache_max_range_offset 0', 'who asks for a part of what is not there has the API send no more'),
    directive('proxy_cache_revalidate on', 'by ETag and Last-Modified: 304 instead of the same again'),
    ...(staleFor > 0 && backgroundUpdate
      ? [directive('proxy_cache_background_update on', 'whoever comes first does not wait')]
      : []),
    directive('proxy_pass_header Date', "the API's own: who keeps it too counts from there, as nginx sends no Age"),
    directive('output_buffers 2 16k', 'no more memory than an answer of a backend takes'),
    ...(route.responseHeaders.some(([name]) => name.toLowerCase() === 'cache-status')
      ? []
      : [directive('add_header Cache-Status $cache_status always', 'what the cache did, to debug by')]),
  ];
}

/** The same where it is not of all tries alike: one request fetches, and nothing old is given before every try has failed. */
export function keptAnswersOfTry(
  { cache }: RouteModel,
  { first, last }: { first: boolean; last: boolean },
): Directive[] {
  if (cache === undefined) return [];
  return [
    ...(first
      ? [
          directive('proxy_cache_lock on', 'one request fetches what many ask for'),
          directive(
            `proxy_cache_lock_timeout ${lockTimeout}s`,
            'what turns out not to be kept makes requests wait for one another',
          ),
        ]
      : []),
    ...(cache.staleFor === 0
      ? []
      : [
          directive(
            `proxy_cache_use_stale updating timeout http_500 http_502 http_503 http_504${last ? ' error' : ''}`,
            last ? 'every try has failed' : 'an instance that is away does not count yet: there are more tries',
          ),
        ]),
  ];
}

/** As the first route that has it. */
function nameOf({ routes }: Plan, cache: CacheModel): string {
  return `cache_of_${routes.find((route) => route.cache === cache)?.name ?? ''}`;
}

function directoryOf(plan: Plan, cache: CacheModel): string {
  return `${plan.place.cacheDirectory}/${nameOf(plan, cache)}`;
}

/** In seconds. The size decides what goes; nginx's own 10 minutes would leave nothing for when the API is away. */
function inactive({ staleFor }: CacheModel): number {
  return Math.max(24 * 60 * 60, staleFor);
}

/** Headers of a request that keep it from the cache: those that say who asks, unless that is in the key or the API does not see it. */
function credentials({ requestHeaders }: RouteModel, { key: parts }: CacheModel): ('authorization' | 'cookie')[] {
  return (['authorization', 'cookie'] as const).filter(
    (header) =>
      !parts.some(({ kind, name }) => (kind === 'header' ? name.toLowerCase() : kind) === header) &&
      !requestHeaders.some(([name]) => name.toLowerCase() === header),
  );
}

/** Names the zone for requests whose answers may be kept. */
function keptVariable(plan: Plan, route: RouteModel, cache: CacheModel): string {
  const unless = credentials(route, cache);
  const name = nameOf(plan, cache).replaceAll('-', '_dash_').toLowerCase();
  return `$${name}${unless.length === 2 ? '' : `_without_${unless.join('') || 'credentials'}`}`;
}

function keptMaps(plan: Plan): Directive[] {
  const maps = new Map<string, Directive>();
  for (const route of plan.routes) {
    const { cache } = route;
    if (cache === undefined) continue;
    const variable = keptVariable(plan, route, cache);
    const headers = credentials(route, cache).map((header) => `$http_${header}`);
    const what = [...headers, '$accepted_upgrade', '$request_body', '$request_body_file'].join('');
    maps.set(
      variable,
      block(
        `map "${what}" ${variable}`,
        [directive(`"" ${nameOf(plan, cache)}`)],
        'without credentials, no WebSocket, and no body, which is in no key',
      ),
    );
  }
  return [...maps.values()];
}

/** No value has a line break, and no host a slash: what is told apart by its parts is told apart by the whole. */
function key(route: RouteModel, { key: parts }: CacheModel): string {
  const version = upstreamOf(route) === '$backend' ? '$backend ' : '';
  // What the API is told of who someone is tells answers apart, as what a client says of itself does.
  const proved = route.requestHeaders.flatMap(([name, value]) =>
    typeof value === 'object' ? [provedVariable(name, value)] : [],
  );
  const told = [...parts.map(keyVariable), ...proved].map((variable) => `\\n${variable}`);
  return `"$route ${version}$host$request_uri${told.join('')}"`;
}

/** For the script, without spaces and question marks. */
function encoded(path: string): string {
  return encodeURI(path).replaceAll('$', '%24').replaceAll('?', '%3F');
}

function longerThan(limit: number): string {
  return `$answer_longer_than_${size(limit)}`;
}
