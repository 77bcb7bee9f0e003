import { type ClientHttp2Session } from 'node:http2';
import { Agent } from 'node:https';
import { Timeline } from '../../model/timeline';
import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { http2Session, statusOver } from './support/http2';
import { fastTimeline } from './support/models';
import { OneInstance, startWithOneInstance } from './support/one-instance';

type Ends = Pick<Timeline, 'clientConnectionRequests' | 'http1ConnectionTime' | 'http2ConnectionTime'>;

/** A connection of each protocol to a proxy that ends them so. */
async function start(ends: Ends): Promise<{ readonly http1: Http1Connection; readonly http2: Http2Connection }> {
  const system = await startWithOneInstance({ timeline: { ...fastTimeline, ...ends } });
  onTestFinished(() => system.stop());
  return { http1: new Http1Connection(system), http2: new Http2Connection(system) };
}

class Http1Connection {
  /** What each answer says of the connection. */
  readonly said: (string | undefined)[] = [];
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(private readonly system: OneInstance) {
    onTestFinished(() => {
      this.agent.destroy();
    });
  }

  async ask(): Promise<void> {
    const { status, headers } = await this.system.nginx.get({ agent: this.agent });
    expect(status).toBe(200);
    this.said.push(headers.connection as string | undefined);
  }

  get isEnded(): boolean {
    return this.said.at(-1) === 'close';
  }
}

class Http2Connection {
  asked = 0;
  /** With its code, and the last stream that is answered. */
  readonly goAways: [code: number, lastStream: number][] = [];
  private readonly session: ClientHttp2Session;

  constructor({ nginx }: OneInstance) {
    this.session = http2Session(nginx);
    this.session.on('goaway', (code: number, lastStream: number) => this.goAways.push([code, lastStream]));
  }

  async ask(): Promise<void> {
    this.asked += 1;
    expect(await statusOver(this.session, '/')).toBe(200);
  }

  /** Of all that were asked one after the other. */
  get lastStream(): number {
    return 2 * this.asked - 1;
  }
}

const long = 86_400;
const many = 1_000_000;

test('a connection of HTTP/1.1 ends after its own time, with an answer that says so, and none of HTTP/2 does', async () => {
  const { http1, http2 } = await start({
    clientConnectionRequests: many,
    http1ConnectionTime: 1,
    http2ConnectionTime: long,
  });
  await http2.ask();
  await until(async () => {
    await http1.ask();
    return http1.isEnded;
  }, 'the end of a connection of HTTP/1.1');
  expect(http1.said.length).toBeGreaterThan(1);
  expect(new Set(http1.said.slice(0, -1))).toEqual(new Set(['keep-alive']));
  // It is older than the other one.
  await http2.ask();
  expect(http2.goAways).toEqual([]);
});

test('a connection of HTTP/2 ends after its own time, with GOAWAY and an answer, and none of HTTP/1.1 does', async () => {
  const { http1, http2 } = await start({
    clientConnectionRequests: many,
    http1ConnectionTime: long,
    http2ConnectionTime: 1,
  });
  await http1.ask();
  await until(async () => {
    await http2.ask();
    return http2.goAways.length > 0;
  }, 'GOAWAY');
  expect(http2.asked).toBeGreaterThan(1);
  expect(http2.goAways).toEqual([[0, http2.lastStream]]);
  await http1.ask();
  expect(http1.said).toEqual(['keep-alive', 'keep-alive']);
});

test('a connection of either protocol ends after its number of requests, all of which are answered', async () => {
  const { http1, http2 } = await start({
    clientConnectionRequests: 5,
    http1ConnectionTime: long,
    http2ConnectionTime: long,
  });
  while (!http1.isEnded) await http1.ask();
  expect(http1.said).toEqual([...Array<string>(4).fill('keep-alive'), 'close']);
  while (http2.goAways.length === 0) await http2.ask();
  expect(http2.asked).toBe(5);
  expect(http2.goAways).toEqual([[0, http2.lastStream]]);
});
