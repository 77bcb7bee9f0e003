import { constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { childOutput } from './child-output';

/** A pipe of the operating system. What Node calls one is a socket, which `/dev/stdout` cannot be opened as. */
export interface Pipe {
  readonly output: Readable;
  /** A file descriptor for a child, to be closed here once the child has it. */
  readonly input: number;
}

/** Makes a pipe; `directory` holds its name for a moment. */
export async function makePipe(directory: string): Promise<Pipe> {
  const path = join(directory, 'pipe');
  await childOutput({ file: 'mkfifo', args: ['-m', '600', path] });
  try {
    // In this order neither waits for the other end.
    const output = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const input = openSync(path, constants.O_WRONLY);
    return { output: new Socket({ fd: output, readable: true, writable: false }), input };
  } finally {
    await rm(path, { force: true });
  }
}
