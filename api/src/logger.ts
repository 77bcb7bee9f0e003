import { destination, type Logger, pino } from 'pino';
import { instanceName } from './instance-name';
import { choiceSetting } from './settings';

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Written at once: a process that ends would otherwise lose its last lines, or print them out of order. */
export function standardOutput() {
  return destination({ dest: 1, sync: true });
}

/** JSON lines on standard output that name the instance; `LOG_LEVEL` says from which level on. */
export function createLogger(environment: NodeJS.ProcessEnv): Logger {
  const level = choiceSetting({ variable: 'LOG_LEVEL', environment }, 'info', levels);
  return pino({ level, base: { pid: process.pid, hostname: instanceName(environment) } }, standardOutput());
}
