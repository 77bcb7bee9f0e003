import { InvalidOption } from '../values/invalid-option';
import { LoadBalancing } from './proxy';

/** The nginx variable that a consistent hash goes by, if the load balancing is one. */
export function hashKeyVariable(loadBalancing: LoadBalancing, hashKey: unknown): string | undefined {
  if (loadBalancing !== 'hash') {
    if (hashKey !== undefined) {
      throw new InvalidOption(
        'hashKey',
        hashKey,
        `does nothing with loadBalancing "${loadBalancing}": take it out, or give "hash"`,
      );
    }
    return loadBalancing === 'client_address' ? '$binary_remote_addr' : undefined;
  }
  if (hashKey === 'uri') return '$request_uri';
  const [, kind, name = ''] = /^(header|cookie):(.*)$/s.exec(typeof hashKey === 'string' ? hashKey : '') ?? [];
  // nginx has header names in variables with underscores for hyphens, and cookie names as they are.
  if (kind === 'header' && /^[A-Za-z0-9-]{1,64}$/.test(name)) return `$http_${name.toLowerCase().replaceAll('-', '_')}`;
  if (kind === 'cookie' && /^[A-Za-z0-9_]{1,64}$/.test(name)) return `$cookie_${name}`;
  throw new InvalidOption(
    'hashKey',
    hashKey,
    'is not a key that nginx can hash: give "uri", "header:NAME" (letters, digits, hyphens) or "cookie:NAME" (letters, digits, underscores)',
  );
}
