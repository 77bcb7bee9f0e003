/* global Buffer, ngx, setTimeout */

/**
 * Runs in nginx (njs with QuickJS): makes spans of OpenTelemetry from lines that nginx has written of sampled requests, and sends them to a
 * collector. Two files are written to in turn, as those of metrics.mjs are, so that one can be emptied. How far each was sent, and how many spans
 * were, is one value of the shared dictionary. What the collector does not take is sent again until its file has to be emptied: nothing
 * but this script waits for it.
 */
import fs from 'fs';

/** Where spans are sent, and what they say of the proxy; put in with nginx.conf (tracing-section.ts). */
const model = {};

/** @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/#http-request-method */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

/** Of gRPC: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss. @see https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ */
const failuresOfGrpc = ['2', '4', '12', '13', '14', '15'];

/** Bytes of lines that become one request, some 50 spans: a worker does nothing else while it makes them. */
const chunk = 16384;

/** In ms: no batch is begun later than this after the first, so that the last one is answered before nginx calls again. */
const timeForBatches = 1000;

/** Of the time in which the other file is written to: its borders are left out, as clocks of workers are not one. */
const [earliest, latest] = [0.2, 0.8];
/** What is left after it has no further turn: this is called twice in the time of a file. */
const lastTurn = 0.3;

function readState() {
  const text = ngx.shared.spans.get('state');
  return text === undefined ? { offsets: [0, 0], sent: 0, dropped: 0, problem: '' } : JSON.parse(text);
}

function writeState(state) {
  ngx.shared.spans.set('state', JSON.stringify(state));
}

/** Every few seconds, in one worker. */
async function send(session) {
  try {
    await sendAll(session);
  } catch (error) {
    ngx.log(ngx.ERR, 'tracing: spans could not be sent: ' + error.message);
  }
}

async function sendAll(session) {
  const until = Date.now() + timeForBatches;
  const slotTime = 1000 * Number(session.variables.spans_slot);
  const state = readState();
  // In memory there is no room for another line: how many were not written, nobody knows.
  if (sizeOf(0) + sizeOf(1) > Number(session.variables.spans_most_bytes) - 4096) state.dropped += 1;
  const current = Math.floor(Date.now() / slotTime) % 2;
  const before = 1 - current;
  const isSent = await sendFile(session, state, before, until);
  if (sizeOf(before) > 0) await emptyFile(state, before, slotTime, isSent ? earliest : lastTurn);
  if (isSent) await sendFile(session, state, current, until);
  writeState(state);
}

/** How far the time has passed in which a file is not written to, from 0 to 1; undefined while it is. */
function passed(slot, slotTime) {
  const now = Date.now();
  return Math.floor(now / slotTime) % 2 === slot ? undefined : (now % slotTime) / slotTime;
}

function sizeOf(slot) {
  return fs.existsSync(model.files[slot]) ? fs.statSync(model.files[slot]).size : 0;
}

/** Sends what is left of a file, as far as time allows; says whether it was all. */
async function sendFile(session, state, slot, until) {
  const size = sizeOf(slot);
  // It was emptied, and this not remembered.
  if (size < state.offsets[slot]) state.offsets[slot] = 0;
  while (state.offsets[slot] < size) {
    const { lines, bytes } = readLines(slot, state.offsets[slot], size);
    if (bytes === 0) return true;
    if (Date.now() >= until) return false;
    const spans = lines.map(spanOf).filter((span) => span !== undefined);
    const { taken, problem, isAgain } = await post(session, spans);
    sayProblem(state, problem);
    if (isAgain) return false;
    state.sent += taken;
    state.dropped += lines.length - taken;
    state.offsets[slot] += bytes;
    writeState(state);
  }
  return true;
}

/** The next whole lines of a file, and the bytes that they take: none where there is no whole line. */
function readLines(slot, from, size) {
  const file = fs.openSync(model.files[slot], 'r');
  try {
    const buffer = Buffer.alloc(Math.min(chunk, size - from));
    const got = fs.readSync(file, buffer, 0, buffer.length, from);
    let end = got;
    while (end > 0 && buffer[end - 1] !== 10) end -= 1;
    if (end === 0) return { lines: [], bytes: 0 };
    return {
      lines: buffer
        .slice(0, end - 1)
        .toString()
        .split('\n'),
      bytes: end,
    };
  } finally {
    fs.closeSync(file);
  }
}

/** Makes room; what was not sent is dropped, and counted. */
async function emptyFile(state, slot, slotTime, from) {
  const isTime = () => passed(slot, slotTime) >= from && passed(slot, slotTime) < latest;
  if (!isTime()) return;
  const size = sizeOf(slot);
  while (state.offsets[slot] < size) {
    const { lines, bytes } = readLines(slot, state.offsets[slot], size);
    // The end of a line that had no room to be written whole.
    state.dropped += bytes === 0 ? 1 : lines.length;
    state.offsets[slot] += bytes === 0 ? size - state.offsets[slot] : bytes;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  writeState(state);
  if (!isTime()) return;
  fs.writeFileSync(model.files[slot], '');
  state.offsets[slot] = 0;
  writeState(state);
}

/** What becomes of spans: how many were taken, what is wrong, and whether they are to be sent again. */
async function post(session, spans) {
  if (spans.length === 0) return { taken: 0, problem: '', isAgain: false };
  let status = 0;
  let said = '';
  try {
    const body = JSON.stringify(exported(session, spans));
    const reply = await ngx.fetch(model.url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    status = reply.status;
    said = await reply.text();
  } catch (error) {
    if (status === 0) return { taken: 0, problem: error.message, isAgain: true };
  }
  if (status >= 200 && status < 300) {
    const rejected = Math.min(rejectedIn(said), spans.length);
    const problem = rejected === 0 ? '' : 'it rejects some';
    return { taken: spans.length - rejected, problem, isAgain: false };
  }
  // @see https://opentelemetry.io/docs/specs/otlp/#failures-1
  const isAgain = [429, 502, 503, 504].indexOf(status) >= 0;
  return { taken: 0, problem: 'it answers ' + status, isAgain };
}

/** How many spans a collector says that it does not keep; it need not say anything. */
function rejectedIn(said) {
  try {
    return Number(JSON.parse(said).partialSuccess.rejectedSpans) || 0;
  } catch {
    return 0;
  }
}

/** Once, when it begins, and once when it is over. */
function sayProblem(state, problem) {
  if (state.problem === '' && problem !== '') {
    ngx.log(ngx.WARN, 'tracing: spans are not taken by ' + model.url + ': ' + problem);
  } else if (state.problem !== '' && problem === '') {
    ngx.log(ngx.WARN, 'tracing: spans are taken again by ' + model.url);
  }
  state.problem = problem;
}

/** @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
function exported(session, spans) {
  const resource = [
    text('service.name', model.service.name),
    text('service.namespace', model.service.namespace),
    text('service.instance.id', session.variables.hostname),
  ];
  const scopeSpans = [{ scope: { name: 'fairlead' }, spans }];
  return { resourceSpans: [{ resource: { attributes: resource }, scopeSpans }] };
}

function text(key, value) {
  return { key, value: { stringValue: value } };
}

function whole(key, value) {
  return { key, value: { intValue: String(Number(value)) } };
}

function seconds(key, value) {
  return { key, value: { doubleValue: Number(value) } };
}

/** Of ms. */
function nanoseconds(time) {
  return Math.round(time) + '000000';
}

/** The span of a line, undefined for one that had no room to be written whole. */
function spanOf(line) {
  let fields;
  try {
    fields = JSON.parse(line);
  } catch {
    return undefined;
  }
  const [traceId, spanId, parentSpanId, ended, took, given, host, path, scheme, status, grpcStatus, route, backend] =
    fields;
  const end = 1000 * Number(ended);
  const start = end - 1000 * Number(took);
  const method = methods.indexOf(given) >= 0 ? given : '_OTHER';
  const known = model.routes[route];
  const attributes = [
    text('http.request.method', method),
    text('url.scheme', scheme),
    text('url.path', path),
    text('server.address', host),
  ];
  // A client that left at once got none.
  if (status !== '000') attributes.push(whole('http.response.status_code', status));
  if (grpcStatus !== '') attributes.push(whole('rpc.grpc.status_code', grpcStatus));
  if (known !== undefined) attributes.push(text('http.route', known.path), text('fairlead.route', route));
  pushBackend(attributes, model.backends[backend || (known && known.backend)]);
  const failure = Number(status) >= 500 ? status : failuresOfGrpc.indexOf(grpcStatus) >= 0 ? grpcStatus : '';
  if (failure !== '') attributes.push(text('error.type', failure));
  const span = {
    traceId,
    spanId,
    name: (method === '_OTHER' ? 'HTTP' : method) + (known === undefined ? '' : ' ' + known.path),
    // SPAN_KIND_SERVER
    kind: 2,
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(end),
    attributes,
    events: triesOf(fields.slice(13), start, end),
    // STATUS_CODE_ERROR, or none.
    status: failure === '' ? {} : { code: 2 },
  };
  if (parentSpanId !== '') span.parentSpanId = parentSpanId;
  return span;
}

function pushBackend(attributes, backend) {
  if (backend === undefined) return;
  attributes.push(text('fairlead.backend', backend.backend));
  if (backend.version !== '') attributes.push(text('fairlead.version', backend.version));
}

/**
 * An event for each instance that was asked, and for each time that none was there. nginx knows how long each took, and that the last one
 * ended with the request, or before it if the client was slow.
 */
function triesOf(lists, start, end) {
  if (lists[0] === '') return [];
  const [addresses, statuses, connects, heads, responses] = lists.map((list) => list.split(/ : |, /));
  const events = [];
  let begun = end;
  for (let index = addresses.length - 1; index >= 0; index -= 1) {
    begun = Math.max(start, begun - 1000 * (Number(responses[index]) || 0));
    const address = addresses[index];
    const at = address.lastIndexOf(':');
    const attributes =
      at < 0
        ? [text('fairlead.upstream', address)]
        : [text('network.peer.address', address.slice(0, at)), whole('network.peer.port', address.slice(at + 1))];
    const measured = { connect: connects[index], header: heads[index], response: responses[index] };
    if (at >= 0) {
      if (/^\d+$/.test(statuses[index])) attributes.push(whole('http.response.status_code', statuses[index]));
      Object.keys(measured).forEach((name) => {
        if (/^\d/.test(measured[name])) attributes.push(seconds('fairlead.' + name + '_seconds', measured[name]));
      });
    }
    events.unshift({ timeUnixNano: nanoseconds(begun), name: at < 0 ? 'no instance' : 'try', attributes });
  }
  return events;
}

export default { send };
