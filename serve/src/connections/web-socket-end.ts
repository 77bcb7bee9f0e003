import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** FIN and opcode 8, two bytes of payload, status 1001 "going away"; a server's frames are not masked. RFC 6455, 5.5.1. */
const goingAway = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
const handshakeCheckMilliseconds = 50;

/**
 * A connection that has left HTTP for WebSocket or another protocol. The close frame is written to the socket itself, so
 * that it works with any WebSocket library: the library then sees the peer's close frame, answers it and ends the socket.
 */
export class UpgradedConnection {
  private readonly bytesBeforeHandshake: number;
  private readonly isWebSocket: boolean;

  constructor(
    request: IncomingMessage,
    private readonly socket: Socket,
  ) {
    this.bytesBeforeHandshake = socket.bytesWritten;
    this.isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
  }

  /** Tells the peer to go elsewhere. How another protocol ends is not known, so that one is left to end by itself. */
  goAway(): void {
    if (!this.isWebSocket || this.sendClose()) return;
    // An app that looks a user up first writes its 101 later, and nothing may come before that.
    const check = setInterval(() => {
      if (this.socket.destroyed || this.sendClose()) clearInterval(check);
    }, handshakeCheckMilliseconds);
    this.socket.once('close', () => {
      clearInterval(check);
    });
  }

  private sendClose(): boolean {
    if (this.socket.bytesWritten === this.bytesBeforeHandshake) return false;
    if (this.socket.writable) this.socket.write(goingAway);
    return true;
  }
}
