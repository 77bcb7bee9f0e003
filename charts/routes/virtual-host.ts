import { Construct } from 'constructs';
import { certificatesOf } from '../../model/proxy';
import type { Path } from '../../model/routes/matching';
import { inherited, readRouteDefaults, type RouteOptions } from '../../model/routes/route-options';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { hostName } from '../../validation/names';
import {
  asGiven,
  instanceOf,
  knownValues,
  optional,
  type Reader,
  type Table,
  withDefault,
} from '../../validation/options';
import { patchWhatIsWritten } from '../patches';
import {
  Certificate,
  isSameCertificate,
  type ProxyTlsSecret,
  refuseOtherHosts,
  type TlsObjects,
  tlsObjects,
} from '../proxy/certificate';
import type { NginxProxy } from '../proxy/nginx-proxy';
import { type IRouteTarget, Route, type RouteHost } from './route';

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

/** The hosts of a proxy, and the certificate of each: those that are given the same one share it. */
export class ProxyHosts {
  /** Certificates that are not the proxy's, each with the host that was given it first. */
  private readonly certificates: { readonly certificate: Certificate; readonly name: string }[] = [];

  constructor(
    private readonly proxy: NginxProxy,
    /** Labels of what keeps a certificate. */
    private readonly labels: Readonly<Record<string, string>>,
  ) {}

  /** Every host with its routes; the first one is that of the proxy. */
  get all() {
    const { settings } = this.proxy;
    const own = [...new Set([settings.host, ...settings.additionalHosts])] as [string, ...string[]];
    return [
      { names: own, routes: routesOf(this.proxy) },
      ...this.others.map((other) => ({
        names: [other.host] as const,
        certificate: other.certificate,
        routes: routesOf(other),
      })),
    ];
  }

  /** Makes what keeps the certificate of the proxy, unless something else does. */
  keepOwnCertificate(): TlsObjects {
    return this.keep(this.proxy, this.proxy.settings.certificate, undefined);
  }

  /** Adds a host; what is wrong with its options is said before anything is made. */
  add(host: string, options: HostOptions): VirtualHost {
    const name = hostName('host', host);
    if (this.all.some(({ names }) => (names as readonly string[]).includes(name))) {
      throw new InvalidOption('host', name, 'is a host of this proxy already: give each once');
    }
    const { certificate = this.proxy.settings.certificate, routeDefaults } = knownValues(
      record('options', options, '{ routeDefaults: {} }'),
      hostOptions,
      '',
    );
    readRouteDefaults(routeDefaults);
    refuseOtherHosts(certificate, [name]);
    if (isSameCertificate(certificate, this.proxy.settings.certificate)) {
      return new VirtualHost(this.proxy, name, routeDefaults, undefined);
    }
    const shared = this.certificates.find((known) => isSameCertificate(known.certificate, certificate));
    if (shared !== undefined) return new VirtualHost(this.proxy, name, routeDefaults, shared.name);
    return this.addWithCertificate(name, routeDefaults, certificate);
  }

  private get others(): readonly VirtualHost[] {
    return this.proxy.node.children.filter((child) => child instanceof VirtualHost);
  }

  private addWithCertificate(name: string, routeDefaults: RouteOptions, certificate: Certificate): VirtualHost {
    if (certificate.source.kind !== 'secret' && this.secretName(name).length > longestObjectName) {
      throw new InvalidOption(
        'host',
        name,
        `is too long for the name of its Secret, "${this.proxy.node.id}-tls.…": make that yourself, and give it by Certificate.fromSecret`,
      );
    }
    const host = new VirtualHost(this.proxy, name, routeDefaults, name);
    const { secretName, secret } = this.keep(host, certificate, name);
    patchWhatIsWritten(host);
    this.proxy.deployment.mountCertificate(name, secretName);
    this.certificates.push({ certificate, name });
    host.tlsSecret = secret;
    return host;
  }

  /** Makes what keeps a certificate, by what it is called. */
  private keep(scope: Construct, certificate: Certificate, called: string | undefined): TlsObjects {
    const { model } = this.proxy.namespace;
    return tlsObjects(scope, certificate, {
      name: this.secretName(called),
      labels: this.labels,
      hosts: () => certificatesOf(this.all).find(({ name }) => name === called)?.hosts ?? [],
      namespace: { namespace: model.name, labels: { ...model.labels } },
    });
  }

  /** The name of a Secret of ours. Those of hosts have a dot, which no id of a proxy has. */
  private secretName(called: string | undefined): string {
    const own = `${this.proxy.node.id}-tls`;
    return called === undefined ? own : `${own}.${called}`;
  }
}

const longestObjectName = 253;

function routesOf(host: RouteHost): readonly Route[] {
  return host.node.children.filter((child) => child instanceof Route);
}
