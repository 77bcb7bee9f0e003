import { whole } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { knownValues, type Table, withDefault } from '../../validation/options';
import type { RouteBackend } from './route';

/** What copies of requests can be sent to: a Backend, or a version of one. */
export interface IMirrorTarget {
  /** Called for each route whose requests are copied: lets the proxy connect. */
  bindMirror(route: object): RouteBackend;
}

/** How many requests are copied. */
export interface MirrorOptions {
  /**
   * How many of 100 requests are copied, a whole number from 1 to 100; chance names them.
   *
   * @default 100
   * @see https://nginx.org/en/docs/http/ngx_http_split_clients_module.html
   */
  readonly percent?: number;
}

export const mirrorOptions = {
  percent: withDefault(100, whole(1, 100)),
} satisfies Table<MirrorOptions>;

/** Who gets copies of the requests of a route beside who answers them. */
export class Mirror {
  private constructor(
    /** Undefined if nobody does. */
    readonly target: IMirrorTarget | undefined,
    readonly percent: number,
  ) {}

  /**
   * A backend, usually a version: it is asked what the client asked, with the same method, path, headers and body, and with
   * `X-Mirrored: true`; its answer is dropped. It should have data of its own: a copied POST does what a POST does.
   *
   * @example
   * const next = orders.addVersion('next', { image: 'ghcr.io/acme/orders:2.0.0' });
   * edge.addRoute('/orders', orders, { mirror: Mirror.to(next, { percent: 10 }) });
   */
  static to(target: IMirrorTarget, options: MirrorOptions = {}): Mirror {
    const name = 'Mirror.to';
    const { percent } = knownValues(record(name, options, '{ percent: 10 }'), mirrorOptions, `${name} `);
    if (typeof (target as Partial<IMirrorTarget> | null | undefined)?.bindMirror !== 'function') {
      throw new InvalidOption(
        `${name} target`,
        typeof target === 'object' ? '(object)' : target,
        'is not a Backend: give one, or a version of one',
      );
    }
    return new Mirror(target, percent);
  }

  /** Nobody, whatever `routeDefaults` say. */
  static none(): Mirror {
    return new Mirror(undefined, 0);
  }
}
