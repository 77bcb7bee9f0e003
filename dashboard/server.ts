import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { basename, extname, join } from 'node:path';
import { InvalidOption } from '../validation/invalid-option';
import { runAction } from './actions';
import type { DashboardSystem } from './system';
import { Watch } from './watch';

/** Both are where a browser may go for `localhost`; a machine without IPv6 has the first alone. */
const [loopback, loopback6] = ['127.0.0.1', '::1'] as const;
const namesOfLoopback = ['localhost', '127.0.0.1', '[::1]'];

/** What a page sends with whatever does something. A page of another origin could not: it would have to ask first, and is not answered. */
export const actionHeader = 'x-fairlead-dashboard';

const longestAction = 4096;
/** Bytes that a page which does not read may leave unread, and how many pages there may be. */
const mostUnread = 4 * 2 ** 20;
const mostPages = 50;

const securityHeaders = {
  'Content-Security-Policy': [
    "default-src 'none'",
    ...['script-src', 'style-src', 'connect-src', 'img-src'].map((kind) => `${kind} 'self'`),
    ...['base-uri', 'form-action', 'frame-ancestors'].map((kind) => `${kind} 'none'`),
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
} as const;

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** What a browser loads, in page/ and in the package of uPlot. */
export const pageFiles = [
  'index.html',
  'style.css',
  'icon.svg',
  ...['app', 'controls', 'dom', 'failures', 'format', 'plots', 'tables', 'topology'].map((name) => `${name}.mjs`),
];

export const uplotFiles = ['dist/uPlot.iife.min.js', 'dist/uPlot.min.css'];

interface Asset {
  readonly type: string;
  readonly content: Buffer;
}

/** Everything that a browser loads, by its path. */
export function pageAssets(): ReadonlyMap<string, Asset> {
  const uplot = join(require.resolve('uplot/package.json'), '..');
  const files = [
    ...pageFiles.map((name) => join(__dirname, 'page', name)),
    ...uplotFiles.map((name) => join(uplot, name)),
  ];
  return new Map(
    files.map((file) => {
      const name = basename(file);
      const type = types[extname(name).slice(1) as keyof typeof types];
      return [name === 'index.html' ? '/' : `/${name}`, { type, content: readFileSync(file) }];
    }),
  );
}

/** Serves the page on loopback, tells it what happens, and does what its buttons ask for. */
export class DashboardServer {
  private readonly assets = pageAssets();
  private readonly watch: Watch;
  private readonly pages = new Set<ServerResponse>();
  private readonly servers: Server[] = [];

  private constructor(
    private readonly system: DashboardSystem,
    readonly port: number,
  ) {
    this.watch = new Watch(system);
  }

  /** Listens on a port of loopback; rejects if it is taken. */
  static async start(system: DashboardSystem, port: number): Promise<DashboardServer> {
    const dashboard = new DashboardServer(system, port);
    await dashboard.listen(loopback);
    await dashboard.listen(loopback6).catch(async (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return;
      await dashboard.close();
      throw error;
    });
    return dashboard;
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  /** Whoever looks is told, and waited for by nobody; as often as one likes. */
  async close(): Promise<void> {
    this.watch.end();
    for (const page of this.pages) {
      page.write(serverSentEvent('ended', {}));
      page.end();
    }
    await Promise.all(
      this.servers.splice(0).map(async (server) => {
        const closed = once(server, 'close');
        server.close();
        // What was written goes out with the end of its connection.
        setImmediate(() => {
          server.closeAllConnections();
        });
        await closed;
      }),
    );
  }

  private async listen(address: string): Promise<void> {
    const server = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
    server.listen(this.port, address);
    await once(server, 'listening');
    this.servers.push(server);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = whyRefused(request);
    if (refusal !== undefined) {
      sendText(response, 403, refusal);
      return;
    }
    const [path = '', query] = request.url?.split('?') ?? [];
    if (path === '/actions') {
      await this.act(request, response);
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendText(response, 405, 'only GET');
    } else if (path === '/events') {
      this.stream(response, new URLSearchParams(query).get('proxy') ?? undefined);
    } else {
      const asset = this.assets.get(path);
      if (asset === undefined) sendText(response, 404, 'not here');
      else response.writeHead(200, { ...securityHeaders, 'Content-Type': asset.type }).end(asset.content);
    }
  }

  /** Tells a page of the proxy that it has chosen, or of all together. */
  private stream(response: ServerResponse, proxy: string | undefined): void {
    if (this.pages.size >= mostPages) {
      sendText(response, 503, `${mostPages} pages look already`);
      return;
    }
    response.writeHead(200, { ...securityHeaders, 'Content-Type': 'text/event-stream' });
    response.write(`retry: 1000\n${serverSentEvent('beginning', this.watch.beginning(proxy))}`);
    this.pages.add(response);
    const stop = this.watch.watch(proxy, (update) => {
      if (response.writableLength > mostUnread) response.destroy();
      else response.write(serverSentEvent('update', update));
    });
    response.on('close', () => {
      this.pages.delete(response);
      stop();
      if (this.servers.length === 0) this.watch.end();
    });
  }

  private async act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { actions } = this.system;
    if (actions === undefined) {
      sendText(response, 404, 'nothing can be done from here');
      return;
    }
    if (request.method !== 'POST') {
      sendText(response, 405, 'only POST');
      return;
    }
    if (request.headers.origin === undefined || request.headers[actionHeader] === undefined) {
      sendText(response, 403, `only by the page: with Origin and ${actionHeader}`);
      return;
    }
    const body = await shortBody(request);
    if (body === undefined) {
      sendText(response, 413, 'too long');
      return;
    }
    try {
      runAction(actions, body);
      response.writeHead(204, securityHeaders).end();
    } catch (error) {
      if (!(error instanceof InvalidOption)) throw error;
      sendText(response, 400, error.message);
    }
  }
}

/**
 * Why a request is not answered. A page of another site can have its browser ask here: by a name of its own that leads to loopback, which
 * `Host` tells, or across origins, which `Origin` does, or `Sec-Fetch-Site` where an image or a script is asked for.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
function whyRefused({ headers }: IncomingMessage): string | undefined {
  const { host = '', origin, 'sec-fetch-site': site = 'none', 'sec-fetch-mode': mode } = headers;
  const [, name = ''] = /^(.*?)(?::\d+)?$/.exec(host) ?? [];
  if (!namesOfLoopback.includes(name)) return 'Host is not localhost';
  if (origin !== undefined && origin !== `http://${host}`) return 'Origin is another one';
  if (mode !== 'navigate' && site !== 'none' && site !== 'same-origin') return 'only for the page itself';
  return undefined;
}

async function shortBody(request: IncomingMessage): Promise<string | undefined> {
  let body = '';
  request.setEncoding('utf8');
  // Whoever sends more is to be answered too.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    body += chunk as string;
    if (body.length > longestAction) return undefined;
  }
  return body;
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...securityHeaders, 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** JSON has no line break. */
function serverSentEvent(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
