import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { integer, port, TimeText, wholeSeconds } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { hostName, urlPath } from '../validation/names';
import { Command } from './processes/child-output';
import { commandLine } from './shell-words';

export interface StartOptions {
  /** Processes of every backend. @default - what each says */
  readonly scale: number | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** @default - 9113, or another one if that is taken */
  readonly metricsPort: number | undefined;
  /** @default - localhost, and the hosts of main.ts */
  readonly host: string | undefined;
  /** Not given, main.ts says what runs. */
  readonly command: Command | undefined;
  /** What says what runs, without a command. */
  readonly main: string;
  /** Which of several in it. */
  readonly proxy: string | undefined;
  /** Those of the command. */
  readonly healthCheckPath: string | undefined;
  readonly keepAliveTimeout: TimeText | undefined;
}

/** Each takes a process, and room in nginx's shared memory. */
export const maxScale = 100;

export const startHelp = `fairlead start: what main.ts deploys, on this machine: real nginx with TLS in front of each backend

Usage: fairlead start [options] [-- PROGRAM ARG …]      npm start -- [options]

  --scale N                  instances of each backend, 1 to ${maxScale} (what local.replicas says, or 2)
  --host NAME                the DNS name that nginx answers for besides those of main.ts (localhost)
  --main FILE                what says what is deployed (main.ts)
  --proxy NAME               which proxy of it, if it has several
  --https-port PORT          (8443)
  --http-port PORT           redirects to HTTPS (8080)
  --metrics-port PORT        serves metrics to Prometheus (9113, or another one if that is taken)
  --command "PROGRAM ARG …"  one API in place of what main.ts says. Each process is told its PORT, HOST (127.0.0.1) and HOSTNAME (api-1 …).
                             '…', "…" and \\ work as in a shell, but none is used: for one, give sh -c "exec …".
                             The same, word by word: fairlead start -- PROGRAM ARG …
  --directory PATH           where the command runs (where fairlead does)
  --health-check-path PATH   a process of the command gets requests once GET on this path answers 2xx (/healthcheck)
  --keep-alive-timeout TIME  after how long the command closes an idle connection; nginx does so earlier
                             (5s, as Node does up to version 25)
  --help                     this text

While it runs, it reads lines from its standard input: scale N, scale NAME N, stop NAME-1, weight NAME N,
status, help, quit.

Environment:
  FAIRLEAD_ENVIRONMENT       the environment of main.ts, as for cdk8s synth
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
    scale: values.scale === undefined ? undefined : scaleNumber('--scale', values.scale),
    httpPort: port('--http-port', wholeNumber(values['http-port'] ?? '8080')),
    httpsPort: port('--https-port', wholeNumber(values['https-port'] ?? '8443')),
    metricsPort: given(values['metrics-port'], (text) => port('--metrics-port', wholeNumber(text))),
    host: values.host === undefined ? undefined : hostName('--host', values.host),
    command,
    main: values.main ?? 'main.ts',
    proxy: values.proxy,
    healthCheckPath: given(values['health-check-path'], (path) => urlPath('--health-check-path', path)),
    keepAliveTimeout: given(values['keep-alive-timeout'], keepAlive),
  };
  refuseWithoutEffect(values, command);
  refuseSamePorts(options);
  return options;
}

function refuseSamePorts({ httpPort, httpsPort, metricsPort }: StartOptions): void {
  const twice = (option: string, value: number, other: string): InvalidOption =>
    new InvalidOption(option, value, `is ${other} as well: give a port of its own`);
  if (httpPort === httpsPort) throw twice('--http-port', httpPort, '--https-port');
  if (metricsPort === httpPort) throw twice('--metrics-port', metricsPort, '--http-port');
  if (metricsPort === httpsPort) throw twice('--metrics-port', metricsPort, '--https-port');
}

function given<Value>(text: string | undefined, read: (text: string) => Value): Value | undefined {
  return text === undefined ? undefined : read(text);
}

/** What main.ts says is not said here too, and a command has no main.ts. */
function refuseWithoutEffect(values: Readonly<Record<string, unknown>>, command: Command | undefined): void {
  const idle = command === undefined ? ['health-check-path', 'keep-alive-timeout'] : ['main', 'proxy'];
  for (const option of idle) {
    if (values[option] === undefined) continue;
    const remedy =
      command === undefined
        ? 'is of a command: give --command too, or say it in main.ts'
        : 'is of main.ts: take it out';
    throw new InvalidOption(`--${option}`, values[option], remedy);
  }
}

/** How many instances, as typed. */
export function scaleNumber(option: string, text: string): number {
  return integer(option, wholeNumber(text), 1, maxScale);
}

/** The number, or the text itself, so that a message shows what was given. */
export function wholeNumber(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

function keepAlive(value: string): TimeText {
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
        'metrics-port': { type: 'string' },
        command: { type: 'string' },
        directory: { type: 'string' },
        main: { type: 'string' },
        proxy: { type: 'string' },
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
