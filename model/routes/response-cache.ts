import { bytes, seconds, type SizeText, type TimeText } from '../../validation/amounts';
import { list, record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import {
  flag,
  instanceOf,
  knownValues,
  optional,
  type Reader,
  type Table,
  withDefault,
} from '../../validation/options';
import { RequestKey } from '../load-balancing';

/** What is kept of the answers of a route, and for how long. */
export interface ResponseCacheOptions {
  /**
   * How much all answers together take on the disk of one proxy, from 1m to 1024g; beyond that, those go that were not asked for longest. Each
   * proxy has as much on its node: the volume has a limit that leaves room for what is just being fetched. One key for every 8 KiB is kept in
   * memory, of which 16 MiB are the most (130000 answers).
   *
   * @default '256m'
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_path
   */
  readonly size?: SizeText;

  /**
   * The largest answer that is kept, no larger than `size`. One that is larger, or does not say how large it is (no `Content-Length`), is passed on
   * as without a cache: nobody could say what it would take on the disk.
   *
   * @default '1m'
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_no_cache
   */
  readonly maxAnswerSize?: SizeText;

  /**
   * How long an answer of 200, 301 or 308 is fresh that has neither `Cache-Control: max-age` (or `s-maxage`) nor `Expires`, in whole seconds. What the API says itself
   * comes first, of any status.
   *
   * @default - answers that do not say so are not kept
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_valid
   */
  readonly valid?: TimeText;

  /**
   * How long after that an answer may still be given when the API does not answer or answers 500, 502, 503 or 504, and to whoever asks while another
   * request is fetching the new one; in whole seconds, and up to two minutes longer. '0s' turns both off. An answer with
   * `must-revalidate` or `proxy-revalidate` must not be given so, and is kept with '0s' alone.
   *
   * @default '10m'
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_use_stale
   */
  readonly staleFor?: TimeText;

  /**
   * Whether nobody waits when an answer is no longer fresh: whoever asks first gets the old one too, and nginx asks the API meanwhile. Then an
   * answer that is seldom asked for may be as old as `staleFor` allows. A client of HTTP/1.1 waits with its next request on
   * that connection until the API has answered.
   *
   * @default false
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_background_update
   */
  readonly backgroundUpdate?: boolean;

  /**
   * What else tells answers apart, beside the host, the path and the query string: headers and cookies of the request. Requests with
   * `Authorization` or `Cookie` pass the cache by, unless a key of that header, or of a cookie, stands here, or the route does not pass the header on
   * (`requestHeaders: { Cookie: false }`). What else the API tells its clients by (`X-Api-Key`) has to stand here, or in the `Vary` of its answers.
   *
   * @default - nothing
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_key
   */
  readonly key?: readonly RequestKey[];
}

/** A header or a cookie. */
type KeySource = Extract<RequestKey['source'], { readonly name: string }>;

/** A cache whose every value is known; the same object is the same cache, whichever routes have it. */
export interface CacheModel {
  /** Bytes. */
  readonly size: number;
  readonly maxAnswerSize: number;
  /** In seconds; undefined if answers have to say it. */
  readonly valid: number | undefined;
  readonly staleFor: number;
  readonly backgroundUpdate: boolean;
  readonly key: readonly KeySource[];
}

export const responseCacheOptions = {
  size: withDefault('256m', size),
  maxAnswerSize: withDefault('1m', answerSize),
  valid: optional(seconds({ min: '1s', max: '365d' })),
  staleFor: withDefault('10m', seconds({ max: '30d' })),
  backgroundUpdate: withDefault(false, flag),
  key: withDefault([], cacheKeys),
} satisfies Table<ResponseCacheOptions>;

/** Answers that nginx keeps, to give them again without the API. */
export class ResponseCache {
  private constructor(
    /** Undefined if nothing is kept. */
    readonly model: CacheModel | undefined,
  ) {}

  /**
   * Answers to GET and HEAD are kept on the disk of each proxy, for the same host, path and query string. Which, the API says by `Cache-Control`, `Expires` and `Vary`: nothing
   * is kept of an answer with `Set-Cookie`, `private`, `no-store` or `no-cache`, nor of a request with credentials or a body. Each
   * proxy keeps its own, and begins with nothing: a rollout of the proxies asks the API anew. Routes that are given the same object share it.
   *
   * @example
   * edge.addRoute('/products', catalog, { cache: ResponseCache.of({ valid: '1m', staleFor: '1h' }) });
   */
  static of(options: ResponseCacheOptions = {}): ResponseCache {
    const name = 'ResponseCache.of';
    const model = knownValues(record(name, options, '{ valid: "1m" }'), responseCacheOptions, `${name} `);
    if (model.maxAnswerSize > model.size) {
      throw new InvalidOption(
        `${name} maxAnswerSize`,
        options.maxAnswerSize,
        'is more than all answers together may take: give no more than size',
      );
    }
    if (model.backgroundUpdate && model.staleFor === 0) {
      throw new InvalidOption(
        `${name} backgroundUpdate`,
        true,
        'does nothing while staleFor is 0s: take it out, or give staleFor',
      );
    }
    return new ResponseCache(model);
  }

  /** Nothing is kept, whatever `routeDefaults` say. */
  static none(): ResponseCache {
    return new ResponseCache(undefined);
  }
}

function size(option: string, given: unknown): number {
  return bytes(option, given, { min: '1m', max: '1024g' });
}

function answerSize(option: string, given: unknown): number {
  return bytes(option, given, { max: '1024g' });
}

const example = '[RequestKey.header("Accept-Language")]';

/** Headers and cookies, each once. */
function cacheKeys(option: string, given: unknown): KeySource[] {
  const one: Reader<RequestKey> = instanceOf(RequestKey, 'RequestKey.header("Accept-Language")');
  const sources = list(option, given, example).map((key) => {
    const { source } = one(option, key);
    if (source.kind === 'header' || source.kind === 'cookie') return source;
    throw new InvalidOption(
      option,
      source.kind,
      source.kind === 'clientAddress'
        ? 'would keep an answer for each client: give headers and cookies'
        : 'is part of the key already, as the whole path and query string are: take it out',
    );
  });
  const texts = sources.map(({ kind, name }) => `${kind} ${kind === 'header' ? name.toLowerCase() : name}`);
  const twice = sources.find((_, index) => texts.indexOf(texts[index] ?? '') !== index);
  if (twice === undefined) return sources;
  throw new InvalidOption(option, twice.name, 'is given twice: take one out');
}
