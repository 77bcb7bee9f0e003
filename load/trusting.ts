import { createSecureContext, type SecureContext } from 'node:tls';

/**
 * What the connections of one run share to trust these certificates. With a list of their own each has OpenSSL parse it, and the
 * garbage collector free what it made: at 300 requests a second that stopped the load for a tenth of a second, again and again.
 */
export function trusting(certificates: readonly string[] | undefined): { readonly secureContext?: SecureContext } {
  return certificates === undefined ? {} : { secureContext: createSecureContext({ ca: [...certificates] }) };
}
