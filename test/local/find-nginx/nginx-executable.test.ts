import { nginxVersion } from '../../../local/find-nginx/nginx-executable';

function output(nginx: string, tls: string): string {
  return `nginx version: nginx/${nginx}\nbuilt by gcc 12\n${tls}\nTLS SNI support enabled\n`;
}

describe('the version of nginx', () => {
  test.each([
    ['1.30.0', 'built with OpenSSL 3.5.1 1 Jul 2025'],
    ['1.31.2', 'built with OpenSSL 3.0.2 15 Mar 2022 (running with OpenSSL 3.5.4 30 Sep 2025)'],
    ['2.0.0', 'built with OpenSSL 4.0.0 1 Jan 2027'],
  ])('%s, %s will do', (version, tls) => {
    expect(nginxVersion(output(version, tls))).toBe(version);
  });

  test.each([
    ['1.29.8', 'built with OpenSSL 3.5.1', 'is nginx 1.29.8, and 1.30 or newer is needed'],
    ['1.30.0', 'built with OpenSSL 3.4.9', 'is nginx 1.30.0 with OpenSSL 3.4.9, and OpenSSL 3.5 or newer is needed'],
    ['1.30.0', 'built with LibreSSL 4.0.0', 'is nginx 1.30.0 with no OpenSSL, and OpenSSL 3.5 or newer is needed'],
  ])('%s, %s will not', (version, tls, message) => {
    expect(() => nginxVersion(output(version, tls))).toThrow(message);
  });

  test('what is not nginx is refused', () => {
    expect(() => nginxVersion('v20.20.2')).toThrow('is not nginx');
  });
});
