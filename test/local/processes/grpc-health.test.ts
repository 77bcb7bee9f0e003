import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../../local/ports';
import { grpcHealth } from '../../../local/processes/grpc-health';
import { onTestFinished } from '../../afterwards';
import { healthCheck, StubGrpc } from '../../nginx/support/grpc';

const never = new AbortController().signal;

function ask(port: number, service = '', timeout = 10_000): Promise<string | undefined> {
  return grpcHealth({ port, service, timeout, signal: never });
}

async function listening(server: Server, sockets = new Set<Socket>()): Promise<number> {
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server of HTTP/2 that answers each call in one way. */
function answering(answer: (stream: ServerHttp2Stream, message: Buffer) => void): Promise<number> {
  const server = createServer();
  server.on('stream', (stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      answer(stream, Buffer.concat(chunks));
    });
  });
  return listening(server);
}

/** Answers with a state of the health protocol, as its bytes are. */
function saying(...state: number[]): Promise<number> {
  return answering((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '0' });
    });
    stream.end(Buffer.from([0, 0, 0, 0, state.length, ...state]));
  });
}

test('a server that says SERVING is ready, as a library of gRPC says it too', async () => {
  expect(await ask(await saying(8, 1))).toBeUndefined();
  expect(await ask((await StubGrpc.start('one')).instance.port)).toBeUndefined();
});

test.each<[string, number[], string]>([
  ['that is not serving', [8, 2], 'NOT_SERVING'],
  ['that does not know the service', [8, 3], 'SERVICE_UNKNOWN'],
  ['that does not know it yet', [], 'UNKNOWN'],
])('a server %s is not ready, and it is said why', async (_what, state, said) => {
  expect(await ask(await saying(...state))).toBe(`${healthCheck} says ${said}`);
});

test('a server without the health protocol is not ready, as the kubelet has it', async () => {
  const port = await answering((stream) => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12', 'grpc-message': 'unknown%20service' },
      { endStream: true },
    );
  });
  expect(await ask(port)).toBe(`${healthCheck} is answered with the status 12 (unknown service)`);
});

test('a server of another protocol is not ready', async () => {
  const port = await answering((stream) => {
    stream.respond({ ':status': 404 }, { endStream: true });
  });
  expect(await ask(port)).toBe(`${healthCheck} is not answered by gRPC (404)`);
  const http = await listening(createHttpServer((_request, response) => response.end('ok')));
  expect(await ask(http)).toEqual(expect.any(String));
});

test('who does not listen, or does not answer, is not ready', async () => {
  expect(await ask(await freePort())).toContain('ECONNREFUSED');
  expect(await ask(await listening(createTcpServer()), '', 50)).toBe('no answer');
});

test('a question ends once it is aborted', async () => {
  const stop = new AbortController();
  const port = await listening(createTcpServer());
  const asked = grpcHealth({ port, service: '', timeout: 10_000, signal: stop.signal });
  stop.abort();
  expect(await asked).toBe('aborted');
});

test.each([
  ['the server as a whole', '', []],
  ['a service', 'shop.Orders', [10, 11]],
  ['a service with a long name', 'a'.repeat(200), [10, 200, 1]],
])('asks for %s', async (_what, service, head) => {
  let received: Buffer = Buffer.alloc(0);
  const port = await answering((stream, message) => {
    received = message;
    stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
  });
  await ask(port, service);
  const message = Buffer.concat([Buffer.from(head), Buffer.from(service)]);
  expect(received).toEqual(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
});
