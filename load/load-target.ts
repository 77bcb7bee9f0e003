import { createSecureContext, type SecureContext } from 'node:tls';
import { InvalidOption } from '../validation/invalid-option';

/** Where load goes, taken apart for a client that neither resolves names nor changes the address family. */
export interface LoadTarget {
  /** By address, so that no look-up and no second address family takes part in what is measured. */
  readonly origin: string;
  /** The `Host` header, from which the TLS server name follows. */
  readonly host: string;
}

/** Refuses every target that is not this machine: load belongs nowhere else. */
export function loadTarget(url: string): LoadTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new InvalidOption('url', url, 'is not an address of HTTP: give one such as "https://localhost:8443"');
  }
  if (!['localhost', '127.0.0.1'].includes(parsed.hostname)) {
    throw new InvalidOption('url', url, 'is not on this machine: give localhost or 127.0.0.1');
  }
  const port = parsed.port === '' ? '' : `:${parsed.port}`;
  return { origin: `${parsed.protocol}//127.0.0.1${port}`, host: parsed.host };
}

/**
 * What the connections of one run share to trust these certificates. With a list of their own each has OpenSSL parse it, and the
 * garbage collector free what it made: at 300 requests a second that stopped the load for a tenth of a second, again and again.
 */
export function trusting(certificates: readonly string[] | undefined): { readonly secureContext?: SecureContext } {
  return certificates === undefined ? {} : { secureContext: createSecureContext({ ca: [...certificates] }) };
}

/** The item whose turn it is. */
export function inTurn<T>(list: readonly T[], turn: number): T {
  const item = list[turn % list.length];
  if (item === undefined) throw new Error('a load run has connections to choose from');
  return item;
}
