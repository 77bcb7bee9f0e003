import { createInterface } from 'node:readline';
import { InvalidOption } from '../validation/invalid-option';
import { Output } from './output';
import { packageVersion } from './package-version';
import { scaleNumber, StartOptions } from './start-options';

export interface ConsoleCommands {
  readonly scale: (count: number) => void;
  readonly status: () => void;
  readonly help: () => void;
  readonly quit: () => void;
  readonly misunderstood: (message: string) => void;
}

export const consoleHelp = [
  'scale N   run N instances of the API',
  'status    show the instances',
  'quit      end everything, as Ctrl-C does',
];

/** Reads commands, one a line, from a terminal or a pipe, whose end means nothing. Returns what stops it. */
export function readConsoleCommands(input: NodeJS.ReadableStream, commands: ConsoleCommands): () => void {
  const lines = createInterface({ input, terminal: false });
  lines.on('line', (line) => {
    const [word = '', ...rest] = line.trim().split(/\s+/);
    if (word === 'scale') {
      scale(rest, commands);
    } else if (rest.length === 0 && (word === 'status' || word === 'help' || word === 'quit')) {
      commands[word]();
    } else if (word !== '') {
      commands.misunderstood(
        `${JSON.stringify(line.trim().slice(0, 80))} is not a command: type scale N, status, help or quit`,
      );
    }
  });
  return () => {
    lines.close();
    input.pause();
  };
}

function scale(rest: readonly string[], commands: ConsoleCommands): void {
  try {
    commands.scale(scaleNumber('scale', rest.join(' ')));
  } catch (error) {
    if (!(error instanceof InvalidOption)) throw error;
    commands.misunderstood(error.message);
  }
}

export interface BannerFacts {
  readonly options: StartOptions;
  /** Where nginx is from. */
  readonly nginx: string;
  readonly instances: readonly string[];
}

/** What runs, where it is, and what can be done with it. */
export function banner(output: Output, { options, nginx, instances }: BannerFacts): string[] {
  const { host, httpPort, httpsPort, healthCheckPath } = options;
  const https = `https://${host}:${httpsPort}`;
  const http = `http://${host}:${httpPort}`;
  // What is not a name of this machine must be said to be one.
  const isLocal = host === 'localhost' || host.endsWith('.localhost');
  const resolve = isLocal ? '' : `--resolve ${host}:${httpsPort}:127.0.0.1 `;
  const width = Math.max(https.length, http.length) + 3;
  const link = (url: string): string => output.style('cyan', url) + ' '.repeat(width - url.length);
  const label = (text: string): string => output.style('dim', text.padEnd(8));
  return [
    '',
    `  ${output.style('bold', `fairlead ${packageVersion()}`)}  ${nginx}`,
    '',
    `  ${link(https)}TLS, in front of ${instances.length === 1 ? 'one instance' : `${instances.length} instances`}: ${range(instances)}`,
    `  ${link(http)}redirects to HTTPS`,
    '',
    `  ${label('Try')}curl -k ${resolve}${https}${healthCheckPath}`,
    `  ${label('Scale')}type "scale ${instances.length + 3}" and Enter ("help" shows more)`,
    `  ${label('Stop')}Ctrl-C`,
    '',
  ];
}

function range(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${String(names[0])} … ${String(names.at(-1))}`;
}
