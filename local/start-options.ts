import { isIP } from 'node:net';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { integer, port, TimeText, wholeSeconds } from '../validation/amounts';
import { ipAddress } from '../validation/addresses';
import { InvalidOption } from '../validation/invalid-option';
import { hostName, urlPath } from '../validation/names';
import { environmentFile } from './environment-file';
import { Command } from './processes/child-output';
import { commandLine } from './shell-words';

/** Where exporters of nginx serve metrics. */
export const usualMetricsPort = 9113;

export interface StartOptions {
  /** Processes of every backend. @default - what each says */
  readonly scale: number | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** @default - 9113, or another one if that is taken */
  readonly metricsPort: number | undefined;
  /** @default - 9114, or another one if that is taken */
  readonly dashboardPort: number | undefined;
  /** Where clients are listened for. @default - a loopback address */
  readonly listen: string | undefined;
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
  /** Variables of every instance. */
  readonly environment: Readonly<Record<string, string>>;
  /** A file to which requests are appended as nginx logs them. @default - they are shown alone */
  readonly accessLog: string | undefined;
  /** Whether instances are replaced when their files change. */
  readonly watch: boolean;
  /** Whether what goes well is left out. */
  readonly quiet: boolean;
}

/** The options as they are typed. */
export interface TypedStartOptions {
  readonly scale?: string;
  readonly httpPort?: string;
  readonly httpsPort?: string;
  readonly metricsPort?: string;
  readonly dashboardPort?: string;
  readonly listen?: string;
  readonly host?: string;
  readonly command?: string;
  readonly directory?: string;
  readonly main?: string;
  readonly proxy?: string;
  readonly healthCheckPath?: string;
  readonly keepAliveTimeout?: string;
  readonly envFile?: readonly string[];
  readonly accessLog?: string;
  readonly watch?: true;
  readonly quiet?: true;
}

/** Each takes a process, and room in nginx's shared memory. */
export const maxScale = 100;

/** Reads what was typed, with the words after `--`, where it stands. */
export function startOptions(values: TypedStartOptions, words?: readonly string[]): StartOptions {
  const command = ownCommand(values.command, words, values.directory);
  const options: StartOptions = {
    scale: given(values.scale, (text) => scaleNumber('--scale', text)),
    httpPort: port('--http-port', wholeNumber(values.httpPort ?? '8080')),
    httpsPort: port('--https-port', wholeNumber(values.httpsPort ?? '8443')),
    metricsPort: given(values.metricsPort, (text) => port('--metrics-port', wholeNumber(text))),
    dashboardPort: given(values.dashboardPort, (text) => port('--dashboard-port', wholeNumber(text))),
    listen: given(values.listen, listenAddress),
    host: given(values.host, (name) => hostName('--host', name)),
    command,
    main: values.main ?? 'main.ts',
    proxy: values.proxy,
    healthCheckPath: given(values.healthCheckPath, (path) => urlPath('--health-check-path', path)),
    keepAliveTimeout: given(values.keepAliveTimeout, keepAlive),
    environment: Object.assign({}, ...(values.envFile ?? []).map(environmentFile)) as StartOptions['environment'],
    accessLog: values.accessLog,
    watch: values.watch ?? false,
    quiet: values.quiet ?? false,
  };
  refuseWithoutEffect(values, command);
  refuseSamePorts(options);
  return options;
}

function refuseSamePorts({ httpPort, httpsPort, metricsPort, dashboardPort }: StartOptions): void {
  const ports = [
    ['--https-port', httpsPort],
    ['--http-port', httpPort],
    ['--metrics-port', metricsPort],
    ['--dashboard-port', dashboardPort],
  ] as const;
  for (const [index, [option, value]] of ports.entries()) {
    const [other] = ports.slice(0, index).find(([, before]) => before === value) ?? [];
    if (value === undefined || other === undefined) continue;
    throw new InvalidOption(option, value, `is ${other} as well: give a port of its own`);
  }
}

function given<Value>(text: string | undefined, read: (text: string) => Value): Value | undefined {
  return text === undefined ? undefined : read(text);
}

/** What main.ts says is not said here too, and a command has no main.ts. */
function refuseWithoutEffect(
  { main, proxy, healthCheckPath, keepAliveTimeout }: TypedStartOptions,
  command: Command | undefined,
): void {
  const [idle, remedy] =
    command === undefined
      ? ([
          [
            ['--health-check-path', healthCheckPath],
            ['--keep-alive-timeout', keepAliveTimeout],
          ],
          'does nothing without a command of yours: give --command too, or say it in main.ts',
        ] as const)
      : ([
          [
            ['--main', main],
            ['--proxy', proxy],
          ],
          'does nothing beside a command of yours, which has no main.ts: take it out',
        ] as const);
  for (const [option, value] of idle) if (value !== undefined) throw new InvalidOption(option, value, remedy);
}

/** How many instances, as typed. */
export function scaleNumber(option: string, text: string): number {
  return integer(option, wholeNumber(text), 1, maxScale);
}

/** The number, or the text itself, so that a message shows what was given. */
export function wholeNumber(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

function listenAddress(value: string): string {
  ipAddress('--listen', value);
  return value;
}

/** The address by which this machine reaches what listens there. */
export function reachedAddress(listen: string | undefined): string {
  if (listen === '::') return '::1';
  return listen === undefined || listen === '0.0.0.0' ? '127.0.0.1' : listen;
}

/** Whether nobody but this machine comes by an address. */
export function isLoopback(address: string): boolean {
  return isIP(address) === 4 ? address.startsWith('127.') : address === '::1';
}

function keepAlive(value: string): TimeText {
  return `${wholeSeconds('--keep-alive-timeout', value, { min: '2s', max: '1h' })}s`;
}

/** The program that is given, in one option or after `--`, and where it runs. */
function ownCommand(
  text: string | undefined,
  words: readonly string[] | undefined,
  path: string | undefined,
): Command | undefined {
  const [file, ...args] = words ?? [];
  if (words !== undefined && (file ?? '') === '') {
    throw new UsageError('"--" is followed by no program: give one, such as -- node server.js');
  }
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

/** A command line that was typed wrong: an option that does not exist, or a value that cannot be. Ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
