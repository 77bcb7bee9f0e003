import type { SecureContext } from 'node:tls';
import type { LoadTarget } from './load-target';
import type { StreamEnding } from './stream-session';

export interface StreamTarget extends LoadTarget {
  /** Whom to trust; undefined for those that Node.js trusts. */
  readonly secureContext?: SecureContext;
  /** Milliseconds without an answer after which a connection counts as silent, also while it opens. */
  readonly silence: number;
}

/** One connection that is held: it counts as open once an instance has said its name. */
export abstract class HeldStream {
  /** The instance's name; undefined if the connection ended without one. */
  readonly opened: Promise<string | undefined>;
  /** Resolves once the connection is gone. */
  readonly ended: Promise<StreamEnding>;
  /** Echoes or events that came after the first, which named the instance. */
  messages = -1;

  private readonly watch: NodeJS.Timeout;
  private cause: StreamEnding | undefined;
  private resolveOpened: (hostname: string | undefined) => void = () => undefined;
  private resolveEnded: (ending: StreamEnding) => void = () => undefined;

  protected constructor(silence: number) {
    this.opened = new Promise((resolve) => {
      this.resolveOpened = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.resolveEnded = resolve;
    });
    this.watch = setTimeout(() => {
      this.fail({ how: 'silent' });
    }, silence);
  }

  /** Ends it from this side. */
  close(): void {
    this.cause ??= { how: 'stopped' };
    this.disconnect();
  }

  /** Takes the connection down at once. */
  protected abstract destroy(): void;
  /** Takes it down as a client does that has no more use for it. */
  protected abstract disconnect(): void;

  /** An answer came: the first one has to name the instance. */
  protected answered(hostname: string | undefined): void {
    this.watch.refresh();
    this.messages += 1;
    if (this.messages > 0) return;
    if (hostname === undefined) this.fail({ how: 'broken', error: 'the answer names no hostname' });
    else this.resolveOpened(hostname);
  }

  /** The first cause counts: what follows, follows from it. */
  protected fail(cause: StreamEnding): void {
    this.cause ??= cause;
    this.destroy();
  }

  protected gone(ending: StreamEnding): void {
    clearTimeout(this.watch);
    this.resolveOpened(undefined);
    this.resolveEnded(this.cause ?? ending);
  }
}
