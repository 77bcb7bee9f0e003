import { Buffer } from 'node:buffer';
import {
  beginning,
  continuation,
  FrameReader,
  get,
  ping,
  reset,
  settings,
  statusOf,
  types,
  windowUpdate,
} from './http2-frames.mjs';

/** Shorter than the proxy's timeout between two writes, which never strikes then. */
const drip = 8000;

/** How many frames, or streams, go into one write at most: nginx closes a connection that opens over 256 streams at once. */
const frameBurst = 5000;
const streamBurst = 100;

/** Says hello, and counts what comes back. */
function hello(connection, { onEnd = () => undefined, onAcknowledged = () => undefined } = {}) {
  const { tally } = connection;
  const reader = new FrameReader();
  connection.send(beginning);
  connection.onData((data) => {
    for (const { type, stream, payload, endsStream, acknowledges } of reader.read(data)) {
      if (type === types.headers) tally.wasAnswered(statusOf(payload));
      if (type === types.reset) tally.resets += 1;
      if (type === types.goAway) tally.goAways += 1;
      if (type === types.reset || endsStream) onEnd(stream);
      if (!acknowledges) continue;
      tally.acknowledged += 1;
      onAcknowledged();
    }
  });
}

/** Connections with many streams each, whose answers are not read: their windows stay as good as shut. */
export function unreadStreams(connection, { host, size, streams }) {
  const { tally } = connection;
  const open = new Set();
  let next = 1;
  const fill = () => {
    while (open.size < streams) {
      open.add(next);
      tally.requests += 1;
      connection.send(get(next, `/bytes/${size}`, host));
      next += 2;
    }
  };
  hello(connection, { onEnd: (stream) => open.delete(stream) });
  fill();
  connection.every(1000, fill);
  // A little at a time, so that no stream is silent.
  connection.every(drip, () => {
    if (open.size === 0) return;
    for (const stream of open) connection.send(windowUpdate(stream, 1));
    connection.send(windowUpdate(0, open.size));
  });
}

/** Connections without a request. */
export function idle(connection) {
  hello(connection);
}

/** Streams that are reset as soon as they are opened. */
export function rapidReset(connection, options) {
  let next = 1;
  hello(connection);
  const openAndReset = () => {
    connection.tally.requests += 1;
    const stream = next;
    next += 2;
    return [get(stream, '/healthcheck', options.host), reset(stream)];
  };
  return paced(connection, options, openAndReset, streamBurst);
}

/** A head that goes on for ever. */
export function continuationFlood(connection, options) {
  hello(connection);
  connection.tally.requests += 1;
  connection.send(get(1, '/healthcheck', options.host, { isWhole: false }));
  return paced(connection, options, () => [continuation(1)]);
}

/** PINGs, each of which wants an answer; once one has come, no more are read. */
export function pingFlood(connection, options) {
  return unreadFlood(connection, options, () => [ping]);
}

/** The same with SETTINGS. */
export function settingsFlood(connection, options) {
  return unreadFlood(connection, options, () => [settings]);
}

function unreadFlood(connection, options, frames) {
  let acknowledged = 0;
  hello(connection, {
    onAcknowledged: () => {
      // The first is that of the beginning; with the second the other side has taken a frame of the flood.
      if ((acknowledged += 1) > 1) connection.socket.pause();
    },
  });
  return paced(connection, options, frames);
}

/** Sends at the connection's part of the rate, as long as the other side takes it. */
function paced(connection, { rate, connections }, frames, burst = frameBurst) {
  const { tally } = connection;
  let due = 0;
  return (seconds) => {
    due = Math.min(due + (seconds * rate) / connections, burst);
    if (!connection.isClear) return;
    const sent = [];
    for (; due >= 1; due -= 1) sent.push(...frames());
    tally.frames += sent.length;
    if (sent.length > 0) connection.send(Buffer.concat(sent));
  };
}
