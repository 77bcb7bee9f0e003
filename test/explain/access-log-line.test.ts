import fc from 'fast-check';
import { accessLogLine, longestLine } from '../../explain/access-log-line';
import { linesOf } from '../../explain/lines';
import { InvalidOption } from '../../validation/invalid-option';

const fields = {
  time: '2026-03-01T12:00:00+00:00',
  request_id: 'a-1',
  client: '203.0.113.7',
  method: 'GET',
  host: 'shop.example.com',
  path: '/orders/17',
  protocol: 'HTTP/2.0',
  status: 200,
  bytes_sent: 412,
  request_time: 2.023,
  upstream_addr: '10.244.1.7:3000, [fd00::7]:3000 : 10.244.2.4:3000 : 10.96.0.7:3000',
  upstream_status: '502, 504 : - : 200',
  upstream_bytes_sent: '0, 0 : - : 388',
  upstream_header_time: '-, - : - : 0.021',
  upstream_response_time: '0.001, 2.000 : 0.000 : 0.022',
  tls: 'TLSv1.3',
  user_agent: 'curl/8.9.1',
};

const text = (more: object = {}): string => JSON.stringify({ ...fields, ...more });

test('has each try with its round', () => {
  expect(accessLogLine('line', text()).tries).toEqual([
    { instance: '10.244.1.7:3000', round: 0, bytesSent: 0, status: 502, headerTime: undefined, time: 0.001 },
    { instance: '[fd00::7]:3000', round: 0, bytesSent: 0, status: 504, headerTime: undefined, time: 2 },
    { instance: '10.244.2.4:3000', round: 1, bytesSent: 0, status: undefined, headerTime: undefined, time: 0 },
    { instance: '10.96.0.7:3000', round: 2, bytesSent: 388, status: 200, headerTime: 0.021, time: 0.022 },
  ]);
});

test('has no try where no instance was asked, nor for a round that was led to and did not begin', () => {
  const none = { upstream_status: '', upstream_bytes_sent: '', upstream_header_time: '', upstream_response_time: '' };
  expect(accessLogLine('line', text({ upstream_addr: '', ...none })).tries).toEqual([]);
  const begun = {
    upstream_addr: 'orders : ',
    ...{ upstream_status: '502 : ', upstream_bytes_sent: '0 : ' },
    ...{ upstream_header_time: '- : ', upstream_response_time: '0.000 : ' },
  };
  expect(accessLogLine('line', text(begun)).tries).toMatchObject([{ instance: 'orders', round: 0, status: 502 }]);
});

test('may have something before it, as kubectl puts the name of a pod there', () => {
  expect(accessLogLine('line', `[pod/edge-5c7d9-x2x1z/nginx] ${text()}\r\n`).requestId).toBe('a-1');
});

test('may lack what accessLog.omit or a shipper has left out, and says what of it would have been gone by', () => {
  expect(accessLogLine('line', '{"request_id":"a","status":503}')).toMatchObject({
    ...{ status: 503, tries: [], path: '', client: '', bytesSent: undefined, requestTime: undefined },
    lacks: ['client', 'protocol', 'bytes_sent', 'request_time', 'upstream_response_time'],
  });
  expect(accessLogLine('line', text({ user_agent: undefined, tenant: 'acme', sample: 0.1 })).lacks).toEqual([]);
  expect(accessLogLine('line', text({ upstream_response_time: undefined })).tries).toMatchObject([
    { status: 502, time: undefined },
    { status: 504, time: undefined },
    { status: undefined, time: undefined },
    { status: 200, time: undefined },
  ]);
});

test.each<[what: string, line: string, message: string]>([
  ['nothing', '', 'line: "" is not a line of the access log: give one JSON object, as nginx writes it'],
  ['text', 'GET / 200', 'line: "GET / 200" is not a line of the access log: give one JSON object, as nginx writes it'],
  [
    'half of an object',
    '{"status":',
    'line: "{\\"status\\":" is not a line of the access log: give one JSON object, as nginx writes it',
  ],
  [
    'a line of something else',
    '{"level":30}',
    `line: {"level":30} has no request_id, so that it is not a line of nginx's access log: give one`,
  ],
  [
    'a status that is text',
    text({ status: '200' }),
    'line status: "200" is not a status, from 0 to 999: give the line as it is in the log',
  ],
  [
    'a path that is an object',
    text({ path: { a: 1 } }),
    'line path: {"a":1} is not text, as nginx writes it: give the line as it is in the log',
  ],
  [
    'a time that is a list',
    text({ request_time: [1] }),
    'line request_time: [1] is not a number, as nginx writes it: give the line as it is in the log',
  ],
  [
    'tries that do not go together',
    text({ upstream_status: '502' }),
    'line upstream_status: "502" does not go with upstream_addr, which has 4: give the line as it is in the log',
  ],
  [
    'tries of which nobody can tell what was sent',
    text({ upstream_bytes_sent: undefined }),
    'line upstream_bytes_sent: "" does not go with upstream_addr, which has 4: give the line as it is in the log',
  ],
  [
    'a try that took words',
    text({ upstream_response_time: '0.001, \u001b[2J : 0.000 : 0.022' }),
    'line upstream_response_time: "\\u001b[2J" is not a number or "-": give the line as it is in the log',
  ],
  [
    'more tries than nginx makes',
    text({ upstream_addr: Array(101).fill('10.0.0.1:80').join(', ') }),
    'line upstream_addr: "101 instances" are more than nginx tries: give the line as it is in the log',
  ],
  [
    'more than a line may have',
    text({ path: 'a'.repeat(longestLine) }),
    `line: "${text({ path: 'a'.repeat(longestLine) }).length} characters" are too many for a line of the access log: give ${longestLine} at most`,
  ],
])('is refused: %s', (_what, line, message) => {
  expect(() => accessLogLine('line', line)).toThrow(InvalidOption);
  expect(() => accessLogLine('line', line)).toThrow(new Error(message));
});

test('is read or refused in one line, whatever it is', () => {
  const names = Object.keys(fields);
  const anyLine = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc
      .tuple(fc.constantFrom(...names), fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })))
      .map(([name, value]) => text({ [name]: value })),
  );
  fc.assert(
    fc.property(anyLine, (line) => {
      try {
        accessLogLine('line', line);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidOption);
        // eslint-disable-next-line no-control-regex -- that none is there
        expect((error as InvalidOption).message).not.toMatch(/[\u0000-\u001f]/);
      }
    }),
  );
});

test('is cut off a stream, however long it is, and whatever pieces it comes in', async () => {
  const long = 'x'.repeat(3 * longestLine);
  const pieces = ['fir', 'st\nsecond\n', long, `${long}\nlast`];
  const all: string[] = [];
  // eslint-disable-next-line @typescript-eslint/require-await -- a stream of pieces
  const stream = async function* (): AsyncGenerator<string> {
    yield* pieces;
  };
  for await (const line of linesOf(stream())) all.push(line);
  expect(all.map(({ length }) => length)).toEqual([5, 6, longestLine + 1, 4]);
  expect([all[0], all[1], all[3]]).toEqual(['first', 'second', 'last']);
});
