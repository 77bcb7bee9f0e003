import { InvalidOption } from '../../validation/invalid-option';
import { headerName } from '../../validation/names';
import { oneLine } from '../../validation/text';

export const certificateParts = ['subject', 'issuer', 'serial', 'fingerprint', 'certificate'] as const;

/** What of the certificate of a client a header may be. */
export type CertificatePart = (typeof certificateParts)[number];

/** The value of a header that follows from who the client has proved to be. */
export type ProvedValue =
  /** By a claim of its token, or by a header of the answer of who was asked. */
  | { readonly proved: 'claim' | 'answer' }
  /** By its certificate. */
  | { readonly proved: 'certificate'; readonly part: CertificatePart };

/** What a backend gets in the place of what a client sent; false: nothing. */
export type RequestHeader = readonly [name: string, value: string | false | ProvedValue];

/** Headers of answers that belong to the message's framing or to nginx, which a second value would break. */
const reservedInAnswers = new Set([
  'accept-ranges',
  'alt-svc',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'grpc-message',
  'grpc-status',
  'keep-alive',
  'proxy-authenticate',
  'server',
  'set-cookie',
  'strict-transport-security',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'vary',
  'x-content-type-options',
  'x-request-id',
]);

/** Headers of requests that belong to the message's framing, or that nginx tells the API about the client. */
const reservedInRequests = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
]);

/** The value of a response header that HTTP and nginx carry as it is. @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
export function responseHeader(option: string, name: string, value: unknown): string {
  return header(option, name, value, reservedInAnswers);
}

/** The same of a request header. */
export function requestHeader(option: string, name: string, value: unknown): string {
  return header(option, name, value, reservedInRequests);
}

function header(option: string, name: string, value: unknown, reserved: ReadonlySet<string>): string {
  headerName(option, name);
  if (reserved.has(name.toLowerCase())) {
    throw new InvalidOption(option, name, 'is set by nginx or the API itself: take it out');
  }
  const text = oneLine(option, value);
  if (text === '' || text !== text.trim()) {
    throw new InvalidOption(
      option,
      value,
      `is empty or has white space around it, which HTTP drops from ${name}: trim it`,
    );
  }
  return text;
}
