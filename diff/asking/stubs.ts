import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What a stub says of a request that came to it: in a header, as nginx passes any on. */
export const askedHeader = 'x-fairlead-asked';

/** What came to it. */
export interface Asked {
  readonly upstream: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Something that answers in the place of each upstream, and says what it was asked. */
export class Stubs {
  private readonly servers: (Server | Http2Server)[] = [];

  constructor(private readonly address: string) {}

  /** The port of one that answers for an upstream. */
  async start(upstream: string, protocol: 'http' | 'grpc'): Promise<number> {
    const server = protocol === 'grpc' ? grpcStub(upstream) : httpStub(upstream);
    this.servers.push(server);
    server.listen(0, this.address);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const server of this.servers) {
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
    }
  }
}

function httpStub(upstream: string): Server {
  return createServer({ requireHostHeader: false }, (request, response) => {
    const { url = '', headers } = request;
    request.resume();
    response.writeHead(200, {
      'Content-Type': 'application/json',
      [askedHeader]: noted({ upstream, uri: url, headers }),
    });
    response.end('{}');
  });
}

function grpcStub(upstream: string): Http2Server {
  const server = createHttp2Server();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const note = noted({ upstream, uri: String(headers[':path']), headers });
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', [askedHeader]: note },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': '0' });
    });
    stream.end();
  });
  return server;
}

function noted(asked: Asked): string {
  return Buffer.from(JSON.stringify(asked)).toString('base64');
}

export function readNote(note: string): Asked {
  return JSON.parse(Buffer.from(note, 'base64').toString()) as Asked;
}
