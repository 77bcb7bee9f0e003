import { shellWord } from '../local/shell-words';
import { isGrpc } from '../model/routes/route';
import type { AccessLogLine } from './access-log-line';
import type { LoggedRequest } from './logged-request';

/** Where `npm start` listens unless it is told otherwise. */
const localPorts = { https: 8443, http: 8080 } as const;

/** Ends the id of a request that was sent again, by which the log has it. */
const again = '-again';

/** Bytes that nginx logs at most: what is as long may have gone on. */
const longest = { host: 100, path: 800 } as const;

/** Bytes of one character: nginx cuts a path between two. */
const longestCharacter = 4;

/**
 * A command that sends a request again, as far as the log has it: no query string, no body, no header of its client. Undefined where its host,
 * its method or its path is not one that a client could have sent, or not whole.
 */
export function repeatCommand(request: LoggedRequest): string | undefined {
  const { line, deployment, routes } = request;
  const { host, method, protocol, requestId } = line;
  const isSent = /^(?:[\w-]+(?:\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\])$/.test(host) && /^[A-Za-z-]{1,20}$/.test(method);
  const isLonger = host.length >= longest.host || Buffer.byteLength(line.path) > longest.path;
  if (!isSent || isLonger || host.startsWith('-') || method.startsWith('-')) return undefined;
  const isLocal = host === 'localhost';
  const scheme = line.tls === '' ? 'http' : 'https';
  const isOtherPort = deployment !== undefined && deployment.httpsPort !== 443;
  const port = scheme === 'https' && isOtherPort ? deployment.httpsPort : isLocal ? localPorts[scheme] : undefined;
  const authority = `${host}${port === undefined ? '' : `:${port}`}`;
  const id = /^[\w.-]{1,128}$/.test(requestId) ? `${requestId.slice(0, 128 - again.length)}${again}` : undefined;
  if (line.grpcStatus !== undefined && routes.every(isGrpc)) {
    return command([
      'grpcurl',
      ...(isLocal ? ['-insecure'] : []),
      ...(id === undefined ? [] : ['-H', `X-Request-Id: ${id}`]),
      ...['-d', '@', port === undefined ? `${host}:443` : authority, urlPath(line.path).slice(1)],
    ]);
  }
  return command([
    ...['curl', '--include'],
    ...(isLocal && scheme === 'https' ? ['--insecure'] : []),
    ...(protocol === 'HTTP/1.1' && scheme === 'https' ? ['--http1.1'] : []),
    ...(method === 'HEAD' ? ['--head'] : method === 'GET' ? [] : ['--request', method]),
    // Its body is in no log: nobody sends another one by mistake.
    ...(['POST', 'PUT', 'PATCH'].includes(method) ? ['--data-binary', '@BODY-FILE'] : []),
    ...(/\/\.{1,2}(?:\/|$)/.test(line.path) ? ['--path-as-is'] : []),
    ...(id === undefined ? [] : ['--header', `X-Request-Id: ${id}`]),
    `${scheme}://${authority}${urlPath(line.path)}`,
  ]);
}

/** Whether the log may have the first bytes of a path alone. */
export function mayGoOn({ path }: AccessLogLine): boolean {
  return Buffer.byteLength(path) > longest.path - longestCharacter;
}

/** What RFC 3986 has in a path stays as its client wrote it; anything else is encoded, what curl and shells take for their own among it. */
function urlPath(path: string): string {
  const encoded = path
    .toWellFormed()
    .replaceAll(/[^\w\-.~!$&'()*+,;=:@%/]/gu, (character) => encodeURIComponent(character));
  return encoded.startsWith('/') ? encoded : `/${encoded}`;
}

function command(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}
