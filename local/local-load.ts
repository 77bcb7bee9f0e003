import { randomUUID } from 'node:crypto';
import { Agent, get } from 'node:https';
import type { ProxyModel } from '../model/proxy';
import type { RequestKey } from '../model/load-balancing';
import type { RouteModel } from '../model/routes/route';
import { InvalidOption } from '../validation/invalid-option';

/** What its requests are known by to the API, and in the log, where their ids begin with it: no option leaves those out. */
const name = 'fairlead-dashboard';

/** A request that instances answer. */
interface Target {
  readonly host: string;
  readonly path: string;
  /** What chooses between versions: each request is another client's. */
  readonly key: RequestKey['source'] | undefined;
}

/** In milliseconds, and how many may wait for their answers. */
const timeout = 60_000;
const mostInProgress = 1000;

/** Requests of our own, for whoever wants to see some answered: so many a second over TLS, to each route of instances in turn. */
export class LocalLoad {
  /** Requests a second. */
  rate = 0;
  private readonly targets: readonly Target[];
  /** The certificate is our own, and what is asked for is of no consequence. */
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 50, rejectUnauthorized: false });
  private timer: NodeJS.Timeout | undefined;
  private begun = 0;
  private sent = 0;
  private inProgress = 0;

  constructor(
    hosts: ProxyModel['hosts'],
    healthCheckPaths: Readonly<Record<string, string>>,
    private readonly proxy: { readonly address: string; readonly port: number },
  ) {
    this.targets = hosts.flatMap(({ names: [host], routes }) =>
      routes.flatMap((route) => targetOf(host, route, healthCheckPaths) ?? []),
    );
  }

  /** So many requests a second from now on; 0 for none. */
  send(rate: number): void {
    if (rate > 0 && this.targets.length === 0) {
      throw new InvalidOption('load', rate, 'has nowhere to go: no route without conditions leads to an instance');
    }
    this.rate = rate;
    clearTimeout(this.timer);
    [this.begun, this.sent] = [performance.now(), 0];
    if (rate > 0) this.sendDue();
  }

  end(): void {
    this.rate = 0;
    clearTimeout(this.timer);
    this.agent.destroy();
  }

  private sendDue(): void {
    const due = Math.floor(((performance.now() - this.begun) * this.rate) / 1000) + 1;
    for (; this.sent < due; this.sent += 1) this.sendOne(this.targets[this.sent % this.targets.length]);
    const next = this.begun + (this.sent * 1000) / this.rate - performance.now();
    this.timer = setTimeout(() => {
      this.sendDue();
    }, next);
  }

  private sendOne(target: Target | undefined): void {
    if (target === undefined || this.inProgress >= mostInProgress) return;
    const { host, key } = target;
    this.inProgress += 1;
    const keyed = withKey(target.path, key);
    const request = get(
      {
        agent: this.agent,
        host: this.proxy.address,
        port: this.proxy.port,
        servername: host,
        path: keyed.path,
        headers: { host, 'user-agent': name, 'x-request-id': `${name}-${randomUUID()}`, ...keyed.headers },
        timeout,
      },
      (response) => response.resume(),
    );
    request.once('timeout', () => request.destroy());
    // The page shows what became of it.
    request.on('error', () => undefined);
    request.once('close', () => {
      this.inProgress -= 1;
    });
  }
}

/** Whether a line of nginx's log is of such a request: hundreds a second would hide all others. */
export function isOfLocalLoad(line: string): boolean {
  return line.includes(`"request_id":"${name}-`);
}

/** Where an instance is found healthy, if the route leads there; else the path of the route itself. */
function targetOf(
  host: string,
  { path, when, target, protocol, rewrite, streamTimeout }: RouteModel,
  healthCheckPaths: Readonly<Record<string, string>>,
): Target | undefined {
  // A call of gRPC would have to be of its own making.
  if (when.length > 0 || streamTimeout !== undefined || protocol === 'grpc') return undefined;
  if (target.kind !== 'backend' && target.kind !== 'split') return undefined;
  const backend = target.kind === 'backend' ? target.backend : (target.shares[0]?.backend ?? '');
  const healthy = healthCheckPaths[backend] ?? '/';
  const key = target.kind === 'split' ? target.stickyBy.source : undefined;
  if (path.kind === 'exact') return { host, path: path.path, key };
  const own = path.path.replace(/\/$/, '');
  const sent = (rewrite ?? path.path).replace(/\/$/, '');
  const isReached = healthy === sent || healthy.startsWith(`${sent}/`);
  return { host, path: isReached ? `${own}${healthy.slice(sent.length)}` : path.path, key };
}

function withKey(
  path: string,
  key: Target['key'],
): { readonly path: string; readonly headers: Readonly<Record<string, string>> } {
  switch (key?.kind) {
    case undefined:
    case 'clientAddress':
      return { path, headers: {} };
    case 'header':
      return { path, headers: { [key.name]: randomUUID() } };
    case 'cookie':
      return { path, headers: { cookie: `${key.name}=${randomUUID()}` } };
    case 'query':
      return { path: `${path}?${key.name}=${randomUUID()}`, headers: {} };
    case 'uri':
      return { path: `${path}?${randomUUID()}`, headers: {} };
  }
}
