import type { Socket } from 'node:net';
import { type RawData, WebSocket } from 'ws';

interface Message {
  readonly data: RawData | string;
  readonly binary: boolean;
}

export interface Stalls {
  /** Milliseconds after which a client that reads too slowly is told to go; `ws` cuts it off 30 s later. */
  readonly longest: number;
  /** Told when no more is read from the client for now. */
  begun(): void;
  /** Told when the client is told to go. */
  ended(): void;
}

/** How much may be on its way to a client before no more is read from it: bytes, and messages, as each costs memory. */
const highWaterMark = { bytes: 64 * 1024, messages: 256 };
/** RFC 6455, 7.4.1: "policy violation", for what no other code fits. */
const policyViolation = 1008;

/** A WebSocket whose messages are read no faster than its client reads the answers. */
export class EchoedWebSocket {
  private readonly waiting: Message[] = [];
  private messagesOnTheirWay = 0;
  private stall: NodeJS.Timeout | undefined;
  private bytesReadAtPing = -1;

  constructor(
    private readonly webSocket: WebSocket,
    private readonly socket: Socket,
    private readonly stalls: Stalls,
  ) {
    webSocket.on('close', () => {
      clearTimeout(this.stall);
    });
  }

  get isStalled(): boolean {
    return this.webSocket.isPaused;
  }

  send(message: Message): void {
    this.waiting.push(message);
    this.flow();
  }

  terminate(): void {
    this.webSocket.terminate();
  }

  /** Keeps a silent connection alive, and ends one that has not sent a byte since the last ping. */
  ping(): void {
    const { webSocket, socket } = this;
    // What a stalled one sends is not read.
    if (webSocket.readyState !== WebSocket.OPEN || webSocket.isPaused) return;
    if (socket.bytesRead === this.bytesReadAtPing) {
      webSocket.terminate();
      return;
    }
    this.bytesReadAtPing = socket.bytesRead;
    webSocket.ping();
  }

  private flow(): void {
    const { webSocket, waiting } = this;
    // Once a close frame was sent, only the peer's own is of interest.
    if (webSocket.readyState !== WebSocket.OPEN) waiting.length = 0;
    while (webSocket.bufferedAmount <= highWaterMark.bytes && this.messagesOnTheirWay < highWaterMark.messages) {
      const message = waiting.shift();
      if (message === undefined) break;
      this.messagesOnTheirWay += 1;
      webSocket.send(message.data, { binary: message.binary }, () => {
        this.messagesOnTheirWay -= 1;
        this.flow();
      });
    }
    if (waiting.length > 0) this.pause();
    else this.resume();
  }

  /** What is left in the last chunk that was read comes even so, and waits. */
  private pause(): void {
    if (this.webSocket.isPaused) return;
    this.webSocket.pause();
    this.stall = setTimeout(() => {
      this.webSocket.close(policyViolation, 'reads too slowly');
      this.stalls.ended();
    }, this.stalls.longest);
    this.stalls.begun();
  }

  private resume(): void {
    if (!this.webSocket.isPaused) return;
    clearTimeout(this.stall);
    this.webSocket.resume();
  }
}
