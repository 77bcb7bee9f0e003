import { randomUUID } from 'node:crypto';
import { integer } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { http2RequestUntilProcessed } from './http2-connection';
import { Http2Connections, type Http2Use } from './http2-connections';
import { LoadConnections } from './load-connections';
import {
  judgedAnswer,
  type LoadAnswer,
  type LoadRequest,
  noAnswer,
  type Protocol,
  type Statuses,
} from './load-request';
import { type LoadResult, loadResult } from './load-result';
import { inTurn, loadTarget, trusting } from './load-target';
import { type LoadNode, NodeHealth } from './node-health';

export interface LoadOptions {
  /** On this machine: `https://localhost:8443`. */
  readonly url: string;
  /** The name that is asked for, in the `Host` header and in the TLS handshake. @default - that of the URL */
  readonly host?: string;
  /** Spreads the load over these nodes instead, and takes those out whose health check fails, as a load balancer does. */
  readonly nodes?: readonly LoadNode[];
  /** Requests a second. They are sent when their time has come, whether or not earlier ones were answered. */
  readonly rate: number;
  /** How many requests to send in all; without it, until `stop`. */
  readonly total?: number;
  /** What the requests are sent over, the same number each. @default - both over TLS, and HTTP/1.1 without */
  readonly protocols?: readonly Protocol[];
  /** Certificates to trust, in PEM. */
  readonly certificates?: readonly string[];
  /** @default '/healthcheck' */
  readonly getPath?: string;
  /** Gets JSON. @default '/echo' */
  readonly postPath?: string;
  /** The statuses that the API itself gives. @default - it is the example API, whose answers are looked at as well */
  readonly statuses?: Statuses;
  /** Each request has one of so many values of a header, in turn; `LoadRequest.key` says which. @default - no such header */
  readonly keys?: { readonly header: string; readonly count: number };
  /** Each path has one of these before it, in turn; `LoadRequest.prefix` says which. @default - none */
  readonly prefixes?: readonly string[];
  /** What every request has beside its own headers. @default - none */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long one request may take before it counts as lost, in milliseconds. @default 60000 */
  readonly timeout?: number;
}

/** So many requests are sent at once on a kept HTTP/2 connection. */
const multiplexed = 20;

type Method = LoadRequest['method'];

/**
 * Open-loop load: so many requests a second, half GET and half POST, each accounted for.
 * Nothing is sent again but what an HTTP/2 server says it did not process, so that what is counted is what the other side did.
 */
export class Load {
  /** Every request that was answered or lost so far, but those that were taken. */
  readonly requests: LoadRequest[] = [];
  /** Settles once the last request sent was answered or lost. */
  readonly finished: Promise<LoadResult>;

  private readonly host: string;
  private readonly timeout: number;
  private readonly protocols: readonly Protocol[];
  private readonly connections: LoadConnections;
  private readonly http2Connections: Http2Connections;
  /** How much later than its time each request was sent, in milliseconds: what this client itself lacked. */
  private readonly delays: number[] = [];
  private readonly begin = performance.now();
  private readonly underWay = new Set<Promise<void>>();
  /** What is due, and waits for others to be sent with on one HTTP/2 connection. */
  private readonly gathered: Method[] = [];
  private sent = 0;
  private keyTurn = -1;
  private prefixTurn = -1;
  private total: number;
  private timer: NodeJS.Timeout | undefined;
  private readonly health: NodeHealth | undefined;
  private sentAll: () => void = () => undefined;

  constructor(private readonly options: LoadOptions) {
    integer('rate', options.rate, 1, 10_000);
    this.total =
      options.total === undefined ? Number.POSITIVE_INFINITY : integer('total', options.total, 1, 10_000_000);
    const { host, ...target } = { ...loadTarget(options.url), ...trusting(options.certificates) };
    this.host = options.host ?? host;
    this.timeout = options.timeout ?? 60_000;
    this.protocols = options.protocols ?? (target.origin.startsWith('https:') ? ['HTTP/1.1', 'HTTP/2'] : ['HTTP/1.1']);
    if (this.protocols.length === 0) throw new InvalidOption('protocols', [], 'is empty: give one or both');
    const origins = new Map((options.nodes ?? []).map((node) => [node, loadTarget(node.url).origin]));
    this.health = options.nodes === undefined ? undefined : new NodeHealth(options.nodes);
    const all = this.health === undefined ? [target.origin] : [...origins.values()];
    const usable = () => this.health?.healthy.map((node) => origins.get(node) ?? target.origin) ?? all;
    this.connections = new LoadConnections(
      all,
      usable,
      { timeout: this.timeout, ...trusting(options.certificates) },
      { headersTimeout: this.timeout, bodyTimeout: this.timeout },
    );
    this.http2Connections = new Http2Connections({ ...target, host: this.host }, all, usable);
    this.finished = new Promise<void>((resolve) => {
      this.sentAll = resolve;
    }).then(() => this.result());
    this.sendDue();
  }

  /** Sums up what was answered or lost since the last time, and forgets it: for runs of hours. */
  take(): LoadResult {
    return loadResult(this.requests.splice(0), this.delays.splice(0));
  }

  /** Sends no more, and waits for what is under way. */
  stop(): Promise<LoadResult> {
    this.total = this.sent;
    clearTimeout(this.timer);
    this.sendGathered();
    this.sentAll();
    return this.finished;
  }

  private sendDue(): void {
    const due = Math.min(this.total, 1 + Math.floor(((performance.now() - this.begin) * this.options.rate) / 1000));
    while (this.sent < due) {
      this.delays.push(performance.now() - this.begin - (this.sent * 1000) / this.options.rate);
      this.send(this.sent);
      this.sent += 1;
    }
    if (this.sent >= this.total) {
      this.sendGathered();
      this.sentAll();
      return;
    }
    const next = this.begin + (this.sent * 1000) / this.options.rate;
    this.timer = setTimeout(() => {
      this.sendDue();
    }, next - performance.now());
  }

  private async result(): Promise<LoadResult> {
    await Promise.all(this.underWay);
    this.health?.stop();
    this.http2Connections.destroy();
    await this.connections.destroy();
    return loadResult(this.requests, this.delays);
  }

  /** A GET and a POST by one protocol, then by the next. */
  private send(index: number): void {
    const method = index % 2 === 0 ? 'GET' : 'POST';
    const pair = Math.floor(index / 2);
    /** The number among those of its protocol. */
    const number = Math.floor(pair / this.protocols.length) * 2 + (index % 2);
    // One GET and one POST of each twenty.
    const isNew = number % 20 === 0 || number % 20 === 11;
    if (inTurn(this.protocols, pair) === 'HTTP/1.1') this.follow(this.sendHttp1(method, isNew));
    else if (isNew) this.follow(this.sendHttp2([method], this.http2Connections.newConnection()));
    else if (this.gathered.push(method) === multiplexed) this.sendGathered();
  }

  private sendGathered(): void {
    const methods = this.gathered.splice(0);
    if (methods.length > 0) this.follow(this.sendHttp2(methods, this.http2Connections.next()));
  }

  private follow(sending: Promise<void>): void {
    this.underWay.add(sending);
    void sending.then(() => this.underWay.delete(sending));
  }

  private async sendHttp1(method: Method, isNew: boolean): Promise<void> {
    const connection = isNew ? this.connections.newConnection() : this.connections.next();
    const noted = this.noted(method, 'HTTP/1.1', connection.connectionUse);
    const { path, headers, body } = this.content(noted);
    try {
      const response = await connection.dispatcher.request({
        method,
        path,
        headers: { host: this.host, ...headers },
        body,
      });
      const text = await response.body.text();
      connection.done(keepAliveSeconds(response.headers['keep-alive']));
      this.keep(noted, judgedAnswer(noted, response.statusCode, text, this.options.statuses));
    } catch (error) {
      connection.done(undefined);
      this.keep(noted, noAnswer(error));
    }
  }

  private async sendHttp2(methods: readonly Method[], use: Http2Use): Promise<void> {
    await Promise.all(methods.map((method) => this.sendOneHttp2(method, use)));
    use.done();
  }

  private async sendOneHttp2(method: Method, use: Http2Use): Promise<void> {
    const noted = this.noted(method, 'HTTP/2', use.connectionUse);
    const { path, headers, body } = this.content(noted);
    const head = { ':method': method, ':path': path, ...headers };
    const { repeats, ...ended } = await http2RequestUntilProcessed(use, head, body, this.timeout);
    this.keep(noted, {
      ...(repeats === 0 ? {} : { repeats }),
      ...('error' in ended
        ? noAnswer(ended.error)
        : judgedAnswer(noted, ended.answer.status, ended.answer.text, this.options.statuses)),
    });
  }

  private noted(method: Method, protocol: Protocol, connectionUse: LoadRequest['connectionUse']): Noted {
    return {
      id: randomUUID(),
      method,
      protocol,
      connectionUse,
      ...this.nextKey(),
      ...this.nextPrefix(),
      started: Date.now(),
      begin: performance.now(),
    };
  }

  private nextKey(): Pick<LoadRequest, 'key'> {
    const { keys } = this.options;
    if (keys === undefined) return {};
    this.keyTurn = (this.keyTurn + 1) % keys.count;
    return { key: `key-${this.keyTurn}` };
  }

  private nextPrefix(): Pick<LoadRequest, 'prefix'> {
    const { prefixes } = this.options;
    if (prefixes === undefined) return {};
    this.prefixTurn += 1;
    return { prefix: inTurn(prefixes, this.prefixTurn) };
  }

  private content({ method, id, key, prefix = '' }: Noted): Content {
    const { getPath = '/healthcheck', postPath = '/echo', keys } = this.options;
    const ofKey = keys === undefined || key === undefined ? {} : { [keys.header]: key };
    const own = { ...this.options.headers, ...ofKey, 'x-request-id': id };
    if (method === 'GET') return { path: prefix + getPath, headers: own, body: null };
    const headers = { ...own, 'content-type': 'application/json' };
    return { path: prefix + postPath, headers, body: JSON.stringify({ id }) };
  }

  private keep({ begin, ...request }: Noted, answer: LoadAnswer & Pick<LoadRequest, 'repeats'>): void {
    this.requests.push({ ...request, milliseconds: performance.now() - begin, ...answer });
  }
}

/** A request that is under way. */
type Noted = Pick<LoadRequest, 'id' | 'method' | 'protocol' | 'connectionUse' | 'key' | 'prefix' | 'started'> & {
  readonly begin: number;
};

interface Content {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

function keepAliveSeconds(header: string | string[] | undefined): number | undefined {
  const match = /timeout=(\d+)/.exec(String(header));
  return match === null ? undefined : Number(match[1]);
}
