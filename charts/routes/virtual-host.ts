import { Construct } from 'constructs';
import type { Path } from '../../model/routes/matching';
import { inherited, type RouteOptions } from '../../model/routes/route-options';
import { asGiven, instanceOf, optional, type Reader, type Table, withDefault } from '../../validation/options';
import { Certificate, type ProxyTlsSecret } from '../proxy/certificate';
import type { NginxProxy } from '../proxy/nginx-proxy';
import type { IRouteTarget, Route, RouteHost } from './route';

/** A host beside that of the proxy. */
export interface HostOptions {
  /**
   * The certificate that clients of this host see, renewed by itself. Hosts that are given the same one share it. A request that comes
   * on a connection for a host of another certificate is answered 421. A new proxy waits up to 11 minutes for a good certificate, and
   * then serves its other hosts without.
   *
   * @default - that of the proxy
   * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.20
   */
  readonly certificate?: Certificate;

  /**
   * Options of the routes of this host that do not say otherwise; headers one by one.
   *
   * @default - those of the proxy
   */
  readonly routeDefaults?: RouteOptions;
}

export const hostOptions = {
  certificate: optional(instanceOf(Certificate, 'Certificate.fromSecret("admin-tls")')),
  routeDefaults: withDefault({}, asGiven as Reader<RouteOptions>),
} satisfies Table<HostOptions>;

/** A DNS name of a proxy that has routes of its own. */
export class VirtualHost extends Construct implements RouteHost {
  /** Undefined where the certificate is that of another host, or is in a Secret that something else makes. */
  tlsSecret: ProxyTlsSecret | undefined;

  /** Made by `addHost`. */
  constructor(
    readonly proxy: NginxProxy,
    readonly host: string,
    private readonly defaults: RouteOptions,
    /** What its certificate is called: the host that was given it first. Undefined for that of the proxy. */
    readonly certificate: string | undefined,
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
