import { seconds, type TimeText } from '../validation/amounts';
import { record } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { headerName, variableName } from '../validation/names';
import { knownValues, optional, type Table } from '../validation/options';

/** What of a request tells clients apart: the same key, the same choice. */
export class RequestKey {
  private constructor(
    /** What nginx finds it by. */
    readonly source:
      | { readonly kind: 'clientAddress' | 'uri' }
      | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string },
  ) {}

  /** The address of the client, as `trustedProxies` have it. */
  static clientAddress(): RequestKey {
    return new RequestKey({ kind: 'clientAddress' });
  }

  /** The path with its query string, as the client wrote it. */
  static uri(): RequestKey {
    return new RequestKey({ kind: 'uri' });
  }

  /** A header of the request; requests without it have one key. */
  static header(name: string): RequestKey {
    return new RequestKey({ kind: 'header', name: headerName('RequestKey.header', name) });
  }

  /** A cookie of the request; requests without it have one key. */
  static cookie(name: string): RequestKey {
    return new RequestKey({ kind: 'cookie', name: variableName('RequestKey.cookie', name) });
  }

  /** An argument of the query string; requests without it have one key. */
  static query(name: string): RequestKey {
    return new RequestKey({ kind: 'query', name: variableName('RequestKey.query', name) });
  }
}

/** For how long a client keeps its pod. */
export interface StickyCookieOptions {
  /**
   * How long a browser keeps the cookie.
   *
   * @default - until it is closed
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#sticky_cookie
   */
  readonly expires?: TimeText;
}

export const stickyCookieOptions = {
  expires: optional(seconds({ min: '1s', max: '365d' })),
} satisfies Table<StickyCookieOptions>;

/** How a proxy chooses the instance of a backend for a request. */
export class LoadBalancing {
  private constructor(
    readonly method: 'leastConnections' | 'roundRobin' | 'randomOfTwo' | 'hash' | 'stickyCookie',
    /** What a hash goes by. */
    readonly key?: RequestKey,
    /** In which a client is told its instance; expires in seconds. */
    readonly cookie?: { readonly name: string; readonly expires: number | undefined },
  ) {}

  /** In turn when idle, and to an idle instance when not. @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#least_conn */
  static leastConnections(): LoadBalancing {
    return new LoadBalancing('leastConnections');
  }

  /** In turn, however busy an instance is. @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#upstream */
  static roundRobin(): LoadBalancing {
    return new LoadBalancing('roundRobin');
  }

  /** The less busy of two that chance names: for many proxies, which do not know of each other's requests. @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#random */
  static randomOfTwo(): LoadBalancing {
    return new LoadBalancing('randomOfTwo');
  }

  /**
   * The instance that a cookie names, which nginx sets with the first answer (`Secure`, `HttpOnly`, `SameSite=Lax`): a client
   * stays with its pod for as long as that lives, however many come or go beside it. It is the same through every proxy.
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#sticky_cookie
   */
  static stickyCookie(name: string, options: StickyCookieOptions = {}): LoadBalancing {
    const of = 'LoadBalancing.stickyCookie';
    const { expires } = knownValues(record(of, options, '{ expires: "1h" }'), stickyCookieOptions, `${of} `);
    return new LoadBalancing('stickyCookie', undefined, { name: variableName(of, name), expires });
  }

  /** Always the same instance for a key, through every proxy; an instance more or less moves few keys. @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#hash */
  static hash(key: RequestKey): LoadBalancing {
    if (key instanceof RequestKey) return new LoadBalancing('hash', key);
    throw new InvalidOption('LoadBalancing.hash', key, 'is not a key: give one, such as RequestKey.cookie("session")');
  }
}
