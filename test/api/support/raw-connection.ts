import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onFileFinished } from '../../afterwards';

/** A TCP connection whose every byte a test decides and sees. */
export class RawConnection {
  received = '';
  readonly closed: Promise<void>;

  private constructor(readonly socket: Socket) {
    onFileFinished(() => socket.destroy());
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => {
      this.received += data;
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
      });
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  write(...lines: string[]): void {
    this.socket.write(lines.join('\r\n'));
  }

  get(path: string): void {
    this.write(`GET ${path} HTTP/1.1`, 'Host: test', '', '');
  }

  /** What was received, once it has what is waited for; fails if the connection closes without it. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      if (this.socket.destroyed) throw new Error(`closed before ${JSON.stringify(text)}: ${this.received}`);
      await Promise.race([once(this.socket, 'data'), this.closed]);
    }
    return this.received;
  }

  count(text: string): number {
    return this.received.split(text).length - 1;
  }

  destroy(): void {
    this.socket.destroy();
  }
}
