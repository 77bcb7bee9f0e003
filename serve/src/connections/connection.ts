import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { requestId } from '../request-id';
import { clientErrorStatus, rawErrorAnswer } from './client-error';
import { EventStream, isEventStream, takesComments } from './event-stream';
import { watchHeaders } from './response-headers';
import { UpgradedConnection } from './web-socket-end';

type WriteArguments = [chunk: unknown, encodingOrCallback?: unknown, callback?: unknown];

/** How long what a refused client goes on sending is taken: a connection closed before would reset, answer and all. */
const lingerMilliseconds = 5000;

/** One accepted connection: what is in flight on it, and how it ends without losing any of that. */
export class Connection {
  private readonly responses = new Set<ServerResponse>();
  private readonly eventStreams = new Map<ServerResponse, EventStream>();
  private upgraded: UpgradedConnection | undefined;
  private draining = false;
  /** How many bytes had come when the last request was done with; more means that another one has begun. */
  private settledBytes = 0;
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly idleGrace: number,
    private readonly heartbeat: number,
  ) {
    socket.once('close', () => {
      clearTimeout(this.idleTimer);
      this.eventStreams.forEach((stream) => {
        stream.stop();
      });
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
    const write = (response.write as (...args: WriteArguments) => boolean).bind(response);
    response.write = (...args: WriteArguments) => {
      const taken = write(...args);
      this.eventStreams.get(response)?.wrote(args[0], args[1]);
      return taken;
    };
    watchHeaders(response, {
      // Requests already sent behind this one are answered first: after `Connection: close` no client reads on.
      last: () => this.draining && [...this.responses].at(-1) === response,
      written: (header) => {
        if (this.socket.destroyed || !isEventStream(header('content-type'))) return;
        const stream = new EventStream(response, write);
        this.eventStreams.set(response, stream);
        if (this.draining)
          setImmediate(() => {
            stream.end();
          });
        else if (this.heartbeat > 0 && takesComments(header)) stream.keepAlive(this.heartbeat);
      },
    });
    request.once('close', () => {
      this.settledBytes = this.socket.bytesRead;
      // What was left of its body may have come after the answer was done.
      if (this.draining) this.closeWhenIdle();
    });
    response.once('close', () => {
      this.responses.delete(response);
      this.eventStreams.get(response)?.stop();
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

  /** Answers what the parser of HTTP did not take, unless another answer has begun. */
  refuse(error: NodeJS.ErrnoException): void {
    if (!this.socket.writable) return;
    const [first] = this.responses;
    if (first?.headersSent === true) this.socket.end();
    else this.socket.end(rawErrorAnswer(clientErrorStatus(error), first && requestId(first.req)));
    const linger = setTimeout(() => {
      this.socket.destroy();
    }, lingerMilliseconds);
    this.socket.once('close', () => {
      clearTimeout(linger);
    });
  }

  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.eventStreams.forEach((stream) => {
      stream.end();
    });
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
