import { createInterface } from 'node:readline';
import { InvalidOption } from '../values/invalid-option';
import { scaleNumber } from './start-options';

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
