import { type OmittableField, omittableFields } from '../model/access-log/fields';
import { InvalidOption } from '../validation/invalid-option';

/** A request as nginx has logged it. What a client wrote is as it stands in the log: nothing of it is printed as it is. */
export interface AccessLogLine {
  readonly time: string;
  readonly requestId: string;
  /** Empty without `traceContext`. */
  readonly traceId: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly protocol: string;
  readonly status: number;
  /** Undefined of any other answer than one of gRPC. */
  readonly grpcStatus: number | undefined;
  /** Undefined where the log leaves it out. */
  readonly bytesSent: number | undefined;
  /** In seconds. Undefined where the log leaves it out. */
  readonly requestTime: number | undefined;
  /** In turn. */
  readonly tries: readonly Try[];
  readonly cache: string;
  /** Empty over plain HTTP; undefined of a line from which it was left out. */
  readonly tls: string | undefined;
  readonly clientCertificate: string;
  /** Fields that an explanation would go by, and that the log leaves out. */
  readonly lacks: readonly OmittableField[];
}

/** An instance that was asked, or an upstream of which none was there to be asked. */
export interface Try {
  /** An address with its port; the name of an upstream where nginx found no instance of it. */
  readonly instance: string;
  /** From 0: nginx's own tries, then the one more, then the fallback. */
  readonly round: number;
  readonly bytesSent: number;
  /** Undefined where it was given up before there was one. */
  readonly status: number | undefined;
  /** In seconds: until the head of its answer was there. Undefined where none came. */
  readonly headerTime: number | undefined;
  readonly time: number | undefined;
}

/** Characters. nginx writes at most 4095 bytes, and what carries lines may put some before them. */
export const longestLine = 65_536;

/** Of what a proxy may leave out, what nothing is explained by. */
const unused: readonly OmittableField[] = ['user_agent', 'reason'];

/** Ten of nginx's own, one more, and the fallback are 12. */
const mostTries = 100;

/** Reads a line of the access log, whatever stands before its object; refuses what is none under the name of where it came from. */
export function accessLogLine(option: string, text: string): AccessLogLine {
  if (text.length > longestLine) {
    throw new InvalidOption(
      option,
      `${text.length} characters`,
      `are too many for a line of the access log: give ${longestLine} at most`,
    );
  }
  const fields = objectIn(text);
  if (fields === undefined) {
    throw new InvalidOption(option, text, 'is not a line of the access log: give one JSON object, as nginx writes it');
  }
  for (const name of ['request_id', 'status']) {
    if (Object.hasOwn(fields, name)) continue;
    throw new InvalidOption(option, fields, `has no ${name}, so that it is not a line of nginx's access log: give one`);
  }
  const textOf = (name: string): string => readText(`${option} ${name}`, fields[name]);
  const numberOf = (name: string): number | undefined => {
    const value = fields[name] ?? undefined;
    return value === undefined ? undefined : readNumber(`${option} ${name}`, value);
  };
  const grpcStatus = textOf('grpc_status');
  return {
    time: textOf('time'),
    requestId: textOf('request_id'),
    traceId: textOf('trace_id'),
    client: textOf('client'),
    method: textOf('method'),
    host: textOf('host'),
    path: textOf('path'),
    protocol: textOf('protocol'),
    status: readStatus(`${option} status`, fields.status),
    grpcStatus: /^\d{1,3}$/.test(grpcStatus) ? Number(grpcStatus) : undefined,
    bytesSent: numberOf('bytes_sent'),
    requestTime: numberOf('request_time'),
    tries: triesOf(option, textOf),
    cache: textOf('cache'),
    tls: fields.tls === undefined ? undefined : textOf('tls'),
    clientCertificate: textOf('client_certificate'),
    // Nothing is explained by a user agent.
    lacks: omittableFields.filter((name) => !unused.includes(name) && !Object.hasOwn(fields, name)),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** The object that a text ends with: kubectl and others put the name of a pod, or the time, before it. */
function objectIn(text: string): Fields | undefined {
  const start = text.indexOf('{');
  if (start === -1) return undefined;
  try {
    const value: unknown = JSON.parse(text.slice(start));
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** What was left out of a line is empty. */
function readText(option: string, value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  throw new InvalidOption(option, value, 'is not text, as nginx writes it: give the line as it is in the log');
}

function readNumber(option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidOption(option, value, 'is not a number, as nginx writes it: give the line as it is in the log');
}

function readStatus(option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 999) return value;
  throw new InvalidOption(option, value, 'is not a status, from 0 to 999: give the line as it is in the log');
}

function triesOf(option: string, textOf: (name: string) => string): readonly Try[] {
  const instances = textOf('upstream_addr')
    .split(' : ')
    .flatMap((round, index) => round.split(', ').map((instance) => ({ instance, round: index })));
  if (instances.length > mostTries) {
    throw new InvalidOption(
      `${option} upstream_addr`,
      `${instances.length} instances`,
      'are more than nginx tries: give the line as it is in the log',
    );
  }
  const isAsked = textOf('upstream_addr') !== '';
  const entriesOf = (name: string, isNeeded = isAsked): readonly (number | undefined)[] => {
    const text = textOf(name);
    const entries = text.split(/, | : /).map((entry) => readEntry(`${option} ${name}`, entry));
    if (text === '' ? !isNeeded : entries.length === instances.length) return entries;
    throw new InvalidOption(
      `${option} ${name}`,
      text,
      `does not go with upstream_addr, which has ${instances.length}: give the line as it is in the log`,
    );
  };
  // Without these nobody can tell what became of a try, nor whether it may be repeated.
  const [statuses, bytesSent] = [entriesOf('upstream_status'), entriesOf('upstream_bytes_sent')];
  const headerTimes = entriesOf('upstream_header_time');
  const times = entriesOf('upstream_response_time', false);
  const tries = instances.map((asked, index) => ({
    ...asked,
    bytesSent: bytesSent[index] ?? 0,
    status: statuses[index],
    headerTime: headerTimes[index],
    time: times[index],
  }));
  // What was led on and not asked any more leaves an empty entry.
  return tries.filter(({ instance }) => instance !== '');
}

/** `-` where there was nothing to write. */
function readEntry(option: string, entry: string): number | undefined {
  if (entry === '' || entry === '-') return undefined;
  if (/^\d{1,15}(?:\.\d{1,6})?$/.test(entry)) return Number(entry);
  throw new InvalidOption(option, entry, 'is not a number or "-": give the line as it is in the log');
}
