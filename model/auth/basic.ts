import { dnsSubdomainName, objectKey } from '../../validation/names';
import { flag, group, optional, required, type Table, withDefault } from '../../validation/options';
import type { RequestHeader } from '../routes/headers';
import { type AuthFile, type AuthLocalOptions, authLocalOptions } from './auth-file';
import { realm } from './realm';

export interface BasicAuthModel {
  readonly kind: 'basic';
  /** What a client is told that it asks the password for. */
  readonly realm: string;
  /** Names and hashed passwords. */
  readonly file: AuthFile;
  /** Headers of requests that are set or taken away, below those of the route. */
  readonly requestHeaders: readonly RequestHeader[];
}

/** User names and passwords. */
export interface BasicAuthOptions {
  /**
   * The name of a Secret of the proxy's namespace, which is mounted and never read by cdk8s: no password is in `dist/`. A changed one holds
   * within a minute or two, without a restart. While it is not there, or has no such entry, every request of the route is answered 500;
   * other routes are served, and new proxies start.
   *
   * @see https://kubernetes.io/docs/concepts/configuration/secret/
   */
  readonly secret: string;

  /**
   * The entry of the Secret that holds names and hashed passwords, a line each, as `htpasswd` and `openssl passwd -apr1` write them. nginx
   * hashes at each request, and all requests of a worker wait for that: `-apr1` is a thousand rounds of MD5; bcrypt is slow on purpose, and
   * twice as slow with each step of its cost.
   *
   * @default 'auth'
   * @see https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html#auth_basic_user_file
   */
  readonly key?: string;

  /**
   * What a browser says that the password is for: printable ASCII, 100 characters at most.
   *
   * @default 'Restricted'
   * @see https://www.rfc-editor.org/rfc/rfc7617#section-2
   */
  readonly realm?: string;

  /**
   * Whether the backend gets the header `Authorization`, and so the password.
   *
   * @default false
   */
  readonly passAuthorization?: boolean;

  /**
   * What stands for the Secret where there is no cluster.
   *
   * @default - nothing: its routes answer 500 there
   */
  readonly local?: AuthLocalOptions;
}

export const basicAuthOptions = {
  secret: required(dnsSubdomainName),
  key: withDefault('auth', objectKey),
  realm: withDefault('Restricted', realm),
  passAuthorization: withDefault(false, flag),
  local: optional(group(authLocalOptions, '{ file: "htpasswd" }')),
} satisfies Table<BasicAuthOptions>;
