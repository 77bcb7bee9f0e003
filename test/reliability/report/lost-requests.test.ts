import type { LoadRequest } from '../../../load/load-request';
import { lostAfter, sortLost } from '../../../reliability/analysis';

function lost(id: string, method: 'GET' | 'POST', error = 'status 502'): LoadRequest {
  const status = /^status (\d+)$/.exec(error)?.[1];
  return {
    ...{ id, method, protocol: 'HTTP/1.1', connectionUse: 'kept', started: 0, milliseconds: 1, error },
    ...(status === undefined ? {} : { status: Number(status) }),
  };
}

/** An access log's line of a request that was tried with one instance after another. */
function line(id: string, upstream_bytes_sent: string): string {
  let instance = 0;
  const upstream_addr = upstream_bytes_sent.replaceAll(/\d+|-/g, () => `10.0.0.${++instance}:3000`);
  return JSON.stringify({ request_id: id, status: 502, upstream_addr, upstream_bytes_sent });
}

function ids(requests: readonly LoadRequest[]): string[] {
  return requests.map(({ id }) => id);
}

test('a lost POST is sorted by whether any try had sent some of it', () => {
  const requests = [lost('get', 'GET'), lost('sent', 'POST'), lost('later', 'POST'), lost('not', 'POST')];
  const log = [
    line('get', '120'),
    line('sent', '250'),
    line('later', '0, 0 : 250'),
    line('not', '0, - : 0'),
    '2026/01/31 [error] a line of another kind',
  ];
  const sorted = sortLost(requests, log);
  expect(ids(sorted.get)).toEqual(['get']);
  expect(ids(sorted.postSent)).toEqual(['sent', 'later']);
  expect(ids(sorted.postNotSent)).toEqual(['not']);
});

test('a GET that two instances had got, which both hung, is told apart', () => {
  const requests = ['twice', 'once', 'silent'].map((id) => lost(id, 'GET', 'status 504'));
  const died = lost('died', 'GET', 'status 502');
  const log = [line('twice', '120 : 120'), line('once', '120 : 0'), line('silent', '0, 0'), line('died', '120, 120')];
  const sorted = sortLost([...requests, died], log);
  expect(ids(sorted.getHungTwice)).toEqual(['twice']);
  expect(ids(sorted.get)).toEqual(['once', 'silent', 'died']);
  expect(ids(lostAfter(-1, sorted))).toContain('twice');
});

test('without a line in the log, a POST may have been sent unless its client had no connection or the answer is 503', () => {
  const reset = lost('reset', 'POST', 'UND_ERR_SOCKET: other side closed');
  const refused = lost('refused', 'POST', 'ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:8443');
  const unavailable = lost('unavailable', 'POST', 'status 503');
  const sorted = sortLost([reset, refused, unavailable], []);
  expect(ids(sorted.postSent)).toEqual(['reset']);
  expect(ids(sorted.postNotSent)).toEqual(['refused', 'unavailable']);
});

test('over HTTP/2, what had no connection or was refused by every one was not sent', () => {
  const requests = [
    lost('closed', 'POST', 'the stream was closed without a whole answer (code 8)'),
    lost('silent', 'POST', 'CONNECT_TIMEOUT: no connection within 70 s'),
    lost(
      'refused',
      'POST',
      'ERR_HTTP2_STREAM_CANCEL: The pending stream has been canceled (caused by: connect ECONNREFUSED)',
    ),
    lost('repeated', 'POST', 'the server did not process it'),
  ];
  const sorted = sortLost(requests, []);
  expect(ids(sorted.postSent)).toEqual(['closed']);
  expect(ids(sorted.postNotSent)).toEqual(['silent', 'refused', 'repeated']);
});

test('a request that was logged more than once was sent if any line says so', () => {
  const sorted = sortLost(
    [lost('one', 'POST'), lost('other', 'POST')],
    [line('one', '250'), line('one', '0'), line('other', '0')],
  );
  expect(ids(sorted.postSent)).toEqual(['one']);
  expect(ids(sorted.postNotSent)).toEqual(['other']);
});

test('what is lost later is everything but POSTs that a proxy says an instance had got', () => {
  const at = (started: number, request: LoadRequest): LoadRequest => ({ ...request, started });
  const sorted = sortLost(
    [
      at(5, lost('early', 'GET')),
      at(11, lost('get', 'GET')),
      at(11, lost('hung', 'POST', 'status 504')),
      at(11, lost('died', 'POST', 'status 502')),
      at(11, lost('reset', 'POST', 'ECONNRESET: read ECONNRESET')),
      at(11, lost('silent', 'POST', 'status 504')),
    ],
    [line('hung', '250'), line('died', '250'), line('silent', '0, 0')],
  );
  expect(ids(lostAfter(10, sorted))).toEqual(['get', 'silent', 'reset']);
});
