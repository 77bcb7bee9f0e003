import { hostname } from 'node:os';
import { choiceSetting } from './settings';

/** Where `serve()` says what it does: pino, winston, `console`, or anything else that has these two. */
export interface ServeLogger {
  info(message: string): void;
  error(message: string): void;
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type Level = (typeof levels)[number];

/** JSON lines on standard output, as pino's are; `LOG_LEVEL` says from which level on. */
export function jsonLogger(environment: NodeJS.ProcessEnv): ServeLogger {
  const least = choiceSetting<Level>({ variable: 'LOG_LEVEL', environment }, 'info', levels);
  const from = (level: Level) => (message: string) => {
    if (levels.indexOf(level) >= levels.indexOf(least)) writeLine(level, message);
  };
  return { info: from('info'), error: from('error') };
}

/** Why the process ends, whatever the log level is. */
export function logFatal(message: string): void {
  writeLine('fatal', message);
}

function writeLine(level: Level, msg: string): void {
  const { HOSTNAME: name = '' } = process.env;
  const line = {
    level: 10 * (levels.indexOf(level) + 1),
    time: Date.now(),
    pid: process.pid,
    hostname: name === '' ? hostname() : name,
    msg,
  };
  // Written at once where standard output is a pipe, a file or a terminal, and not the end of the process if its reader is gone.
  console.log(JSON.stringify(line));
}
