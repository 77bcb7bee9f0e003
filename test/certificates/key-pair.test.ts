import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyPairFiles, readKeyPair } from '../../certificates/key-pair';
import { selfSignedKeyPair } from '../../certificates/self-signed';

const directory = mkdtempSync(join(tmpdir(), 'fairlead-key-pair-'));
const pair = selfSignedKeyPair(['api.example.com', 'www.example.com'], directory);
const other = selfSignedKeyPair(['other.example.com'], directory);

afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const certificateFile = file('tls.crt', pair.certificate);
const privateKeyFile = file('tls.key', pair.privateKey);
const files: KeyPairFiles = { certificateFile, privateKeyFile, hosts: ['api.example.com'] };
const text = (path: string): string => JSON.stringify(path);

test('a certificate with its key, for its hosts, is read as it is', () => {
  expect(readKeyPair({ ...files, hosts: ['api.example.com', 'www.example.com'] })).toEqual(pair);
});

test('another key is refused', () => {
  const otherKey = file('other.key', other.privateKey);
  expect(() => readKeyPair({ ...files, privateKeyFile: otherKey })).toThrow(
    `Certificate.fromFiles privateKey: ${text(otherKey)} does not match the certificate in ${text(certificateFile)}: give the key that the certificate was made for`,
  );
});

test('a host that the certificate does not name is refused', () => {
  expect(() => readKeyPair({ ...files, hosts: ['api.example.com', 'evil.example'] })).toThrow(
    `Certificate.fromFiles certificate: ${text(certificateFile)} is not valid for the host "evil.example" (its names: DNS:api.example.com, DNS:www.example.com): give one that names it`,
  );
});

test('a certificate of the past or of the future is refused', () => {
  expect(() => readKeyPair({ ...files, now: new Date('2100-01-01') })).toThrow(
    /^Certificate.fromFiles certificate: .* expired on .* GMT: give a renewed one$/,
  );
  expect(() => readKeyPair({ ...files, now: new Date('2000-01-01') })).toThrow(
    /^Certificate.fromFiles certificate: .* is not valid before .* GMT: give one that is valid now$/,
  );
});

test('what is missing or no PEM is refused in one line', () => {
  const missing = join(directory, 'missing');
  expect(() => readKeyPair({ ...files, certificateFile: missing })).toThrow(
    `Certificate.fromFiles certificate: ${text(missing)} cannot be read (ENOENT): give the path of a PEM file`,
  );
  const nonsense = file('nonsense', 'nonsense');
  expect(() => readKeyPair({ ...files, certificateFile: nonsense })).toThrow(
    `Certificate.fromFiles certificate: ${text(nonsense)} is not a PEM certificate: give a file that begins with the server's own`,
  );
  expect(() => readKeyPair({ ...files, privateKeyFile: nonsense })).toThrow(
    `Certificate.fromFiles privateKey: ${text(nonsense)} is not an unencrypted PEM private key: give one without a passphrase`,
  );
});
