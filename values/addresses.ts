import { isIP, isIPv6 } from 'node:net';
import { InvalidOption } from './invalid-option';
import { hostName } from './names';

/** An IP address, in brackets if it is IPv6: how nginx writes one beside a port. */
export function ipAddress(option: string, value: unknown): string {
  if (typeof value !== 'string' || isIP(value) === 0 || value.includes('%')) {
    throw new InvalidOption(option, value, 'is not an IP address: give one, such as "127.0.0.1" or "::1"');
  }
  return isIPv6(value) ? `[${value}]` : value;
}

/** A network, such as `10.0.0.0/8`. */
export function cidr(option: string, value: unknown): string {
  const [address = '', prefix = '', ...rest] = typeof value === 'string' ? value.split('/') : [];
  const version = isIP(address);
  const valid =
    version !== 0 &&
    !address.includes('%') &&
    rest.length === 0 &&
    /^\d{1,3}$/.test(prefix) &&
    Number(prefix) <= (version === 4 ? 32 : 128);
  if (!valid) {
    throw new InvalidOption(option, value, 'is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"');
  }
  return value as string;
}

/** A server by address or name, with an optional port: `10.0.0.10`, `[::1]:53`, `kube-dns.kube-system.svc:53`. */
export function serverAddress(option: string, value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const [, ipv6, name, port] = match ?? [];
  const portFits = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  if (match !== null && portFits) {
    if (ipv6 !== undefined && isIPv6(ipv6)) return text;
    if (name !== undefined && (isIP(name) === 4 || isHostName(name))) return text;
  }
  throw new InvalidOption(
    option,
    value,
    'is not a server: give an address or a DNS name, with an optional port, such as "10.96.0.10", "[fd00::a]:53" or "dns.example.com:53"',
  );
}

function isHostName(name: string): boolean {
  try {
    hostName('', name);
    return true;
  } catch {
    return false;
  }
}
