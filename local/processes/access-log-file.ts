import { appendFileSync, openSync } from 'node:fs';
import { InvalidOption } from '../../validation/invalid-option';

/** Appends each line of nginx's access log to a file as it is, for `fairlead explain --log`; throws an InvalidOption where none can be. */
export function accessLogFile(path: string, say: (problem: string) => void): (line: string) => void {
  let file: number | undefined = opened(path);
  return (line) => {
    // Lines of the error log are shown alone.
    if (file === undefined || !line.startsWith('{')) return;
    try {
      appendFileSync(file, `${line}\n`);
    } catch (error) {
      // A run goes on without it.
      file = undefined;
      say(
        `--access-log: ${JSON.stringify(path)} takes no more lines (${codeOf(error)}): requests are not logged any more`,
      );
    }
  };
}

function opened(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (error) {
    throw new InvalidOption(
      '--access-log',
      path,
      `cannot be written (${codeOf(error)}): give a file, in a directory that is there`,
    );
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'an error';
}
