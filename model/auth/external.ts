import { seconds, type TimeText } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import { urlPath } from '../../validation/names';
import { group, listOf, optional, required, type Table, withDefault } from '../../validation/options';
import type { ExternalServiceModel } from '../routes/external-service';
import { type RequestHeader, requestHeader } from '../routes/headers';

export interface ExternalAuthModel {
  readonly kind: 'external';
  /** The backend or the service that is asked. */
  readonly target: AuthTarget;
  readonly path: string;
  /** In seconds. */
  readonly timeout: number;
  /** Headers of the client that it gets. */
  readonly forwardHeaders: readonly string[];
  /** Headers of its answer that backends get. */
  readonly responseHeaders: readonly string[];
  /** Where a browser is led that it does not know. @default - nowhere: it is answered 401 as all others */
  readonly signIn?: SignInModel;
  readonly requestHeaders: readonly RequestHeader[];
}

/** A page where people sign in. */
export interface SignInModel {
  /** A path of the same host, or a URL. */
  readonly url: string;
  /** The argument of its query that is the address to come back to. */
  readonly returnTo: string;
}

/** A service that decides who may go on. */
export type AuthTarget =
  | { readonly kind: 'backend'; readonly backend: string }
  | {
      readonly kind: 'external';
      readonly service: ExternalServiceModel;
      readonly pathPrefix: string;
      readonly requestHeaders: readonly RequestHeader[];
    }
  /** It is not where the proxy runs. */
  | { readonly kind: 'nowhere' };

/** What can be asked who may go on: a Backend, or an ExternalService. */
export interface IAuthTarget {
  /** Called for each route that asks it: lets the proxy connect. */
  bindAuth(route: object): AuthTarget;
}

/** A service that is asked before each request. */
export interface ExternalAuthOptions {
  /**
   * The path that it is asked by, with GET and without a body. It is told whom it is about by `X-Forwarded-Method`, `X-Forwarded-Uri`, `X-Forwarded-Host`,
   * `X-Forwarded-Proto` and `X-Forwarded-For`. Its 2xx lets the request go on, 401 (with its `WWW-Authenticate`) and 403 are the
   * answer; anything else is answered 500.
   *
   * @default '/'
   * @see https://nginx.org/en/docs/http/ngx_http_auth_request_module.html
   */
  readonly path?: string;

  /**
   * How long it may take to answer, in whole seconds; every request of the route waits for it. What takes longer is answered 500.
   *
   * @default '5s'
   */
  readonly timeout?: TimeText;

  /**
   * Headers of the client that it gets, and no others.
   *
   * @default ['Authorization', 'Cookie']
   */
  readonly forwardHeaders?: readonly string[];

  /**
   * Headers of its answer that the backend gets with the request, such as `['X-Auth-Request-User']`. No client can send them, on any route of the
   * proxy.
   *
   * @default []
   */
  readonly responseHeaders?: readonly string[];

  /**
   * Where people sign in: where it answers 401, a browser that asks for a page (GET or HEAD, with `text/html` in `Accept`) is led there (302), with
   * the address that it asked for. All others are answered 401.
   *
   * @default - nowhere: browsers are answered 401 too
   */
  readonly signIn?: SignInOptions;
}

/** A page where people sign in. */
export interface SignInOptions {
  /**
   * A URL (`https://…`), or a path of the same host, whose route then has to be open to everyone (`Auth.none()`). It may have a query, whose arguments stay.
   */
  readonly url: string;

  /**
   * The argument that is added to its query, with the whole address that was asked for, percent-encoded. It is always one of a host of the proxy; whoever
   * leads back there has to look at it all the same, as anybody can make up such a link.
   *
   * @default 'rd'
   */
  readonly returnTo?: string;
}

export const signInOptions = {
  url: required(signInUrl),
  returnTo: withDefault('rd', argumentName),
} satisfies Table<SignInOptions>;

export const externalAuthOptions = {
  path: withDefault('/', urlPath),
  timeout: withDefault('5s', seconds({ min: '1s', max: '60s' })),
  forwardHeaders: withDefault(['Authorization', 'Cookie'], headerNames),
  responseHeaders: withDefault([], headerNames),
  signIn: optional(group(signInOptions, '{ url: "/login" }')),
} satisfies Table<ExternalAuthOptions>;

function headerNames(option: string, given: unknown): readonly string[] {
  const all = listOf((name, header) => {
    requestHeader(name, String(header), 'x');
    return String(header);
  }, '["X-User"]')(option, given);
  return [...new Map(all.map((header) => [header.toLowerCase(), header])).values()];
}

/** As a Location header can have it, without a fragment, which would swallow what is added. */
function signInUrl(option: string, given: unknown): string {
  const isUrl =
    /^(?:https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?)?\/(?!\/)[\w\-.~!&'()*+,;=:@%$/]*(?:\?[\w\-.~!&'()*+,;=:@%$/?]*)?$/;
  if (typeof given === 'string' && given.length <= 1024 && isUrl.test(given)) return given;
  throw new InvalidOption(
    option,
    typeof given === 'object' ? '(object)' : given,
    'is neither a path nor an https URL with one: give a page where people sign in, such as "https://id.example.com/login"',
  );
}

function argumentName(option: string, given: unknown): string {
  if (typeof given === 'string' && /^[\w.-]{1,50}$/.test(given)) return given;
  throw new InvalidOption(
    option,
    typeof given === 'object' ? '(object)' : given,
    'is not the name of an argument: give letters, digits, "-", "_" and ".", such as "rd"',
  );
}
