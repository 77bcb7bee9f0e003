import { pino } from 'pino';
import { standardOutput } from './logger';
import { InvalidSetting } from './settings';

/** What a function reads; a setting that cannot be ends the process with one log line, whatever the log level is. */
export function validOrEnd<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidSetting)) throw error;
    pino({}, standardOutput()).fatal(error.message);
    process.exit(1);
  }
}
