/** How a request finds its connection: one of its own, a busy kept one, or a kept one after a pause. */
export type Road = 'new' | 'kept' | 'paused';

/** One request and what became of it. Nothing is sent twice: an error stays an error. */
export interface LoadRequest {
  /** Sent as `X-Request-Id`; the proxy's access log carries it too. */
  readonly id: string;
  readonly method: 'GET' | 'POST';
  readonly road: Road;
  /** When it was sent and how long its answer took, both in milliseconds; `started` since the epoch. */
  readonly started: number;
  readonly milliseconds: number;
  /** The instance that answered, if one did. */
  readonly hostname?: string;
  readonly status?: number;
  /** Why it counts as lost: no answer, a broken one, another status than 200, or another body than expected. */
  readonly error?: string;
}
