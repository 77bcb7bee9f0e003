import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isValidFor, KeyPair } from './key-pair';

const day = 86_400_000;
/** Apple's clients refuse a longer one, even when it is trusted by hand. @see https://support.apple.com/en-us/102028 */
const lifetime = 397 * day;
/** Two synths give the same bytes until a certificate has no more than this to live. */
const renewBefore = 30 * day;

/**
 * A self-signed certificate for these hosts, kept below `directory` and used again until it nears its end.
 * The directory gets a `.gitignore` of its own: a private key is never committed.
 */
export function selfSignedKeyPair(hosts: readonly string[], directory: string, now: Date = new Date()): KeyPair {
  const names = [...new Set(hosts)].sort();
  const digest = createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 8);
  const kept = join(directory, `${hosts[0] ?? 'localhost'}-${digest}`);
  const found = readKept(kept, names, now);
  if (found !== undefined) return found;

  const made = generate(names, now);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, '.gitignore'), '*\n');
  // Written aside and renamed: whoever reads at this moment finds a whole pair or none.
  const written = mkdtempSync(join(directory, '.new-'));
  writeFileSync(join(written, 'tls.crt'), made.certificate);
  writeFileSync(join(written, 'tls.key'), made.privateKey, { mode: 0o600 });
  try {
    // One that cannot be used is in the way; another process may have put its own there by now, which is kept.
    if (readKept(kept, names, now) === undefined) rmSync(kept, { recursive: true, force: true });
    renameSync(written, kept);
  } catch {
    // Another process renamed its own first: both must go on with the same pair.
    rmSync(written, { recursive: true, force: true });
    return readKept(kept, names, now) ?? made;
  }
  return made;
}

function readKept(kept: string, names: readonly string[], now: Date): KeyPair | undefined {
  if (!existsSync(kept)) return undefined;
  try {
    const certificate = readFileSync(join(kept, 'tls.crt'), 'utf8');
    const privateKey = readFileSync(join(kept, 'tls.key'), 'utf8');
    const leaf = new X509Certificate(certificate);
    const remaining = new Date(leaf.validTo).getTime() - now.getTime();
    const usable =
      remaining > renewBefore &&
      leaf.checkPrivateKey(createPrivateKey(privateKey)) &&
      names.every((name) => isValidFor(leaf, name));
    return usable ? { certificate, privateKey } : undefined;
  } catch {
    return undefined;
  }
}

// Constructors are synchronous and the library is not: it runs in a child process.
const generateScript = `
const { generate } = require(process.argv[1]);
const { names, commonName, notBeforeDate, notAfterDate } = JSON.parse(process.argv[2]);
generate([{ name: 'commonName', value: commonName }], {
  keyType: 'ec', curve: 'P-256', algorithm: 'sha256',
  notBeforeDate: new Date(notBeforeDate), notAfterDate: new Date(notAfterDate),
  extensions: [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) },
  ],
}).then(({ cert, private: privateKey }) => process.stdout.write(JSON.stringify({ certificate: cert, privateKey })));
`;

function generate(names: readonly string[], now: Date): KeyPair {
  const request = {
    names,
    // A client that trusts an old one and its successor tells them apart by their subjects.
    commonName: `fairlead self-signed ${randomBytes(4).toString('hex')}`,
    // A client whose clock is a little behind must not see a certificate of the future.
    notBeforeDate: new Date(now.getTime() - day).toISOString(),
    notAfterDate: new Date(now.getTime() - day + lifetime).toISOString(),
  };
  const output = execFileSync(
    process.execPath,
    ['-e', generateScript, require.resolve('selfsigned'), JSON.stringify(request)],
    { encoding: 'utf8', env: {} },
  );
  return JSON.parse(output) as KeyPair;
}
