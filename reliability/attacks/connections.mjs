import { connect as connectTcp } from 'node:net';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { connect as connectTls, createSecureContext } from 'node:tls';

/** How often connections are opened and bursts are sent, in milliseconds. */
const tick = 50;

/**
 * TLS 1.2 with a resumed session is the handshake that costs the least, on both sides: an attacker with little CPU opens
 * several times as many connections as with full ones.
 */
const secureContext = createSecureContext({ maxVersion: 'TLSv1.2' });

/**
 * Holds so many connections: one that ends is opened again, at most `rate` a second in all.
 * `begin` gets each that is open, and gives what is to be called in each tick of it, if anything is.
 */
export class Connections {
  slots = new Set();
  allowance = 0;
  session = undefined;

  constructor({ target, host, connections, rate, protocol, begin, tally }) {
    Object.assign(this, { target, host, connections, rate, protocol, begin, tally });
    this.last = performance.now();
    this.timer = setInterval(() => this.turn(), tick);
  }

  stop() {
    clearInterval(this.timer);
    for (const { socket } of this.slots) socket.destroy();
  }

  turn() {
    const now = performance.now();
    const seconds = (now - this.last) / 1000;
    this.last = now;
    // What could not be opened in time is not made up for at once.
    this.allowance = Math.min(this.allowance + seconds * this.rate, Math.max(1, this.rate / 2));
    for (const { goOn } of this.slots) goOn?.(seconds);
    while (this.allowance >= 1 && this.slots.size < this.connections) {
      this.allowance -= 1;
      this.openOne();
    }
  }

  openOne() {
    const { tally } = this;
    tally.attempted += 1;
    const socket = this.socket();
    const slot = { socket, goOn: undefined };
    this.slots.add(slot);
    let isOpen = false;
    socket.once(this.protocol === 'tcp' ? 'connect' : 'secureConnect', () => {
      isOpen = true;
      tally.wasOpened();
      if (this.protocol !== 'tcp') this.session ??= socket.getSession();
      slot.goOn = this.begin(new Connection(socket, tally));
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.slots.delete(slot);
      if (isOpen) {
        tally.open -= 1;
        tally.ended += 1;
      } else tally.refused += 1;
    });
  }

  socket() {
    const { target, host, protocol, session } = this;
    const { address, port } = target;
    if (protocol === 'tcp') return connectTcp({ host: address, port });
    return connectTls({
      host: address,
      port,
      servername: host,
      rejectUnauthorized: false,
      ALPNProtocols: [protocol],
      secureContext,
      session,
    });
  }
}

/** A connection that is open; what goes through it is counted. */
class Connection {
  constructor(socket, tally) {
    Object.assign(this, { socket, tally });
  }

  send(data) {
    if (this.socket.destroyed) return;
    this.tally.bytesSent += data.length;
    this.socket.write(data);
  }

  /** Whether what was sent has left: who sends more than the other side takes would fill his own memory alone. */
  get isClear() {
    return this.socket.writableLength < 65_536;
  }

  onData(take) {
    this.socket.on('data', (data) => {
      this.tally.bytesReceived += data.length;
      take(data);
    });
  }

  /** Counts the statuses of HTTP/1.1 answers, each of which begins a packet here. */
  countAnswers(then = () => undefined) {
    this.onData((data) => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(data.toString('latin1', 0, 16))?.[1];
      if (status === undefined) return;
      this.tally.wasAnswered(status);
      then(data);
    });
  }

  /** Does something every so many milliseconds, as long as the connection lives. */
  every(milliseconds, what) {
    const timer = setInterval(what, milliseconds);
    this.socket.once('close', () => clearInterval(timer));
  }
}
