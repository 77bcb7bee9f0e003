import { networks } from '../../validation/addresses';

const read = (given: unknown): string[] => networks('allowFrom', given);

describe('Networks of clients', () => {
  test('are CIDRs, and addresses alone are networks of one', () => {
    const given = ['192.0.2.0/24', '192.0.2.1', '2001:db8::/32', '2001:db8::1', '0.0.0.0/0', '::/0'];
    expect(read(given)).toEqual([
      ...['192.0.2.0/24', '192.0.2.1/32', '2001:db8::/32', '2001:db8::1/128', '0.0.0.0/0', '::/0'],
    ]);
  });

  test('are there once, however they are written', () => {
    expect(read(['192.0.2.1', '192.0.2.1/32', '2001:db8::/32', '2001:0DB8:0::/32'])).toEqual([
      '192.0.2.1/32',
      '2001:0DB8:0::/32',
    ]);
  });

  const notACidr = 'is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"';
  const within =
    'is an address within its network: give the first one of the network, such as "10.0.0.0/8", or the address alone';
  const mapped = 'is IPv4 written as IPv6, which no client is seen by: give it as IPv4';

  test.each<[unknown, string]>([
    ['192.0.2', notACidr],
    ['192.0.2.0/33', notACidr],
    ['192.0.2.0/024', notACidr],
    ['fe80::1%eth0', notACidr],
    ['all', notACidr],
    ['', notACidr],
    [5, notACidr],
    [null, notACidr],
    ['192.0.2.1; return 200', notACidr],
    ['10.0.0.1/8', within],
    ['192.0.2.129/24', within],
    ['2001:db8::1/32', within],
    ['::ffff:192.0.2.1', mapped],
    ['::ffff:0:0/96', mapped],
  ])('are refused with %j', (network, remedy) => {
    expect(() => read(['198.51.100.0/24', network])).toThrow(
      new Error(`allowFrom: ${JSON.stringify(network)} ${remedy}`),
    );
  });

  test('are refused if there are none, or more than a ConfigMap holds', () => {
    expect(() => read([])).toThrow(
      new Error(
        'allowFrom: [] is empty, and would let nobody in: give networks, or "0.0.0.0/0" and "::/0" for everyone',
      ),
    );
    expect(() => read('192.0.2.0/24')).toThrow(
      new Error('allowFrom: "192.0.2.0/24" is not a list: give one, such as ["192.0.2.0/24"]'),
    );
    const many = Array.from({ length: 10_001 }, (_, index) => `10.${index >> 8}.${index & 255}.0/24`);
    expect(() => read(many)).toThrow(new Error('allowFrom: "10001 networks" are too many: give 10000 at most'));
    expect(read(many.slice(1))).toHaveLength(10_000);
  });
});
