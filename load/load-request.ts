/** How a request finds its connection: one of its own, a busy kept one, or a kept one after a pause. */
export type ConnectionUse = 'new' | 'kept' | 'paused';

export type Protocol = 'HTTP/1.1' | 'HTTP/2';

/** One request and what became of it. Only what an HTTP/2 server says it did not process is sent again: an error stays an error. */
export interface LoadRequest {
  /** Sent as `X-Request-Id`; the proxy's access log carries it too. */
  readonly id: string;
  readonly method: 'GET' | 'POST';
  readonly protocol: Protocol;
  readonly connectionUse: ConnectionUse;
  /** When it was sent and how long its answer took, both in milliseconds; `started` since the epoch. */
  readonly started: number;
  readonly milliseconds: number;
  /** The instance that answered, if one did. */
  readonly hostname?: string;
  /** How often it was sent again, as GOAWAY or REFUSED_STREAM said that the server had not processed it; absent if never. */
  readonly repeats?: number;
  readonly status?: number;
  /** Why it counts as lost: no answer, a broken one, another status than 200, or another body than expected. */
  readonly error?: string;
}
