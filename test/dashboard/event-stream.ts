import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { onTestFinished } from '../afterwards';

interface ServerSentEvent {
  readonly event: string;
  readonly data: unknown;
}

/** What a server sends to a page, as an EventSource reads it. */
export class EventStream {
  readonly events: ServerSentEvent[] = [];
  /** Settles when the server ends it. */
  readonly ended: Promise<void>;
  private readonly request: ClientRequest;
  private wake: () => void = () => undefined;
  private isOver = false;

  constructor(port: number, path = '/events') {
    let end: () => void = () => undefined;
    this.ended = new Promise((resolve) => (end = resolve));
    this.request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      this.read(response);
      response.once('close', end);
    });
    this.request.on('error', end);
    void this.ended.then(() => {
      this.isOver = true;
      this.wake();
    });
    onTestFinished(() => {
      this.close();
    });
  }

  close(): void {
    this.request.destroy();
  }

  /** The data of the first event of this kind that is as it should be. Rejects if there is no more to come. */
  async next<Data>(event: string, is: (data: Data) => boolean = () => true): Promise<Data> {
    for (let index = 0; ; index += 1) {
      while (index >= this.events.length) {
        if (this.isOver) throw new Error(`ended without ${event}`);
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
      const { event: name, data } = this.events[index] ?? {};
      if (name === event && is(data as Data)) return data as Data;
    }
  }

  private read(response: IncomingMessage): void {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (text + chunk).split('\n\n');
      text = messages.pop() ?? '';
      for (const message of messages) {
        const [, event = '', data = ''] = /event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
        this.events.push({ event, data: JSON.parse(data) });
      }
      this.wake();
    });
    // A server that is killed.
    response.on('error', () => undefined);
  }
}
