import { InvalidOption } from '../validation/invalid-option';
import { quote } from './directive';

/** Headers that belong to the message's framing or to nginx, which a second value would break. */
const reserved = new Set([
  'accept-ranges',
  'alt-svc',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
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

/** The value of a response header that HTTP and nginx carry as it is. @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
export function responseHeader(option: string, name: string, value: unknown): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(name)) {
    throw new InvalidOption(
      option,
      name,
      'is not a header name that nginx has a variable for: give letters, digits and hyphens',
    );
  }
  if (reserved.has(name.toLowerCase())) {
    throw new InvalidOption(option, name, 'is set by nginx or the API itself: take it out');
  }
  quote(option, value);
  const text = value as string;
  if (text === '' || text !== text.trim()) {
    throw new InvalidOption(
      option,
      value,
      `is empty or has white space around it, which HTTP drops from ${name}: trim it`,
    );
  }
  return text;
}
