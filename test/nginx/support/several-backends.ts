import { once } from 'node:events';
import { RequestListener } from 'node:http';
import { connect as connectHttp2, OutgoingHttpHeaders } from 'node:http2';
import { connect as connectTls, ConnectionOptions } from 'node:tls';
import { Place } from '../../../nginx/place';
import { proxyModel, ProxyParts } from './models';
import { RealNginx, RealNginxStart } from './real-nginx';
import { StubApi } from './stub-api';
import { StubDns } from './stub-dns';

/** nginx in front of several backends, each with one instance that DNS finds by the backend's name. */
export interface SeveralBackends {
  readonly nginx: RealNginx;
  readonly apis: Readonly<Record<string, StubApi>>;
  readonly dns: StubDns;
  readonly stop: () => Promise<void>;
}

/** What an echoing backend was asked for. */
export interface Echo {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyLength: number;
}

/** Answers with what it was asked. */
export function echo(backend: string): RequestListener {
  return (request, response) => {
    let bodyLength = 0;
    request.on('data', (chunk: Buffer) => (bodyLength += chunk.length));
    request.on('end', () => {
      const { method, url, headers } = request;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ backend, method, url, headers, bodyLength }));
    });
  };
}

/** A host of its own that leads to each backend, so that a test can tell when nginx knows it. */
const readyHost = 'ready.test';

export async function startWithBackends(
  parts: ProxyParts,
  place: Partial<Place> = {},
  listener: (backend: string) => RequestListener = echo,
  start: RealNginxStart = {},
): Promise<SeveralBackends> {
  const dns = await StubDns.start();
  const names = (parts.backends ?? [{}]).map(({ name = 'api' }) => name);
  const apis: Record<string, StubApi> = {};
  for (const name of names) {
    apis[name] = await StubApi.start(name, listener(name));
    dns.byHost.set(`${name}.orders.svc.cluster.local`, [apis[name].instance]);
  }
  const model = proxyModel(parts);
  const ready = proxyModel({
    hosts: [
      { names: [readyHost], routes: names.map((name) => ({ path: `/${name}`, name: `ready-${name}`, target: name })) },
    ],
  });
  const nginx = await RealNginx.start(
    { ...model, hosts: [...model.hosts, ...ready.hosts] },
    { resolvers: [dns.server], ...place },
    start,
  );
  for (const name of names) {
    const get = { path: `/${name}`, servername: readyHost, headers: { host: readyHost } };
    await nginx.untilAnswered(({ headers }) => headers['x-instance'] === name, get);
  }
  return {
    nginx,
    apis,
    dns,
    stop: async () => {
      await nginx.stop();
      await Promise.all(Object.values(apis).map((api) => api.stop()));
      await dns.stop();
    },
  };
}

interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** One request over HTTP/2 on a connection of its own. */
export async function getByHttp2(
  nginx: RealNginx,
  headers: OutgoingHttpHeaders,
  body: string | Buffer = '',
  handshake: ConnectionOptions = {},
): Promise<Http2Answer> {
  const servername = String(headers[':authority'] ?? nginx.host);
  const session = connectHttp2(`https://${servername}`, {
    createConnection: () =>
      connectTls({
        host: '127.0.0.1',
        port: nginx.place.httpsPort,
        servername,
        rejectUnauthorized: false,
        ALPNProtocols: ['h2'],
        ...handshake,
      }),
  });
  session.on('error', () => undefined);
  try {
    const stream = session.request({ ':path': '/', ':authority': servername, ...headers }, { endStream: body === '' });
    stream.on('error', () => undefined);
    if (body !== '') stream.end(body);
    const [answered] = (await once(stream, 'response')) as [Record<string, unknown>];
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    return { status: Number(answered[':status']), headers: answered, body: Buffer.concat(chunks).toString() };
  } finally {
    session.destroy();
  }
}

/** One request in bytes of its own making, as no client library sends them: latin1, on a connection that ends with the answer. */
export async function sendLine(
  line: string,
  nginx: RealNginx,
): Promise<{ readonly status: number; readonly body: string }> {
  const { host: servername, place } = nginx;
  const socket = connectTls({ host: '127.0.0.1', port: place.httpsPort, servername, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  socket.write(`${line}\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`, 'latin1');
  let received = '';
  for await (const chunk of socket) received += (chunk as Buffer).toString();
  const [head = '', ...body] = received.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body: body.join('\r\n\r\n') };
}

/** What a backend that echoes was asked for. */
export function echoed({ status, body }: { readonly status: number; readonly body: string }): Echo {
  expect(status).toBe(200);
  return JSON.parse(body) as Echo;
}
