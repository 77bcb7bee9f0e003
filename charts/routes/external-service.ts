import type { AuthTarget } from '../../model/auth/auth';
import { externalServiceModel } from '../../model/routes/external-service';
import type { TargetModel } from '../../model/routes/route';
import { backendTimes } from '../../model/timeline';
import { cidr } from '../../validation/addresses';
import { port, type TimeText } from '../../validation/amounts';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsLabelName, dnsSubdomainName } from '../../validation/names';
import {
  flag,
  group,
  knownValues,
  listOf,
  optional,
  type Table,
  type Values,
  withDefault,
} from '../../validation/options';
import { filePath } from '../../validation/text';
import { authorityOf, serviceUrl, type ServiceUrl } from '../../validation/urls';
import type { NginxProxy } from '../proxy/nginx-proxy';
import type { NetworkPeer } from '../pods/pod-network-policy';
import type { IRouteTarget, Route } from './route';

/** How an external service is reached where there is no cluster (`npm start`, `fairlead compose`). */
export interface ExternalLocalOptions {
  /**
   * The URL of what stands for it there; `localhost` is this machine.
   *
   * @default - its own URL; a Service of the cluster has none, and its routes answer 503
   */
  readonly url?: string;

  /**
   * The file (PEM) of the private CA that issues its certificate.
   *
   * @default - whatever this machine trusts; with `caSecret`, and no other `url`, its routes answer 503
   */
  readonly certificateAuthority?: string;
}

/** A service outside of the cluster. */
export interface ExternalUrlOptions {
  /**
   * The name of a Secret of the same namespace whose `ca.crt` holds the private CA of its certificate (PEM, several if need be). It
   * is mounted without anything else of the Secret, and nginx reads it when it starts: after a change,
   * `kubectl rollout restart` of the proxy's Deployment. A Secret that is not there keeps new proxies from starting.
   *
   * @default - the CAs that the image of nginx trusts, for https
   * @see https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_trusted_certificate
   */
  readonly caSecret?: string;

  /**
   * The networks (CIDR) that its addresses are in: the NetworkPolicy lets the proxies connect to these, on the port of the URL.
   *
   * @default - its address, if the URL has one; else every address but the link-local ones, where clouds keep credentials. Private networks are among them: a NetworkPolicy knows no names
   * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
   */
  readonly networks?: readonly string[];

  /**
   * Whether it learns who the client is: its cookies, `Authorization`, and address (`X-Forwarded-For`, `X-Real-IP`), and may set
   * cookies. Turn it off for a service of someone else.
   *
   * @default true
   */
  readonly identifiesClients?: boolean;

  /**
   * How long it keeps an idle connection open, in whole seconds. nginx gives its own up earlier, so that no request meets a
   * connection that is being closed.
   *
   * @default '5s' - what no server is known to go below
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout
   */
  readonly keepAliveTimeout?: TimeText;

  /**
   * How it is reached where there is no cluster.
   *
   * @default - by the same URL
   */
  readonly local?: ExternalLocalOptions;
}

/** A Service of the cluster that something else makes. */
export interface ExternalServiceOptions {
  /**
   * The namespace that it is in.
   *
   * @default - that of the proxy
   */
  readonly namespace?: string;

  /**
   * The port of the Service, for plain HTTP; of a headless one that of its pods.
   *
   * @default 80
   */
  readonly port?: number;

  /**
   * The port that its pods listen on (`targetPort`): a NetworkPolicy judges a connection once it leads to a pod. The proxies may
   * then connect to this port of every pod of its namespace.
   *
   * @default - `port`
   * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
   */
  readonly podPort?: number;

  /**
   * How long it keeps an idle connection open, in whole seconds.
   *
   * @default '5s' - what no server is known to go below
   * @see https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout
   */
  readonly keepAliveTimeout?: TimeText;

  /**
   * How it is reached where there is no cluster.
   *
   * @default - not at all: its routes answer 503
   */
  readonly local?: ExternalLocalOptions;
}

export const externalLocalOptions = {
  url: optional(serviceUrl),
  certificateAuthority: optional(filePath),
} satisfies Table<ExternalLocalOptions>;

const local = optional(group(externalLocalOptions, '{ url: "http://localhost:3001" }'));

export const externalUrlOptions = {
  caSecret: optional(dnsSubdomainName),
  networks: optional(networks),
  identifiesClients: withDefault(true, flag),
  keepAliveTimeout: backendTimes.keepAliveTimeout,
  local,
} satisfies Table<ExternalUrlOptions>;

export const externalServiceOptions = {
  namespace: optional(dnsLabelName),
  port: withDefault(80, port),
  podPort: optional(port),
  keepAliveTimeout: backendTimes.keepAliveTimeout,
  local,
} satisfies Table<ExternalServiceOptions>;

type Source =
  | ({ readonly kind: 'url'; readonly url: ServiceUrl } & Values<typeof externalUrlOptions>)
  | ({ readonly kind: 'service'; readonly service: string } & Values<typeof externalServiceOptions>);

/** Everywhere but on a link: there are no services, and the credentials of cloud machines (169.254.169.254). */
const everywhere: readonly NetworkPeer[] = [
  { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] },
  { cidr: '::/0', except: ['fe80::/10'] },
];

/**
 * A service that is not one of our backends: outside of the cluster, or another Service in it. The proxies start and serve all else while
 * it is away; its own routes answer 502 or 504 then.
 */
export class ExternalService implements IRouteTarget {
  private constructor(
    /** Its URL, or the name of the Service. */
    readonly name: string,
    readonly source: Source,
  ) {}

  /**
   * Outside of the cluster, by `http://` or `https://`, whose certificate has to be valid. Its addresses are what DNS says while nginx
   * runs; a path in the URL stands before every path that is asked for. It gets its own name as the `Host`, and the client's as
   * `X-Forwarded-Host`. The NetworkPolicy opens the URL's port to any address (`networks`).
   *
   * @example
   * edge.addRoute('/legacy', ExternalService.fromUrl('https://legacy.example.com'));
   */
  static fromUrl(url: string, options: ExternalUrlOptions = {}): ExternalService {
    const name = 'ExternalService.fromUrl';
    const where = serviceUrl(name, url);
    if (!where.isAddress && !where.host.includes('.')) {
      throw new InvalidOption(
        `${name} host`,
        where.host,
        'is a name without a domain, which the resolver of nginx does not complete: give the whole name, or ExternalService.fromServiceName(…) for a Service',
      );
    }
    refuseAddressOverTls(`${name} host`, where);
    const given = knownValues(record(name, options, '{ caSecret: "legacy-ca" }'), externalUrlOptions, `${name} `);
    if (given.caSecret !== undefined && !where.isSecure) {
      throw new InvalidOption(
        `${name} caSecret`,
        given.caSecret,
        'does nothing for http://: take it out, or give https://',
      );
    }
    refuseUnusedAuthority(name, given.local, where);
    return new ExternalService(url, { kind: 'url', url: where, ...given });
  }

  /**
   * Another Service of the cluster, by plain HTTP. It gets the client's `Host`, as backends do. Its pods have to let the proxies in,
   * if they have a NetworkPolicy, which in the namespace of the proxies they have.
   *
   * @example
   * edge.addRoute('/payments', ExternalService.fromServiceName('payments', { namespace: 'billing', podPort: 8080 }));
   */
  static fromServiceName(service: string, options: ExternalServiceOptions = {}): ExternalService {
    const name = 'ExternalService.fromServiceName';
    dnsLabelName(name, service);
    const given = knownValues(record(name, options, '{ namespace: "billing" }'), externalServiceOptions, `${name} `);
    refuseUnusedAuthority(name, given.local, undefined);
    return new ExternalService(service, { kind: 'service', service, ...given });
  }

  bindRoute(route: Route): TargetModel {
    route.connectExternal(this);
    return this.connect(route.proxy);
  }

  /** Called for each route that asks it who may use it. */
  bindAuth(route: Route): AuthTarget {
    route.authService = this;
    return this.connect(route.proxy);
  }

  private connect({ networkPolicy, namespace }: NginxProxy): TargetModel & { readonly kind: 'external' } {
    const { source } = this;
    if (source.kind === 'url') {
      networkPolicy.allowToNetworks(networksOf(source), source.url.port);
      return targetByUrl(source.url, { ...source, certificateAuthority: source.caSecret });
    }
    const own = namespace.name;
    const { namespace: where = own, port: ofService, podPort = ofService, service, keepAliveTimeout } = source;
    networkPolicy.allowToNamespace(where === own ? undefined : where, podPort);
    const host = `${service}.${where}.svc.${namespace.model.clusterDomain}`;
    return {
      kind: 'external',
      service: externalServiceModel({ host, port: ofService, isFollowed: true, tls: undefined, keepAliveTimeout }),
      pathPrefix: '',
      requestHeaders: [],
      responseHeaders: [],
    };
  }
}

/** What a route leads to that is reached by a URL. */
export function targetByUrl(
  url: ServiceUrl,
  options: {
    readonly certificateAuthority: string | undefined;
    readonly keepAliveTimeout: number;
    readonly identifiesClients: boolean;
  },
): TargetModel & { readonly kind: 'external' } {
  const { certificateAuthority, keepAliveTimeout, identifiesClients } = options;
  const { host, isAddress, isSecure, path } = url;
  const anonymous = (names: readonly string[]): [string, false][] =>
    identifiesClients ? [] : names.map((name) => [name, false]);
  return {
    kind: 'external',
    service: externalServiceModel({
      host,
      port: url.port,
      isFollowed: !isAddress,
      tls: isSecure ? { serverName: host, certificateAuthority } : undefined,
      keepAliveTimeout,
    }),
    pathPrefix: path,
    requestHeaders: [
      ['Host', authorityOf(url)],
      ...anonymous(['Cookie', 'Authorization', 'X-Forwarded-For', 'X-Real-IP']),
    ],
    responseHeaders: anonymous(['Set-Cookie']),
  };
}

function networksOf({ url, networks: given }: Source & { readonly kind: 'url' }): readonly NetworkPeer[] {
  if (given !== undefined) return given.map((network) => ({ cidr: network }));
  if (!url.isAddress) return everywhere;
  const address = url.host.replace(/^\[(.*)\]$/, '$1');
  return [{ cidr: `${address}/${address.includes(':') ? 128 : 32}` }];
}

/** nginx compares the names of a certificate, and none of its addresses (nginx/nginx#1363). */
function refuseAddressOverTls(option: string, { isSecure, isAddress, host }: ServiceUrl): void {
  if (!isSecure || !isAddress) return;
  throw new InvalidOption(
    option,
    host,
    'is an address, which nginx finds in no certificate: give the DNS name that the certificate has',
  );
}

function refuseUnusedAuthority(
  name: string,
  given: Values<typeof externalLocalOptions> | undefined,
  own: ServiceUrl | undefined,
): void {
  if (given?.url !== undefined) refuseAddressOverTls(`${name} local.url host`, given.url);
  const url = given?.url ?? own;
  if (given?.certificateAuthority === undefined || url?.isSecure === true) return;
  throw new InvalidOption(
    `${name} local.certificateAuthority`,
    given.certificateAuthority,
    'does nothing without https://: take it out, or give a local.url of https://',
  );
}

function networks(option: string, given: unknown): string[] {
  const all = listOf(cidr, '["203.0.113.0/24"]')(option, given);
  if (all.length > 0) return all;
  throw new InvalidOption(
    option,
    given,
    'is empty, and lets the proxies connect to nobody: give a network, or leave it out',
  );
}
