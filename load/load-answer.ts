import { answerHostname } from './answer-hostname';
import type { LoadRequest } from './load-request';

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
