import { setTimeout as delay } from 'node:timers/promises';
import { endingText, type HeldStream, type StreamKind, type StreamSession } from './held-streams';

/** Pauses between attempts, in milliseconds: hundreds of clients that all come back must not be a load of their own. */
const firstPause = 100;
const longestPause = 1000;

/** What a client tells while it runs. */
export interface StreamClientEvents {
  /** Its first connection is open. */
  readonly opened: () => void;
  readonly refused: (reason: string) => void;
}

/**
 * A client that holds one connection, and comes back at once when it ends; after a pause if it was refused, or ended as
 * soon as it was open: an instance that ends lets some in and sends them away again.
 */
export class StreamClient {
  readonly sessions: StreamSession[] = [];
  /** The instance that it is on now. */
  hostname: string | undefined;
  private stream: HeldStream | undefined;
  private stopped = false;
  private finished: Promise<void> | undefined;

  constructor(
    private readonly kind: StreamKind,
    private readonly client: number,
    private readonly connect: () => HeldStream,
    private readonly events: StreamClientEvents,
  ) {}

  start(): void {
    this.finished = this.run();
  }

  /** Ends the connection; resolves once it is gone. A client that never started has nothing to end. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.stream?.close();
    await this.finished;
  }

  private async run(): Promise<void> {
    let ended: StreamSession | undefined;
    let refused = 0;
    let failures = 0;
    const pause = () => delay(Math.min(longestPause, firstPause * 2 ** Math.min(failures++, 10)));
    const keep = (hostname?: string) => {
      if (ended === undefined) return;
      const milliseconds = Date.now() - ended.endedAt;
      this.sessions.push({
        ...ended,
        comeback: { milliseconds, refused, ...(hostname === undefined ? {} : { hostname }) },
      });
    };
    while (!this.isStopped()) {
      const stream = this.connect();
      this.stream = stream;
      const hostname = await stream.opened;
      if (hostname === undefined) {
        const reason = endingText(await stream.ended);
        if (this.isStopped()) break;
        this.events.refused(reason);
        refused += 1;
        await pause();
        continue;
      }
      this.hostname = hostname;
      const openedAt = Date.now();
      if (this.sessions.length === 0 && ended === undefined) this.events.opened();
      keep(hostname);
      const ending = await stream.ended;
      this.hostname = undefined;
      ended = {
        kind: this.kind,
        client: this.client,
        hostname,
        openedAt,
        endedAt: Date.now(),
        messages: stream.messages,
        ending,
      };
      refused = 0;
      if (ending.how === 'stopped') {
        this.sessions.push(ended);
        return;
      }
      if (ended.endedAt - ended.openedAt >= longestPause) failures = 0;
      else await pause();
    }
    keep();
  }

  /** A method, because it changes while `run` waits. */
  private isStopped(): boolean {
    return this.stopped;
  }
}
