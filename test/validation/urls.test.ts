import fc from 'fast-check';
import { InvalidOption } from '../../validation/invalid-option';
import { authorityOf, serviceUrl } from '../../validation/urls';

function refusal(given: unknown): string {
  try {
    serviceUrl('url', given);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOption);
    return (error as InvalidOption).message;
  }
  throw new Error('nothing was refused');
}

test.each([
  ['https://legacy.example.com', 'legacy.example.com', false, 443, '', 'legacy.example.com'],
  ['http://legacy.example.com/', 'legacy.example.com', false, 80, '', 'legacy.example.com'],
  ['https://legacy.example.com:8443/api/v1/', 'legacy.example.com', false, 8443, '/api/v1', 'legacy.example.com:8443'],
  ['http://192.0.2.1:443', '192.0.2.1', true, 443, '', '192.0.2.1:443'],
  ['http://[2001:db8::1]/a', '[2001:db8::1]', true, 80, '/a', '[2001:db8::1]'],
  ['https://localhost:443', 'localhost', false, 443, '', 'localhost'],
])('%s is read', (url, host, isAddress, port, path, authority) => {
  const read = serviceUrl('url', url);
  expect(read).toEqual({ isSecure: url.startsWith('https'), host, isAddress, port, path });
  expect(authorityOf(read)).toBe(authority);
});

test.each<[unknown, string]>([
  [5, 'url: 5 is not the URL of a service'],
  ['', 'url: "" is not the URL of a service'],
  ['legacy.example.com', 'is not the URL of a service'],
  ['ftp://legacy.example.com', 'is not the URL of a service'],
  ['HTTPS://legacy.example.com', 'is not the URL of a service'],
  ['https:///a', 'is not the URL of a service'],
  ['https://a.example.com\\@b.example.com', 'url: "https://…@b.example.com" has a user'],
  ['https://me:secret@a.example.com', 'url: "https://…@a.example.com" has a user'],
  ['https://a.example.com?a=b', 'has a query or a fragment'],
  ['https://a.example.com/#a', 'has a query or a fragment'],
  ['https://A.example.com', 'url host: "A.example.com" is not a DNS name'],
  ['https://a_b.example.com', 'url host: "a_b.example.com" is not a DNS name'],
  ['https://a.example.com.', 'url host: "a.example.com." is not a DNS name'],
  ['https://192.0.2.256', 'url host: "192.0.2.256" is not a DNS name'],
  ['https://[::1', 'url host: "[" is not a DNS name'],
  ['http://[a]', 'url host: "[a]" is not an IPv6 address'],
  ['http://[fe80::1%25eth0]', 'is not an IPv6 address'],
  ['https://a.example.com:', 'url port: "" is out of range'],
  ['https://a.example.com:0', 'url port: "0" is out of range'],
  ['https://a.example.com:080', 'url port: "080" is out of range'],
  ['https://a.example.com:65536', 'url port: 65536 is out of range'],
  ['https://a.example.com/a b', 'url path: "/a b" is not a URL path'],
  ['https://a.example.com/a"b', 'is not a URL path'],
  ['https://a.example.com/a\nb', 'is not a URL path'],
  ['https://a.example.com/%zz', 'is not a URL path'],
  ['https://a.example.com//a', 'url path: "//a" has an empty segment'],
  ['https://a.example.com/a/../b', 'has an empty segment, one of dots'],
  ['https://a.example.com/a/%2E%2e', 'has an empty segment, one of dots'],
  ['https://a.example.com/a%2fb', 'or an encoded slash'],
])('%j is refused', (given, message) => {
  expect(refusal(given)).toContain(message);
});

test('what is not refused means the same to whoever parses URLs', () => {
  const pieces = fc.constantFrom(
    ...[
      'http://',
      'https://',
      'a.example.com',
      'b',
      '192.0.2.1',
      '[::1]',
      ':',
      '80',
      '8443',
      '/',
      '/api',
      '//',
      '.',
      '..',
    ],
    ...['@', '?', '#', '\\', ';', '$', '%2e', '%2f', '%41', '"', ' ', '\n', '{', '}', "'", 'é', '0x7f.1', '_', '-'],
  );
  let read = 0;
  const texts = fc.tuple(
    fc.constantFrom('http://', 'https://', ''),
    fc.constantFrom('a.example.com', '192.0.2.1', '[::1]', ''),
    fc.array(pieces, { maxLength: 4 }),
  );
  fc.assert(
    fc.property(texts, ([scheme, host, more]) => {
      const text = scheme + host + more.join('');
      let found;
      try {
        found = serviceUrl('url', text);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidOption);
        return;
      }
      read += 1;
      const url = new URL(text);
      expect([authorityOf(found), found.path]).toEqual([url.host, url.pathname.replace(/\/$/, '')]);
      expect([url.username, url.password, url.search, url.hash]).toEqual(['', '', '', '']);
    }),
    { numRuns: 1000 },
  );
  expect(read).toBeGreaterThan(20);
});
