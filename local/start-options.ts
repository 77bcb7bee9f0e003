import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Duration, integer, port, wholeSeconds } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { hostName, urlPath } from '../validation/names';
import { Command } from './processes/child-output';
import { commandLine } from './shell-words';

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

Usage: fairlead start [options] [-- PROGRAM ARG …]      npm start -- [options]

  --scale N                  processes of the API, 1 to ${maxScale} (2)
  --host NAME                the DNS name that nginx answers for, and its certificate is made for (localhost)
  --https-port PORT          (8443)
  --http-port PORT           redirects to HTTPS (8080)
  --command "PROGRAM ARG …"  an API of your own. Each process is told its PORT, HOST (127.0.0.1) and HOSTNAME (api-1 …).
                             '…', "…" and \\ work as in a shell, but none is used: for one, give sh -c "exec …".
                             The same, word by word: fairlead start -- PROGRAM ARG …
  --directory PATH           where the command runs (where fairlead does)
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
  const { values, words } = parse(args);
  if (values.help === true) return undefined;
  const command = ownCommand(values.command, words, values.directory);
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

/** The program that is given, in one option or after `--`, and where it runs. */
function ownCommand(text: string | undefined, words: readonly string[], path: string | undefined): Command | undefined {
  const [file, ...args] = words;
  if (text !== undefined && file !== undefined) {
    throw new InvalidOption(
      '--command',
      text,
      `is one program, and ${JSON.stringify(file)} after "--" another: give one`,
    );
  }
  const command =
    text === undefined ? (file === undefined ? undefined : { file, args }) : commandLine('--command', text);
  if (path === undefined) return command;
  if (command === undefined) {
    throw new InvalidOption('--directory', path, 'is where a command of yours runs: give --command too');
  }
  const directory = resolve(path);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new InvalidOption('--directory', path, `is not a directory: ${JSON.stringify(directory)} was looked for`);
  }
  return { ...command, directory };
}

/** What is typed before `--`, and the words after it. */
function parse(args: readonly string[]) {
  const end = args.indexOf('--');
  const words = end === -1 ? [] : args.slice(end + 1);
  if (end !== -1 && (words[0] ?? '') === '') {
    throw new UsageError('"--" is followed by no program: give one, such as -- node server.js');
  }
  try {
    const { values } = parseArgs({
      args: end === -1 ? [...args] : args.slice(0, end),
      options: {
        scale: { type: 'string' },
        host: { type: 'string' },
        'https-port': { type: 'string' },
        'http-port': { type: 'string' },
        command: { type: 'string' },
        directory: { type: 'string' },
        'health-check-path': { type: 'string' },
        'keep-alive-timeout': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return { values, words };
  } catch (error) {
    const message = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    throw new UsageError(`${message.replace(/\.$/, '')}; fairlead start --help shows the options`);
  }
}

/** A command line that was typed wrong: an option that does not exist, or a value that cannot be. Ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
