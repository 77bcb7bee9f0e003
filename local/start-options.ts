import { parseArgs } from 'node:util';
import { Duration, wholeSeconds } from '../values/duration';
import { integer, port } from '../values/integer';
import { InvalidOption } from '../values/invalid-option';
import { hostName, urlPath } from '../values/names';
import { commandLine } from './command-line';
import { Command } from './nginx';
import { UsageError } from './usage-error';

export interface StartOptions {
  readonly scale: number;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly host: string;
  /** Not given, it is fairlead's own API. */
  readonly command: Command | undefined;
  readonly healthCheckPath: string;
  readonly keepAliveTimeout: Duration;
}

/** Each takes a process, and room in nginx's shared memory. */
export const maxScale = 100;

export const startHelp = `fairlead start: real nginx with TLS in front of API processes on this machine

Usage: fairlead start [options]      npm start -- [options]

  --scale N                  processes of the API, 1 to ${maxScale} (2)
  --host NAME                the DNS name that nginx answers for, and its certificate is made for (localhost)
  --https-port PORT          (8443)
  --http-port PORT           redirects to HTTPS (8080)
  --command "PROGRAM ARG …"  an API of your own. Each process is told its PORT, HOST (127.0.0.1) and HOSTNAME (api-1 …).
                             '…', "…" and \\ work as in a shell, but none is used: for one, give sh -c "exec …"
  --health-check-path PATH   a process gets requests once GET on this path answers 2xx (/healthcheck)
  --keep-alive-timeout TIME  after how long the API closes an idle connection; nginx does so earlier
                             (65s; with --command 5s, as Node does up to version 25)
  --help                     this text

While it runs, it reads lines from its standard input: scale N, status, help, quit.

Environment:
  FAIRLEAD_NGINX             path, debian, docker, or the path of an nginx: the only one to use. Without it, the first that
                             works: nginx 1.30 or newer on the PATH, Debian's package in ~/.cache, Docker (nginx:1.30)
  NO_COLOR                   no colours
`;

/** Reads the command line; nothing if help was asked for. */
export function startOptions(args: readonly string[]): StartOptions | undefined {
  const values = parse(args);
  if (values.help === true) return undefined;
  const command = values.command === undefined ? undefined : commandLine('--command', values.command);
  const options: StartOptions = {
    scale: scaleNumber('--scale', values.scale ?? '2'),
    httpPort: port('--http-port', wholeNumber(values['http-port'] ?? '8080')),
    httpsPort: port('--https-port', wholeNumber(values['https-port'] ?? '8443')),
    host: hostName('--host', values.host ?? 'localhost'),
    command,
    healthCheckPath: urlPath('--health-check-path', values['health-check-path'] ?? '/healthcheck'),
    keepAliveTimeout: keepAlive(values['keep-alive-timeout'] ?? (command === undefined ? '65s' : '5s')),
  };
  if (options.httpPort === options.httpsPort) {
    throw new InvalidOption('--http-port', options.httpPort, 'is --https-port as well: give a port of its own');
  }
  return options;
}

/** How many instances, as typed. */
export function scaleNumber(option: string, text: string): number {
  return integer(option, wholeNumber(text), 1, maxScale);
}

/** The number, or the text itself, so that a message shows what was given. */
function wholeNumber(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

function keepAlive(value: string): Duration {
  return `${wholeSeconds('--keep-alive-timeout', value, { min: '2s', max: '1h' })}s`;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scale: { type: 'string' },
        host: { type: 'string' },
        'https-port': { type: 'string' },
        'http-port': { type: 'string' },
        command: { type: 'string' },
        'health-check-path': { type: 'string' },
        'keep-alive-timeout': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    throw new UsageError(`${message.replace(/\.$/, '')}; fairlead start --help shows the options`);
  }
}
