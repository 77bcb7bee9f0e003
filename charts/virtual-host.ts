import { Construct } from 'constructs';
import type { Path } from '../model/matching';
import { inherited, type RouteOptions } from '../model/route-options';
import { asGiven, type Reader, type Table, withDefault } from '../validation/options';
import type { NginxProxy } from './nginx-proxy';
import type { IRouteTarget, Route, RouteHost } from './route';

/** A host beside that of the proxy. */
export interface HostOptions {
  /**
   * Options of the routes of this host that do not say otherwise; headers one by one.
   *
   * @default - those of the proxy
   */
  readonly routeDefaults?: RouteOptions;
}

export const hostOptions = {
  routeDefaults: withDefault({}, asGiven as Reader<RouteOptions>),
} satisfies Table<HostOptions>;

/** A DNS name of a proxy that has routes of its own. */
export class VirtualHost extends Construct implements RouteHost {
  /** Made by `addHost`. */
  constructor(
    readonly proxy: NginxProxy,
    readonly host: string,
    private readonly defaults: RouteOptions,
  ) {
    super(proxy, host);
  }

  get routeDefaults(): RouteOptions {
    return inherited(this.proxy.routeDefaults, this.defaults);
  }

  addRoute(path: string | Path, target: IRouteTarget, options: RouteOptions = {}): Route {
    return this.proxy.addRouteOf(this, path, target, options);
  }
}
