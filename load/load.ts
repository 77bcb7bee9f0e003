import { randomUUID } from 'node:crypto';
import { integer } from '../values/integer';
import { answerHostname } from './answer-hostname';
import { type LoadConnection, LoadConnections } from './load-connections';
import type { LoadRequest } from './load-request';
import { type LoadResult, loadResult } from './load-result';
import { loadTarget } from './load-target';
import { type LoadNode, NodeHealth } from './node-health';
import { trusting } from './trusting';

export interface LoadOptions {
  /** On this machine: `https://localhost:8443`. */
  readonly url: string;
  /** Spreads the load over these nodes instead, and takes those out whose health check fails, as a load balancer does. */
  readonly nodes?: readonly LoadNode[];
  /** Requests a second. They are sent when their time has come, whether or not earlier ones were answered. */
  readonly rate: number;
  /** How many requests to send in all; without it, until `stop`. */
  readonly total?: number;
  /** Certificates to trust, in PEM. */
  readonly certificates?: readonly string[];
  /** @default '/healthcheck' */
  readonly getPath?: string;
  /** Gets JSON. @default '/echo' */
  readonly postPath?: string;
  /**
   * The statuses that the API itself gives. Without them it is the example API: both are 200, and every answer is JSON
   * with `hostname`, that of a POST with what was sent.
   */
  readonly statuses?: { readonly GET: number; readonly POST: number };
  /** How long one request may take before it counts as lost, in milliseconds. @default 60000 */
  readonly timeout?: number;
}

/**
 * Open-loop load: so many requests a second, half GET and half POST, each accounted for.
 * The client retries nothing, so that what it counts is what the other side did.
 */
export class Load {
  /** Every request that was answered or lost so far. */
  readonly requests: LoadRequest[] = [];
  /** Settles once the last request sent was answered or lost. */
  readonly finished: Promise<LoadResult>;

  private readonly host: string;
  private readonly connections: LoadConnections;
  /** How much later than its time each request was sent, in milliseconds: what this client itself lacked. */
  private readonly delays: number[] = [];
  private readonly begin = performance.now();
  private readonly underWay = new Set<Promise<void>>();
  private sent = 0;
  private total: number;
  private timer: NodeJS.Timeout | undefined;
  private readonly health: NodeHealth | undefined;
  private sentAll: () => void = () => undefined;

  constructor(private readonly options: LoadOptions) {
    integer('rate', options.rate, 1, 10_000);
    this.total =
      options.total === undefined ? Number.POSITIVE_INFINITY : integer('total', options.total, 1, 10_000_000);
    const target = loadTarget(options.url);
    const timeout = options.timeout ?? 60_000;
    this.host = target.host;
    const origins = new Map((options.nodes ?? []).map((node) => [node, loadTarget(node.url).origin]));
    this.health = options.nodes === undefined ? undefined : new NodeHealth(options.nodes);
    this.connections = new LoadConnections(
      this.health === undefined ? [target.origin] : [...origins.values()],
      () => this.health?.healthy.map((node) => origins.get(node) ?? target.origin) ?? [target.origin],
      { timeout, ...trusting(options.certificates) },
      { headersTimeout: timeout, bodyTimeout: timeout },
    );
    this.finished = new Promise<void>((resolve) => {
      this.sentAll = resolve;
    }).then(() => this.result());
    this.sendDue();
  }

  /** Sends no more, and waits for what is under way. */
  stop(): Promise<LoadResult> {
    this.total = this.sent;
    clearTimeout(this.timer);
    this.sentAll();
    return this.finished;
  }

  private sendDue(): void {
    const due = Math.min(this.total, 1 + Math.floor(((performance.now() - this.begin) * this.options.rate) / 1000));
    while (this.sent < due) {
      this.delays.push(performance.now() - this.begin - (this.sent * 1000) / this.options.rate);
      const sending = this.send(this.sent);
      this.sent += 1;
      this.underWay.add(sending);
      void sending.then(() => this.underWay.delete(sending));
    }
    if (this.sent >= this.total) {
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
    await this.connections.destroy();
    return loadResult(this.requests, this.delays);
  }

  private async send(index: number): Promise<void> {
    const id = randomUUID();
    const method = index % 2 === 0 ? 'GET' : 'POST';
    const connection = this.connections.next(index);
    const started = Date.now();
    const begin = performance.now();
    let answer: Answer;
    try {
      answer = await this.ask(id, method, connection);
    } catch (error) {
      connection.done(undefined);
      answer = { error: describe(error) };
    }
    this.requests.push({
      id,
      method,
      road: connection.road,
      started,
      milliseconds: performance.now() - begin,
      ...answer,
    });
  }

  private async ask(id: string, method: 'GET' | 'POST', connection: LoadConnection): Promise<Answer> {
    const { getPath = '/healthcheck', postPath = '/echo', statuses } = this.options;
    const headers = { host: this.host, 'x-request-id': id };
    const response = await connection.dispatcher.request(
      method === 'GET'
        ? { method, path: getPath, headers }
        : {
            method,
            path: postPath,
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify({ id }),
          },
    );
    const status = response.statusCode;
    const text = await response.body.text();
    connection.done(keepAliveSeconds(response.headers['keep-alive']));
    const hostname = answerHostname(text);
    // An error that names its instance is the API's own answer, which no proxy may hide.
    const own = status >= 500 && hostname !== undefined;
    if (status !== (statuses?.[method] ?? 200) && !own) return { status, error: `status ${status}` };
    if (statuses !== undefined) return { status };
    if (hostname === undefined) return { status, error: 'the answer names no hostname' };
    if (method === 'POST' && !text.includes(id)) return { status, hostname, error: 'the answer is not what was sent' };
    return { status, hostname };
  }
}

type Answer = Pick<LoadRequest, 'status' | 'hostname' | 'error'>;

function keepAliveSeconds(header: string | string[] | undefined): number | undefined {
  const match = /timeout=(\d+)/.exec(String(header));
  return match === null ? undefined : Number(match[1]);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `${code}${error.message}`;
}
