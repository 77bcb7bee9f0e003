import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { requestId, traceId } from 'fairlead-serve';
import { answer } from '../api/support/answer';
import { onTestFinished } from '../afterwards';

/** A request as Node gives it to an app. */
async function received(headers: Readonly<Record<string, string | string[]>>): Promise<IncomingMessage> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => server.close());
  await once(server, 'listening');
  const coming = once(server, 'request').then(([request, response]) => {
    (response as { end(): void }).end();
    return request as IncomingMessage;
  });
  await answer((server.address() as AddressInfo).port, '/', { headers });
  return coming;
}

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';

test('the trace of a request is that of its traceparent', async () => {
  const request = await received({ traceparent: `00-${trace}-${span}-00`, 'X-Request-Id': 'a-1' });
  expect([traceId(request), requestId(request)]).toEqual([trace, 'a-1']);
});

test.each<[what: string, traceparent: string | string[]]>([
  ['is empty', ''],
  ['is in capitals', `00-${trace.toUpperCase()}-${span}-01`],
  ['has a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`],
  ['has a span of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
  ['is of another version', `01-${trace}-${span}-01`],
  ['goes on', `00-${trace}-${span}-01-more`],
  ['has no flags', `00-${trace}-${span}`],
  ['is there twice', [`00-${trace}-${span}-01`, `00-${trace}-${span}-01`]],
  ['would break out of a log', `00-${trace}-${span}-01","level":60,"x":"`],
])('a request whose traceparent %s belongs to no trace', async (_what, traceparent) => {
  expect(traceId(await received({ traceparent }))).toBeUndefined();
});

test('a request without traceparent belongs to no trace', async () => {
  expect(traceId(await received({ tracestate: 'congo=t61rcWkgMzE' }))).toBeUndefined();
});
