import type { AuthTarget } from '../../model/auth/external';
import { externalServiceModel } from '../../model/routes/external-service';
import type { TargetModel } from '../../model/routes/route';
import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsLabelName } from '../../validation/names';
import { knownValues, type Values } from '../../validation/options';
import { authorityOf, serviceUrl, type ServiceUrl } from '../../validation/urls';
import type { NginxProxy } from '../proxy/nginx-proxy';
import { networksOf } from '../pods/pod-network-policy';
import {
  type externalLocalOptions,
  type ExternalServiceOptions,
  externalServiceOptions,
  type ExternalUrlOptions,
  externalUrlOptions,
} from './external-service-options';
import type { IRouteTarget, Route } from './route';

type Source =
  | ({ readonly kind: 'url'; readonly url: ServiceUrl } & Values<typeof externalUrlOptions>)
  | ({ readonly kind: 'service'; readonly service: string } & Values<typeof externalServiceOptions>);

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

  private connect(proxy: NginxProxy): TargetModel & { readonly kind: 'external' } {
    const { source } = this;
    if (source.kind === 'url') {
      proxy.externalPolicy.allowToNetworks(networksOf(source.url, source.networks), source.url.port);
      return targetByUrl(source.url, { ...source, certificateAuthority: source.caSecret });
    }
    const { namespace } = proxy;
    const own = namespace.name;
    const { namespace: where = own, port: ofService, podPort = ofService, service, keepAliveTimeout } = source;
    proxy.externalPolicy.allowToNamespace(where === own ? undefined : where, podPort);
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
