import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly json: unknown;
}

/** The answer to one request, on a connection of its own. */
export async function answer(
  port: number,
  path: string,
  options: RequestOptions & { readonly body?: string | Buffer } = {},
): Promise<Answer> {
  const { body: sent, ...rest } = options;
  const outgoing = request({ port, host: '127.0.0.1', path, agent: false, ...rest });
  outgoing.end(sent);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await text(incoming);
  const json = incoming.headers['content-type']?.startsWith('application/json')
    ? (JSON.parse(body) as unknown)
    : undefined;
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body, json };
}
