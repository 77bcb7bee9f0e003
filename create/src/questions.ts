import { createInterface } from 'node:readline/promises';

/** Whoever was asked pressed Ctrl-C, or closed the terminal. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

export interface Question {
  readonly text: string;
  readonly otherwise: string;
  /** What the answer means; throws with one line if that cannot be. */
  readonly read: (answer: string) => string;
}

export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** An answer to each question, asked again until it can be one; nothing typed is the default. */
export async function interview<Answers>(
  { input, output }: Terminal,
  questions: (ask: (question: Question) => Promise<string>) => Promise<Answers>,
): Promise<Answers> {
  // Ctrl-C is a key to it, and no signal.
  const lines = createInterface({ input, output, terminal: true });
  const cancelled = new AbortController();
  lines.once('SIGINT', () => {
    lines.close();
  });
  lines.once('close', () => {
    cancelled.abort();
  });
  const ask = async ({ text, otherwise, read }: Question): Promise<string> => {
    for (;;) {
      const answer = (await lines.question(`${text} (${otherwise}): `, { signal: cancelled.signal })).trim();
      try {
        return read(answer === '' ? otherwise : answer);
      } catch (error) {
        output.write(`  ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  };
  try {
    return await questions(ask);
  } catch (error) {
    throw cancelled.signal.aborted ? new Cancelled() : error;
  } finally {
    lines.close();
  }
}
