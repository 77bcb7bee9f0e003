/** `server … resolve` with all that the configuration needs is in 1.30, and X25519MLKEM768 is in OpenSSL 3.5. */
const needed = { nginx: [1, 30], openssl: [3, 5] } as const;

/** Reads the output of `nginx -V`; throws if this nginx is too old. */
export function nginxVersion(output: string): string {
  const version = /nginx version: nginx\/(\S+)/.exec(output)?.[1];
  if (version === undefined) {
    throw new Error('is not nginx: its -V does not give a version');
  }
  if (!isAtLeast(version, needed.nginx)) {
    throw new Error(`is nginx ${version}, and ${needed.nginx.join('.')} or newer is needed`);
  }
  // The library that it runs with counts, which may be newer than the one it was built with.
  const openssl = /running with OpenSSL (\S+)/.exec(output)?.[1] ?? /built with OpenSSL (\S+)/.exec(output)?.[1];
  if (openssl === undefined || !isAtLeast(openssl, needed.openssl)) {
    throw new Error(
      `is nginx ${version} with ${openssl === undefined ? 'no OpenSSL' : `OpenSSL ${openssl}`}, and OpenSSL ${needed.openssl.join('.')} or newer is needed`,
    );
  }
  return version;
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [givenMajor = 0, givenMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return givenMajor > major || (givenMajor === major && givenMinor >= minor);
}
