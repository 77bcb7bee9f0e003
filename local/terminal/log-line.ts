/** How much a line matters. */
export type Level = 'error' | 'warn' | 'info' | 'debug';

export interface LogLine {
  readonly level: Level;
  readonly text: string;
}

/** What every record of pino has, and a line shows elsewhere or not at all. */
const commonFields: readonly string[] = ['level', 'time', 'pid', 'hostname', 'msg', 'err'];

/** A line of the API: JSON as pino writes it becomes words, anything else stays as it is. */
export function apiLogLines(line: string): LogLine[] {
  const record = jsonObject(line);
  if (typeof record?.msg !== 'string' || typeof record.level !== 'number') return [{ level: 'info', text: line }];
  const level = pinoLevel(record.level);
  // nginx has a line for each request already, which names the instance.
  if (record.msg === 'request completed' && level === 'info') return [];
  const stack = isObject(record.err) && typeof record.err.stack === 'string' ? record.err.stack.split('\n') : [];
  const fields = Object.entries(record)
    .filter(([name]) => !commonFields.includes(name))
    .map(([name, value]) => `${name}=${fieldText(value)}`);
  return [[record.msg, ...fields].join('  '), ...stack].map((text) => ({ level, text }));
}

/** A line of nginx: of its access log, which is JSON, or of its error log. `instanceName` knows who has a port. */
export function nginxLogLine(line: string, instanceName: (port: number) => string | undefined): LogLine {
  const record = jsonObject(line);
  if (record !== undefined) return accessLogLine(record, instanceName);
  const [, severity = '', text = line] = /^\d{4}\/\d\d\/\d\d [\d:]{8} \[(\w+)\] \d+#\d+: (.*)$/s.exec(line) ?? [];
  return { level: errorLogLevels[severity] ?? 'info', text };
}

const errorLogLevels: Readonly<Record<string, Level>> = {
  emerg: 'error',
  alert: 'error',
  crit: 'error',
  error: 'error',
  warn: 'warn',
};

function accessLogLine(
  record: Readonly<Record<string, unknown>>,
  instanceName: (port: number) => string | undefined,
): LogLine {
  const status = Number(record.status);
  // One address for each instance that was tried, separated by commas, or by colons after an internal redirect.
  const instances = [...String(record.upstream_addr).matchAll(/[\d.]+:(\d+)/g)].map(
    ([address, port]) => instanceName(Number(port)) ?? address,
  );
  // accessLog.omit may leave it out.
  const time = record.request_time === undefined ? '' : `${Math.round(Number(record.request_time) * 1000)} ms`;
  const text = [record.method, record.path, status, time, instances.join(' → ')];
  return {
    level: status >= 500 ? 'error' : 'info',
    text: text.filter((part) => part !== '' && part !== undefined).join(' '),
  };
}

function pinoLevel(level: number): Level {
  if (level >= 50) return 'error';
  if (level >= 40) return 'warn';
  return level >= 30 ? 'info' : 'debug';
}

function fieldText(value: unknown): string {
  return typeof value === 'string' && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}

function jsonObject(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
