import { isIPv6 } from 'node:net';
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';
import type { ReadStream } from 'node:tty';
import { integer } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import { Output } from './output';
import { packageVersion } from '../package-version';
import { reachedAddress, scaleNumber, StartOptions, wholeNumber } from '../start-options';

export interface ConsoleCommands {
  /** So many of one backend, or of each; throws an InvalidOption. */
  readonly scale: (count: number, backend: string | undefined) => void;
  readonly stop: (instance: string) => void;
  /** So many percent of what a backend shares with others. */
  readonly weight: (backend: string, percent: number) => void;
  readonly status: () => void;
  readonly help: () => void;
  readonly quit: () => void;
  readonly misunderstood: (message: string) => void;
}

export const consoleHelp = [
  'scale N        run N instances of each backend',
  'scale NAME N   the same of one backend',
  'stop NAME-1    end one instance, as a scale-down does',
  'weight NAME N  give a version N percent of the requests that it shares',
  'status         show the instances',
  'quit           end everything, as Ctrl-C does',
];

/**
 * Reads commands, one a line, from a terminal or a pipe, whose end means nothing. What is being typed on a terminal stays below the
 * output. Returns what stops it.
 */
export function readConsoleCommands(
  input: NodeJS.ReadableStream,
  output: Output,
  commands: ConsoleCommands,
): () => void {
  const lines = linesOf(input, output);
  // Of a terminal that is gone: its SIGHUP ends what runs.
  lines.on('error', () => undefined);
  lines.on('line', (line) => {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (word === 'scale') {
      understood(commands, () => {
        scale(rest, commands);
      });
    } else if (word === 'weight' && rest.length === 2) {
      understood(commands, () => {
        commands.weight(String(rest[0]), percent(String(rest[1])));
      });
    } else if (word === 'stop' && rest.length === 1) {
      understood(commands, () => {
        commands.stop(String(rest[0]));
      });
    } else if (rest.length === 0 && (word === 'status' || word === 'help' || word === 'quit')) {
      commands[word]();
    } else if (word !== '') {
      commands.misunderstood(
        `${JSON.stringify(line.trim().slice(0, 80))} is not a command: type scale N, stop NAME-1, weight NAME N, status, help or quit`,
      );
    }
  });
  return () => {
    lines.close();
    input.pause();
  };
}

/** Lines that can be edited while others are written above them, where both are of a terminal. */
function linesOf(input: NodeJS.ReadableStream, output: Output): Interface {
  const { terminal } = output;
  if (terminal === undefined || (input as Partial<ReadStream>).isTTY !== true) {
    return createInterface({ input, terminal: false });
  }
  const lines = createInterface({ input, output: terminal, terminal: true, prompt: '' });
  // A terminal that gives each key as it is typed sends no signal.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  output.keepBelow({
    takeAway: () => {
      if (lines.line === '') return;
      cursorTo(terminal, 0);
      clearLine(terminal, 0);
    },
    putBack: () => {
      if (lines.line !== '') lines.prompt(true);
    },
  });
  lines.once('close', () => {
    output.keepBelow(undefined);
  });
  return lines;
}

/** `scale N`, `scale NAME N`. */
function scale(rest: readonly string[], { scale: to }: ConsoleCommands): void {
  const backend = rest.length === 2 ? rest[0] : undefined;
  to(scaleNumber('scale', rest.slice(backend === undefined ? 0 : 1).join(' ')), backend);
}

function percent(text: string): number {
  return integer('weight', wholeNumber(text), 0, 100);
}

function understood(commands: ConsoleCommands, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof InvalidOption)) throw error;
    commands.misunderstood(error.message);
  }
}

export interface BannerBackend {
  /** Undefined if it speaks gRPC. */
  readonly healthCheckPath: string | undefined;
  readonly instances: readonly string[];
}

export interface BannerFacts {
  readonly options: StartOptions;
  /** Undefined if there are none. */
  readonly metricsPort: number | undefined;
  readonly dashboard: string;
  readonly hosts: readonly [string, ...string[]];
  /** Where nginx is from. */
  readonly nginx: string;
  readonly backends: readonly BannerBackend[];
}

/** What runs, where it is, and what can be done with it. */
export function banner(
  output: Output,
  { options, metricsPort, dashboard, hosts, nginx, backends }: BannerFacts,
): string[] {
  const [host] = hosts;
  const { httpPort, httpsPort } = options;
  const instances = backends.flatMap((backend) => backend.instances);
  const all = backends.map((backend) => range(backend.instances)).join(', ');
  const before =
    instances.length === 0
      ? ''
      : `${instances.length === 1 ? 'one instance' : `${instances.length} instances`}: ${all}`;
  const https = `https://${host}:${httpsPort}`;
  const http = `http://${host}:${httpPort}`;
  const metrics = metricsPort === undefined ? undefined : `http://localhost:${metricsPort}/metrics`;
  const width = Math.max(https.length, http.length, dashboard.length, metrics?.length ?? 0) + 3;
  const link = (url: string): string => output.style('cyan', url) + ' '.repeat(width - url.length);
  const label = (text: string): string => output.style('dim', text.padEnd(8));
  return [
    '',
    `  ${output.style('bold', `fairlead ${packageVersion()}`)}  ${nginx}`,
    '',
    `  ${link(https)}TLS${before === '' ? '' : `, in front of ${before}`}`,
    `  ${link(http)}redirects to HTTPS`,
    `  ${link(dashboard)}the dashboard: what it does, live`,
    ...(metrics === undefined ? [] : [`  ${link(metrics)}for Prometheus`]),
    '',
    `  ${label('Try')}${firstRequest(options, host, backends)}`,
    ...(backends[0] === undefined
      ? []
      : [`  ${label('Scale')}type "scale ${backends[0].instances.length + 3}" and Enter ("help" shows more)`]),
    `  ${label('Stop')}Ctrl-C`,
    '',
  ];
}

/** What asks it from this machine: for a path, or by gRPC if nothing else is spoken. */
export function firstRequest(
  options: StartOptions,
  host: string,
  backends: readonly Pick<BannerBackend, 'healthCheckPath'>[],
): string {
  const paths = backends.flatMap(({ healthCheckPath }) => healthCheckPath ?? []);
  return backends.length > 0 && paths.length === 0 ? grpcurl(options, host) : curl(options, host, paths[0] ?? '/');
}

/** Whether the host is a name of this machine: another one must be said to be. */
function isLocal(host: string, address: string): boolean {
  return (host === 'localhost' || host.endsWith('.localhost')) && address === '127.0.0.1';
}

function curl({ listen, httpsPort }: StartOptions, host: string, path: string): string {
  const address = reachedAddress(listen);
  const resolve = isLocal(host, address) ? '' : `--resolve ${host}:${httpsPort}:${address} `;
  return `curl -k ${resolve}https://${host}:${httpsPort}${path}`;
}

function grpcurl({ listen, httpsPort }: StartOptions, host: string): string {
  const address = reachedAddress(listen);
  const named = isLocal(host, address) ? '' : `-servername ${host} -authority ${host} `;
  const reached = isLocal(host, address) ? 'localhost' : isIPv6(address) ? `[${address}]` : address;
  return `grpcurl -insecure ${named}-proto FILE ${reached}:${httpsPort} SERVICE/METHOD`;
}

function range(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${String(names[0])} … ${String(names.at(-1))}`;
}
