import { Buffer } from 'node:buffer';
import { gzipSync } from 'node:zlib';

/** Shorter than the proxy's timeout between two reads or writes, which never strikes then. */
const drip = 8000;

function head(method, path, host, headers = {}) {
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
}

function post(host, length, headers = {}) {
  return head('POST', '/echo', host, { 'content-type': 'text/plain', 'content-length': length, ...headers });
}

function begin(connection, data) {
  connection.tally.requests += 1;
  connection.send(data);
}

/** Event streams that are held, and read. */
export function eventStreams(connection, { host }) {
  connection.countAnswers();
  begin(connection, head('GET', '/sse', host, { accept: 'text/event-stream' }));
}

/** Bodies of which a byte comes now and then. */
export function slowBodies(connection, { host, size }) {
  connection.countAnswers();
  begin(connection, post(host, size));
  connection.send(Buffer.from('a'));
  connection.every(drip, () => connection.send(Buffer.from('a')));
}

/** Bodies that come whole but for their last bytes, which drip. */
export function heldBodies(connection, { host, size }) {
  connection.countAnswers();
  begin(connection, post(host, size));
  connection.send(Buffer.alloc(Math.max(0, size - 16), 'a'));
  let left = 15;
  connection.every(drip, () => {
    if ((left -= 1) > 0) connection.send(Buffer.from('a'));
  });
}

/** Heads of which a byte comes every second, and the end never. */
export function slowHeads(connection, { host }) {
  connection.countAnswers();
  begin(connection, head('GET', '/healthcheck', host).subarray(0, -2));
  connection.send(Buffer.from('x-slow: '));
  connection.every(1000, () => connection.send(Buffer.from('a')));
}

/** Large answers of which a piece is read now and then. */
export function slowReads(connection, { host, size }) {
  const { socket } = connection;
  connection.countAnswers();
  connection.onData(() => socket.pause());
  begin(connection, head('GET', `/bytes/${size}`, host));
  connection.every(drip, () => socket.resume());
}

/** Connections that say nothing. */
export function idle(connection) {
  connection.countAnswers();
}

let bomb;

/** Small bodies that are large once they are unpacked, one after the other. */
export function gzipBombs(connection, { host, size, rate, connections }) {
  bomb ??= gzipSync(Buffer.alloc(size), { level: 9 });
  let isAnswered = true;
  let due = 1;
  connection.countAnswers(() => (isAnswered = true));
  return (seconds) => {
    due = Math.min(1, due + (seconds * rate) / connections);
    if (!isAnswered || due < 1) return;
    due -= 1;
    isAnswered = false;
    begin(connection, post(host, bomb.length, { 'content-type': 'application/json', 'content-encoding': 'gzip' }));
    connection.send(bomb);
  };
}
