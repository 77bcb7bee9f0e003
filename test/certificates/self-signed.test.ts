import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyPair } from '../../certificates/key-pair';
import { selfSignedKeyPair } from '../../certificates/self-signed';

const day = 86_400_000;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-self-signed-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test('it is valid for every host, from before now, for no longer than clients accept', () => {
  const leaf = new X509Certificate(selfSignedKeyPair(['localhost', 'api.example.com'], directory).certificate);
  expect(leaf.subjectAltName).toBe('DNS:api.example.com, DNS:localhost');
  expect(new Date(leaf.validFrom).getTime()).toBeLessThan(Date.now());
  expect(new Date(leaf.validTo).getTime() - new Date(leaf.validFrom).getTime()).toBe(397 * day);
  expect(leaf.ca).toBe(false);
});

test('the same hosts get the same certificate again, in any order, and other hosts another one', () => {
  const first = selfSignedKeyPair(['a.example', 'b.example'], directory);
  expect(selfSignedKeyPair(['a.example', 'b.example', 'a.example'], directory)).toEqual(first);
  expect(selfSignedKeyPair(['a.example'], directory)).not.toEqual(first);
});

test('it is made anew before it expires, and when what was kept is broken', () => {
  const first = selfSignedKeyPair(['a.example'], directory);
  const later = (days: number): Date => new Date(Date.now() + days * day);
  expect(selfSignedKeyPair(['a.example'], directory, later(360))).toEqual(first);
  const second = selfSignedKeyPair(['a.example'], directory, later(370));
  expect(second).not.toEqual(first);
  const subject = ({ certificate }: KeyPair): string => new X509Certificate(certificate).subject;
  expect(subject(second)).not.toBe(subject(first));

  const [kept = ''] = readdirSync(directory).filter((name) => name.startsWith('a.example'));
  writeFileSync(join(directory, kept, 'tls.key'), 'nonsense');
  expect(selfSignedKeyPair(['a.example'], directory, later(370))).not.toEqual(second);
});

test('nobody else reads the key, git ignores it, and nothing half-written stays', () => {
  selfSignedKeyPair(['a.example'], directory);
  const [kept = '', ...others] = readdirSync(directory).filter((name) => name !== '.gitignore');
  expect(others).toEqual([]);
  expect(statSync(join(directory, kept, 'tls.key')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(directory, '.gitignore'), 'utf8')).toBe('*\n');
});
