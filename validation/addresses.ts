import { isIP, isIPv6 } from 'node:net';
import { list } from './collections';
import { InvalidOption } from './invalid-option';
import { hostName, wordOf } from './names';
import { listOf, notEmpty } from './options';

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
    /^(?:0|[1-9]\d{0,2})$/.test(prefix) &&
    Number(prefix) <= (version === 4 ? 32 : 128);
  if (!valid) {
    throw new InvalidOption(option, value, 'is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"');
  }
  return value as string;
}

/** Of more, nginx.conf would outgrow what a ConfigMap holds. */
const mostNetworks = 10_000;

/** Networks and single addresses, each as a CIDR and once. Refuses none at all, and what no client is seen by. */
export function networks(option: string, value: unknown): string[] {
  const given = list(option, value, '["192.0.2.0/24"]');
  if (given.length === 0) {
    throw new InvalidOption(
      option,
      value,
      'is empty, and would let nobody in: give networks, or "0.0.0.0/0" and "::/0" for everyone',
    );
  }
  if (given.length > mostNetworks) {
    throw new InvalidOption(option, `${given.length} networks`, `are too many: give ${mostNetworks} at most`);
  }
  const all = given.map((network) => wholeNetwork(option, network));
  return [...new Map(all.map((network) => [prefixBits(network) + String(isIP(addressOf(network))), network])).values()];
}

/** A network by its first address. */
function wholeNetwork(option: string, value: unknown): string {
  const version = typeof value === 'string' && !value.includes('%') ? isIP(value) : 0;
  const network = version === 0 ? cidr(option, value) : `${String(value)}/${version === 4 ? 32 : 128}`;
  const bits = addressBits(addressOf(network));
  const prefix = prefixBits(network);
  if (bits.slice(prefix.length).includes('1')) {
    throw new InvalidOption(
      option,
      value,
      'is an address within its network: give the first one of the network, such as "10.0.0.0/8", or the address alone',
    );
  }
  if (prefix.startsWith(mappedBits)) {
    throw new InvalidOption(option, value, 'is IPv4 written as IPv6, which no client is seen by: give it as IPv4');
  }
  return network;
}

/** Of an IPv4 address in an IPv6 one. */
const mappedBits = '0'.repeat(80) + '1'.repeat(16);

function addressOf(network: string): string {
  return network.split('/')[0] ?? '';
}

/** Networks whose word is taken for something. Refuses those that anyone is in, alone or together. */
export function trustedNetworks(option: string, value: unknown): string[] {
  const networks = list(option, value, '["10.0.0.0/8"]').map((network) => cidr(option, network));
  // Public IPv6 addresses begin with these bits, those of IPv4 with any.
  for (const [version, publicBits] of [
    [4, ''],
    [6, '001'],
  ] as const) {
    const family = networks.filter((network) => isIP(addressOf(network)) === version);
    if (!holdEverything(family.map(prefixBits), publicBits)) continue;
    throw new InvalidOption(
      option,
      family.find((network) => network.endsWith('/0')) ?? family,
      `is every public IPv${version} address: give the networks of your load balancers, such as "10.0.0.0/8"`,
    );
  }
  return networks;
}

/** The bits that the addresses of a network have in common. */
function prefixBits(network: string): string {
  const [address = '', length] = network.split('/');
  return addressBits(address).slice(0, Number(length));
}

function addressBits(address: string): string {
  const bits = (part: string, base: number, width: number): string =>
    parseInt(part, base).toString(2).padStart(width, '0');
  if (isIP(address) === 4) {
    const parts = address.split('.').map((part) => bits(part, 10, 8));
    return parts.join('');
  }
  // A URL has no IPv4 address in an IPv6 one.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail ?? ''].map((text) => text.split(':').filter((group) => group !== ''));
  const groups = [...(before ?? []), ...(after ?? [])].map((group) => bits(group, 16, 16));
  groups.splice(before?.length ?? 0, 0, ''.padEnd(128 - 16 * groups.length, '0'));
  return groups.join('');
}

/** Whether every address that begins with these bits is in one of the networks. */
function holdEverything(prefixes: readonly string[], bits: string): boolean {
  if (prefixes.some((prefix) => bits.startsWith(prefix))) return true;
  const within = prefixes.filter((prefix) => prefix.startsWith(bits));
  return within.length > 0 && holdEverything(within, `${bits}0`) && holdEverything(within, `${bits}1`);
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

/** DNS servers, one at least. */
export const dnsServers = notEmpty(listOf(serverAddress, '["10.96.0.10"]'), 'a DNS server');

const families = ['IPv4', 'IPv6'] as const;
export type IpFamily = (typeof families)[number];

/** IPv4, IPv6 or both. */
export const ipFamilies = notEmpty(listOf(wordOf(families), '["IPv4"]'), 'IPv4, IPv6 or both');
