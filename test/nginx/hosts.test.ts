import { request } from 'node:http';
import { connect } from 'node:net';
import { OneInstance, startWithOneInstance } from './support/one-instance';

let system: OneInstance;

beforeAll(async () => {
  system = await startWithOneInstance({ names: ['api.example.com', 'www.example.com'] });
});

afterAll(() => system.stop());

interface PlainAnswer {
  readonly status: number | undefined;
  readonly location: string | undefined;
}

function plainHttp(method: string, path: string, host: string): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: system.nginx.place.httpPort, method, path, agent: false, headers: { host } },
      (response) => {
        response.resume().on('end', () => {
          resolve({ status: response.statusCode, location: response.headers.location });
        });
      },
    );
    sent.on('error', reject).end();
  });
}

test.each(['api.example.com', 'www.example.com'])('%s is served over TLS', async (host) => {
  expect((await system.nginx.get({ servername: host, headers: { host } })).status).toBe(200);
});

test('the TLS handshake for an unknown name is rejected, and so is one without a name', async () => {
  await expect(system.nginx.get({ servername: 'evil.example' })).rejects.toThrow(/unrecognized name/);
  await expect(system.nginx.get({ servername: '' })).rejects.toThrow(/unrecognized name/);
});

test('a known name in the handshake does not open the door to another one in the request', async () => {
  const before = system.api.requests.length;
  expect((await system.nginx.get({ headers: { host: 'evil.example' } })).status).toBe(421);
  expect(system.api.requests).toHaveLength(before);
});

test.each(['GET', 'POST'])('%s over plain HTTP is redirected to the HTTPS port that clients see', async (method) => {
  expect(await plainHttp(method, '/a%20b?c=d&e', 'api.example.com')).toEqual({
    status: 308,
    location: `https://api.example.com:${system.nginx.place.externalHttpsPort}/a%20b?c=d&e`,
  });
});

test('speaks HTTP/1.1 alone over plain HTTP', async () => {
  const socket = connect(system.nginx.place.httpPort, '127.0.0.1');
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  let received = '';
  for await (const chunk of socket) received += (chunk as Buffer).toString('latin1');
  expect(received).not.toContain('\0');
});

test('plain HTTP for an unknown host is closed without an answer', async () => {
  await expect(plainHttp('GET', '/', 'evil.example')).rejects.toThrow(/socket hang up|ECONNRESET/);
});

test('a load balancer that asks by address gets a health answer', async () => {
  expect((await plainHttp('GET', '/healthz', '10.0.0.1')).status).toBe(200);
});

test('plain HTTP on the HTTPS port is 400', async () => {
  const { place } = system.nginx;
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(
      { host: '127.0.0.1', port: place.httpsPort, agent: false, headers: { host: 'api.example.com' } },
      (response) => {
        resolve(response.resume().statusCode);
      },
    )
      .on('error', reject)
      .end();
  });
  expect(status).toBe(400);
});

describe('the port of the probes', () => {
  test('answers without a name in the handshake, with the certificate that clients get', async () => {
    const { probePort } = system.nginx.place;
    expect((await system.nginx.get({ port: probePort, servername: '', path: '/healthz' })).status).toBe(200);
  });

  test('the startup probe asks the API itself', async () => {
    const { probePort } = system.nginx.place;
    expect((await system.nginx.get({ port: probePort, servername: '', path: '/startup' })).status).toBe(200);
    const asked = system.api.requests.at(-1);
    expect(asked?.url).toBe('/healthcheck');
    expect(asked?.headers.host).toBe('api.example.com');
  });

  test('leads nowhere else', async () => {
    const { probePort } = system.nginx.place;
    expect((await system.nginx.get({ port: probePort, path: '/' })).status).toBe(404);
  });
});
