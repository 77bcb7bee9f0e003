import { backendTimes } from '../../model/timeline';
import { cidr } from '../../validation/addresses';
import { port, type TimeText } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import { dnsLabelName, dnsSubdomainName } from '../../validation/names';
import { flag, group, listOf, optional, type Table, withDefault } from '../../validation/options';
import { filePath } from '../../validation/text';
import { serviceUrl } from '../../validation/urls';

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
  certificateAuthority: optional(filePath('ca.crt')),
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

function networks(option: string, given: unknown): string[] {
  const all = listOf(cidr, '["203.0.113.0/24"]')(option, given);
  if (all.length > 0) return all;
  throw new InvalidOption(
    option,
    given,
    'is empty, and lets the proxies connect to nobody: give a network, or leave it out',
  );
}
