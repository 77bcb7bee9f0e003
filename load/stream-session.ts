export type StreamKind = 'WebSocket' | 'event stream' | 'HTTP/2 event stream';

/** How a connection that was held came to its end. */
export type StreamEnding =
  /** A WebSocket's close frame came; 1005 stands for one without a code. */
  | { readonly how: 'closed'; readonly code: number; readonly reason: string }
  /** The last chunk of an event stream came, or the end of its HTTP/2 stream. */
  | { readonly how: 'ended' }
  /** The connection went away without either, or was refused. */
  | { readonly how: 'broken'; readonly error: string }
  /** Still open, as it seemed, but nothing came any more. */
  | { readonly how: 'silent' }
  /** Held until the run was over. */
  | { readonly how: 'stopped' };

/** What a client did after its connection had ended. */
export interface Comeback {
  /** From the end until a connection was open again; if none was, until the run was over. */
  readonly milliseconds: number;
  /** Attempts that led nowhere. */
  readonly refused: number;
  /** The instance it is on now; absent if no connection was open again. */
  readonly hostname?: string;
}

/** One connection, from its first answer to its end. Times are milliseconds since the epoch. */
export interface StreamSession {
  readonly kind: StreamKind;
  /** The number of its client, from 0: a client comes back with its number. */
  readonly client: number;
  readonly hostname: string;
  readonly openedAt: number;
  readonly endedAt: number;
  /** Echoes or events that came. */
  readonly messages: number;
  readonly ending: StreamEnding;
  /** Absent if it was held until the run was over. */
  readonly comeback?: Comeback;
}

/** An ending in words, the same for all that ended in the same way. */
export function endingText(ending: StreamEnding): string {
  switch (ending.how) {
    case 'closed':
      return `closed with ${ending.code}${ending.reason === '' ? '' : ` ${JSON.stringify(ending.reason)}`}`;
    case 'ended':
      return 'ended with its last chunk';
    case 'broken':
      return `broken: ${ending.error}`;
    case 'silent':
      return 'silent';
    case 'stopped':
      return 'held to the end';
  }
}
