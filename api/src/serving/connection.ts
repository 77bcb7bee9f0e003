import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { watchHeaders } from './response-headers';
import { UpgradedConnection } from './web-socket-end';

/** One accepted connection: what is in flight on it, and how it ends without losing any of that. */
export class Connection {
  private readonly responses = new Set<ServerResponse>();
  private readonly eventStreams = new Set<ServerResponse>();
  private upgraded: UpgradedConnection | undefined;
  private draining = false;
  /** How many bytes had come when the last request was done with; more means that another one has begun. */
  private settledBytes = 0;
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly idleGrace: number,
  ) {
    socket.once('close', () => {
      clearTimeout(this.idleTimer);
    });
  }

  get requestsInFlight(): number {
    return this.responses.size;
  }

  get isUpgraded(): boolean {
    return this.upgraded !== undefined;
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    this.responses.add(response);
    watchHeaders(response, {
      // Requests already sent behind this one are answered first: after `Connection: close` no client reads on.
      last: () => this.draining && [...this.responses].at(-1) === response,
      written: (contentType) => {
        if (!/^text\/event-stream\b/i.test(contentType)) return;
        this.eventStreams.add(response);
        if (this.draining) setImmediate(endEventStream, response);
      },
    });
    request.once('close', () => {
      this.settledBytes = this.socket.bytesRead;
    });
    response.once('close', () => {
      this.responses.delete(response);
      this.eventStreams.delete(response);
      this.settledBytes = this.socket.bytesRead;
      if (this.draining) this.closeWhenIdle();
    });
  }

  upgrade(request: IncomingMessage): void {
    this.upgraded = new UpgradedConnection(request, this.socket);
    // Node takes its own error handler away, and a reset by the peer must not bring the process down.
    this.socket.on('error', () => {
      this.socket.destroy();
    });
    if (this.draining) this.upgraded.goAway();
  }

  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.eventStreams.forEach(endEventStream);
    this.upgraded?.goAway();
    this.closeWhenIdle();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** The client may be sending a request at this very moment, so an idle connection is not closed at once. */
  private closeWhenIdle(): void {
    if (this.socket.destroyed) return;
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => {
      if (this.isIdle) this.socket.destroy();
    }, this.idleGrace);
  }

  private get isIdle(): boolean {
    return this.upgraded === undefined && this.responses.size === 0 && this.socket.bytesRead === this.settledBytes;
  }
}

function endEventStream(response: ServerResponse): void {
  if (response.writableEnded) return;
  // What the app goes on writing until it hears of the end must not bring the process down.
  response.on('error', () => undefined);
  response.end();
}
