import { rate as readRate, type Rate, type RateText, whole } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { instanceOf, knownValues, optional, type Reader, type Table } from '../../validation/options';
import { RequestKey } from '../load-balancing';

/** How many requests a limit lets through beside its rate. */
export interface RateLimitOptions {
  /**
   * How many requests may come at once beyond one, from 0 to 1000000; each makes room again as the rate says. What comes beyond them is
   * answered 429 at once: nothing is made to wait.
   *
   * @default - one less than the number of the rate: with `5/m` five may come at once, and then one every 12 s
   * @see https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req
   */
  readonly burst?: number;
}

export const rateLimitOptions = {
  burst: optional(whole(0, 1_000_000)),
} satisfies Table<RateLimitOptions>;

/** How often requests may come. */
export class RateLimit {
  private constructor(
    /** Whose requests count together. */
    readonly key: RequestKey,
    readonly rate: Rate,
    /** So many at once beyond one. */
    readonly burst: number,
  ) {}

  /**
   * So many requests of each client's address, in a second or a minute. Addresses that may be those of many clients are not limited
   * (`clients.unlimited` and `trustedProxies` of the proxy: the private networks by default).
   *
   * @example
   * edge.addRoute(Path.exact('/orders/checkout'), orders, { rateLimit: RateLimit.perClient('5/s', { burst: 10 }) });
   */
  static perClient(rate: RateText, options: RateLimitOptions = {}): RateLimit {
    return RateLimit.of('RateLimit.perClient', RequestKey.clientAddress(), rate, options);
  }

  /**
   * So many requests with the same key. Who leaves the header, cookie or argument out is limited by address instead, so that it is
   * no way around; whoever can make up keys has as many as it likes, so limit what the API accepts, and beside it the client. Of a
   * key longer than 48 bytes the last 48 count, in which tokens differ.
   *
   * @example
   * [RateLimit.per(RequestKey.header('X-Api-Key'), '100/s'), RateLimit.perClient('20/s')]
   */
  static per(key: RequestKey, rate: RateText, options: RateLimitOptions = {}): RateLimit {
    const name = 'RateLimit.per';
    return RateLimit.of(
      name,
      instanceOf(RequestKey, 'RequestKey.header("X-Api-Key")')(`${name} key`, key),
      rate,
      options,
    );
  }

  private static of(name: string, key: RequestKey, rateText: unknown, options: unknown): RateLimit {
    const rate = readRate(`${name} rate`, rateText);
    const { burst } = knownValues(record(name, options, '{ burst: 10 }'), rateLimitOptions, `${name} `);
    return new RateLimit(key, rate, burst ?? rate.requests - 1);
  }

  /** In seconds: how long one more request takes to have room. */
  get interval(): number {
    return Math.ceil((this.rate.unit === 's' ? 1 : 60) / this.rate.requests);
  }
}

/** One limit, or several which all have to hold; none if the list is empty. */
export const rateLimits: Reader<readonly RateLimit[]> = (option, given) => {
  const one = instanceOf(RateLimit, 'RateLimit.perClient("5/s")');
  const limits = Array.isArray(given) ? given.map((limit: unknown) => one(option, limit)) : [one(option, given)];
  const texts = limits.map(({ key, rate }) => JSON.stringify([key.source, rate]));
  const twice = limits.find((_, index) => texts.indexOf(texts[index] ?? '') !== index);
  if (twice === undefined) return limits;
  const { requests, unit } = twice.rate;
  throw new InvalidOption(option, `${requests}/${unit}`, 'is given twice for the same requests: take one out');
};
