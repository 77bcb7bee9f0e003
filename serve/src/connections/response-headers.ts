import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { eventStreamHeaders, type Header, isEventStream } from './event-stream';

type GivenHeaders = OutgoingHttpHeaders | OutgoingHttpHeader[];
type WriteHeadArguments = [statusCode: number, reasonOrHeaders?: string | GivenHeaders, headers?: GivenHeaders];

export interface HeadersWatch {
  /** Asked when the headers are about to be written: is this the last answer of its connection? */
  last(): boolean;
  /** Told when they have been. */
  written(header: Header): void;
}

/**
 * Looks at the headers of a response at the moment they are written, makes them say `Connection: close` when this is the
 * last one, and marks event streams. Every way of writing headers in Node ends in `writeHead`, and only a property of the
 * response itself is seen by all of them: Express replaces its prototype.
 */
export function watchHeaders(response: ServerResponse, watch: HeadersWatch): void {
  const writeHead = Reflect.get(response, 'writeHead') as (...args: WriteHeadArguments) => ServerResponse;
  response.writeHead = (...args: WriteHeadArguments) => {
    const [status, second, third] = args;
    const reason = typeof second === 'string' ? [second] : [];
    let given = headerPairs(typeof second === 'string' ? third : second);
    const header = (name: string) => (find(given, name) ?? response.getHeader(name))?.toString();
    const added: Pair[] = isEventStream(header('content-type'))
      ? eventStreamHeaders.filter(([name]) => header(name) === undefined).map(([name, value]) => [name, value])
      : [];
    if (watch.last()) {
      // What the app itself says of the connection, often keep-alive on event streams, no longer holds.
      given = given.filter(([name]) => name.toLowerCase() !== 'connection');
      added.push(['Connection', 'close']);
    }
    const whole = added.length === 0 ? args : [status, ...reason, [...given, ...added].flat()];
    Reflect.apply(writeHead, response, whole);
    watch.written(header);
    return response;
  };
}

type Pair = [name: string, value: OutgoingHttpHeader | undefined];

/** Node takes an object, a flat list of names and values, and a list of pairs. */
function headerPairs(given: GivenHeaders | undefined): Pair[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return Object.entries(given);
  if (Array.isArray(given[0])) return given as unknown as Pair[];
  const pairs: Pair[] = [];
  for (let index = 0; index < given.length; index += 2) pairs.push([String(given[index]), given[index + 1]]);
  return pairs;
}

function find(pairs: readonly Pair[], wanted: string): OutgoingHttpHeader | undefined {
  return pairs.find(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1];
}
