import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, PeerCertificate, TLSSocket } from 'node:tls';
import { KeyPair } from '../../../certificates/key-pair';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import { timeline } from '../../../model/timeline';
import { OneInstance, startWithOneInstance } from '../support/one-instance';

let system: OneInstance;
function newPair(): KeyPair {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-certificate-'));
  try {
    return selfSignedKeyPair(['localhost'], directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function handshake(options: {
  minVersion?: 'TLSv1.2';
  maxVersion?: 'TLSv1.1' | 'TLSv1.2';
  ciphers?: string;
}): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: system.nginx.place.httpsPort,
    servername: 'localhost',
    rejectUnauthorized: false,
    ...options,
  });
  await once(socket, 'secureConnect');
  return socket;
}

async function served(): Promise<PeerCertificate> {
  const socket = await handshake({});
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

beforeAll(async () => {
  system = await startWithOneInstance({
    timeline: timeline({ resolverValid: '1s', dnsCacheTtl: '0s', certificateValid: '1s' }),
  });
});

afterAll(() => system.stop());

test('a renewed certificate is served without a reload, and no handshake fails meanwhile', async () => {
  const old = (await served()).serialNumber;
  system.nginx.renewCertificate(newPair());
  const deadline = Date.now() + 10_000;
  while ((await served()).serialNumber === old) expect(Date.now()).toBeLessThan(deadline);
  // DNS may be late on a busy machine.
  expect(system.nginx.errors).not.toMatch(/SSL|certificate|emerg|alert/);
});

test('TLS 1.2 is spoken with forward secrecy and authenticated encryption only', async () => {
  const socket = await handshake({ maxVersion: 'TLSv1.2' });
  expect(socket.getCipher().name).toMatch(/^ECDHE-ECDSA-(AES128-GCM-SHA256|AES256-GCM-SHA384|CHACHA20-POLY1305)$/);
  socket.destroy();
  await expect(handshake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' })).rejects.toThrow();
});

test('TLS 1.1 is refused', async () => {
  await expect(
    handshake({ maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0', minVersion: undefined } as never),
  ).rejects.toThrow();
});

test('HTTP/2 is offered', async () => {
  const socket = connect({
    host: '127.0.0.1',
    port: system.nginx.place.httpsPort,
    servername: 'localhost',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  await once(socket, 'secureConnect');
  expect(socket.alpnProtocol).toBe('h2');
  socket.destroy();
});
