import { isIP, isIPv6 } from 'node:net';
import { ipAddress } from './addresses';
import { port } from './amounts';
import { InvalidOption } from './invalid-option';
import { hostName, urlPath } from './names';

/** Where a service is, and what stands before the paths that it is asked for. */
export interface ServiceUrl {
  readonly isSecure: boolean;
  /** A DNS name, or an address, in brackets if it is IPv6. */
  readonly host: string;
  readonly isAddress: boolean;
  readonly port: number;
  /** Without a slash at its end: empty for none. */
  readonly path: string;
}

/** The parts of a URL by which a service is asked for any path below it. */
export function serviceUrl(option: string, value: unknown): ServiceUrl {
  const text = typeof value === 'string' ? value : '';
  const [, scheme, authority = '', path = ''] = /^(https?):\/\/([^/?#\\]+)(\/[^?#]*)?$/.exec(text) ?? [];
  refuseMore(option, text);
  if (scheme === undefined) {
    throw new InvalidOption(
      option,
      value,
      'is not the URL of a service: give http:// or https:// in lower case, a host, and if need be a port and a path, such as "https://legacy.example.com"',
    );
  }
  const [, host = '', digits] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority) ?? [];
  const isSecure = scheme === 'https';
  return {
    isSecure,
    ...serviceHost(`${option} host`, host),
    port: digits === undefined ? usualPort(isSecure) : port(`${option} port`, wholeNumber(digits)),
    path: pathPrefix(`${option} path`, path),
  };
}

/** How the host of a URL is written in a request: with the port, unless it is the one that is left out. */
export function authorityOf({ isSecure, host, port: own }: ServiceUrl): string {
  return own === usualPort(isSecure) ? host : `${host}:${own}`;
}

function usualPort(isSecure: boolean): number {
  return isSecure ? 443 : 80;
}

/** What a URL may have, and this one must not; a password is not repeated. */
function refuseMore(option: string, text: string): void {
  if (/^[a-z]+:\/\/[^/?#]*@/i.test(text)) {
    throw new InvalidOption(
      option,
      text.replace(/\/\/[^/?#]*@/, '//…@'),
      'has a user, whom nginx would not send: take it out, and give requestHeaders: { Authorization: … } if it is needed',
    );
  }
  if (/[?#]/.test(text)) {
    throw new InvalidOption(option, text, "has a query or a fragment; the client's own query is sent: take it out");
  }
}

function serviceHost(option: string, text: string): Pick<ServiceUrl, 'host' | 'isAddress'> {
  const bare = /^\[(.*)\]$/.exec(text)?.[1];
  if (bare !== undefined || isIP(text) === 4) {
    if (bare !== undefined && (!isIPv6(bare) || bare.includes('%'))) {
      throw new InvalidOption(option, text, 'is not an IPv6 address: give one, such as "[2001:db8::1]"');
    }
    return { host: ipAddress(option, bare ?? text), isAddress: true };
  }
  return { host: hostName(option, text), isAddress: false };
}

/** Digits as a number, or the text itself, so that a message shows what was given. */
function wholeNumber(digits: string): number | string {
  return /^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : digits;
}

function pathPrefix(option: string, path: string): string {
  if (path === '' || path === '/') return '';
  urlPath(option, path);
  if (/\/(?:\.|%2e){1,2}(?:\/|$)|\/\/|%2f|%5c/i.test(path)) {
    throw new InvalidOption(
      option,
      path,
      'has an empty segment, one of dots, or an encoded slash, which servers read in different ways: take it out',
    );
  }
  return path.replace(/\/$/, '');
}
