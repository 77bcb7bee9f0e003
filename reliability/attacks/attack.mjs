import { BlockList, isIPv4 } from 'node:net';
import { clearInterval, setInterval, setTimeout } from 'node:timers';
import { parseArgs } from 'node:util';
import { Connections } from './connections.mjs';
import * as http1 from './http1.mjs';
import * as http2 from './http2.mjs';
import { Tally } from './tally.mjs';

const usage = `Usage: node attack.mjs NAME --target ADDRESS:PORT --host NAME [--connections N] [--opening N] [--seconds N]
                     [--streams N] [--size BYTES] [--rate N]

One client that means harm, for as long as --seconds says. Prints what it has achieved four times a second and at the end,
a line of JSON each.

  --target       the proxy; only addresses of this machine and private ones are taken
  --host         the server name and the Host header
  --connections  how many to hold: one that ends is opened again (default: 1)
  --opening      how many to open a second at most (default: 100)
  --seconds      how long it lasts (default: 1)
  --streams      of each HTTP/2 connection (default: 1)
  --size         of a body or an answer, in bytes (default: 1000)
  --rate         requests or frames a second, over all connections (default: 100)
`;

const attacks = {
  'held-event-streams': { protocol: 'http/1.1', begin: http1.eventStreams },
  'slow-bodies': { protocol: 'http/1.1', begin: http1.slowBodies },
  'held-bodies': { protocol: 'http/1.1', begin: http1.heldBodies },
  'slow-heads': { protocol: 'http/1.1', begin: http1.slowHeads },
  'slow-reads': { protocol: 'http/1.1', begin: http1.slowReads },
  'gzip-bombs': { protocol: 'http/1.1', begin: http1.gzipBombs },
  'idle-tls': { protocol: 'http/1.1', begin: http1.idle },
  'idle-http2': { protocol: 'h2', begin: http2.idle },
  connections: { protocol: 'tcp', begin: http1.idle },
  'unread-http2-streams': { protocol: 'h2', begin: http2.unreadStreams },
  'rapid-reset': { protocol: 'h2', begin: http2.rapidReset },
  'continuation-flood': { protocol: 'h2', begin: http2.continuationFlood },
  'ping-flood': { protocol: 'h2', begin: http2.pingFlood },
  'settings-flood': { protocol: 'h2', begin: http2.settingsFlood },
};

/** Networks that are nobody else's. @see https://www.rfc-editor.org/rfc/rfc1918 */
const own = new BlockList();
own.addSubnet('127.0.0.0', 8);
own.addSubnet('10.0.0.0', 8);
own.addSubnet('172.16.0.0', 12);
own.addSubnet('192.168.0.0', 16);

class UsageError extends Error {}

function readOptions(args) {
  const text = { type: 'string' };
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: Object.fromEntries(
      ['target', 'host', 'connections', 'opening', 'seconds', 'streams', 'size', 'rate'].map((name) => [name, text]),
    ),
  });
  const [name = ''] = positionals;
  if (positionals.length !== 1 || !Object.hasOwn(attacks, name)) {
    throw new UsageError(`"${positionals.join(' ')}" is not an attack: give one of ${Object.keys(attacks).join(', ')}`);
  }
  const { target = '', host = '' } = values;
  const [address, port] = target.split(':');
  if (!isIPv4(address) || !/^\d{1,5}$/.test(port) || !own.check(address)) {
    throw new UsageError(
      `--target: "${target}" is not a private IPv4 address and a port: give one such as 127.0.0.1:8443`,
    );
  }
  if (!/^[a-z0-9.-]{1,100}$/.test(host)) throw new UsageError(`--host: "${host}" is not a host name`);
  const whole = (option, otherwise, max) => {
    const value = values[option] ?? String(otherwise);
    if (!/^\d{1,9}$/.test(value) || Number(value) < 1 || Number(value) > max) {
      throw new UsageError(`--${option}: "${value}" is out of range: give a whole number from 1 to ${max}`);
    }
    return Number(value);
  };
  return {
    ...attacks[name],
    target: { address, port: Number(port) },
    host,
    connections: whole('connections', 1, 20_000),
    opening: whole('opening', 100, 5000),
    seconds: whole('seconds', 1, 300),
    streams: whole('streams', 1, 1000),
    size: whole('size', 1000, 100_000_000),
    rate: whole('rate', 100, 1_000_000),
  };
}

function run(options) {
  const tally = new Tally();
  const connections = new Connections({
    ...options,
    rate: options.opening,
    tally,
    begin: (connection) => options.begin(connection, options),
  });
  const print = () => process.stdout.write(`${JSON.stringify(tally)}\n`);
  const timer = setInterval(print, 250);
  setTimeout(() => {
    clearInterval(timer);
    print();
    connections.stop();
  }, options.seconds * 1000);
}

try {
  run(readOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError) && !String(error.code).startsWith('ERR_PARSE_ARGS')) throw error;
  process.stderr.write(`attack: ${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
