import { pino } from 'pino';
import { InvalidOption } from './invalid-option';
import { standardOutput } from './logger';

/** Says in one log line, whatever the log level is, why the process cannot go on, and ends it. */
export function endWith(message: string): never {
  pino({}, standardOutput()).fatal(message);
  process.exit(1);
}

/** What a function reads; a setting that cannot work ends the process. */
export function validOrEnd<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidOption) endWith(error.message);
    throw error;
  }
}
