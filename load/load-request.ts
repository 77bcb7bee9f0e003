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
  /** What of `LoadOptions.keys` it had. */
  readonly key?: string;
  /** What of `LoadOptions.prefixes` its path began with. */
  readonly prefix?: string;
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

export type LoadAnswer = Pick<LoadRequest, 'status' | 'hostname' | 'error'>;

/** The statuses that an API itself gives. */
export interface Statuses {
  readonly GET: number;
  readonly POST: number;
}

/**
 * What became of a request that got a whole answer. Without statuses it is one of the example API: both are 200, and
 * every answer is JSON with `hostname`, that of a POST with what was sent.
 */
export function judgedAnswer(
  { method, id }: Pick<LoadRequest, 'method' | 'id'>,
  status: number,
  text: string,
  statuses: Statuses | undefined,
): LoadAnswer {
  const hostname = answerHostname(text);
  // An error that names its instance is the API's own answer, which no proxy may hide.
  const own = status >= 500 && hostname !== undefined;
  if (status !== (statuses?.[method] ?? 200) && !own) return { status, error: `status ${status}` };
  if (statuses !== undefined) return { status };
  if (hostname === undefined) return { status, error: 'the answer names no hostname' };
  if (method === 'POST' && !text.includes(id)) return { status, hostname, error: 'the answer is not what was sent' };
  return { status, hostname };
}

/** What became of a request that got none. */
export function noAnswer(error: unknown): LoadAnswer {
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  return { error: `${typeof code === 'string' ? `${code}: ` : ''}${message ?? String(error)}` };
}

/** The instance that JSON text names, if it does. */
export function answerHostname(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'hostname' in value && typeof value.hostname === 'string') {
      return value.hostname;
    }
  } catch {
    // Not JSON: the same as without a hostname.
  }
  return undefined;
}
