import { milliseconds, type TimeText, whole } from '../../validation/amounts';
import { list, record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';
import { headerName, variableName } from '../../validation/names';
import { instanceOf, knownValues, type Reader, type Table, withDefault } from '../../validation/options';
import { logFields, type OmittableField, omittableFields } from './fields';

/** Which requests have a line in the access log, and what stands in it. */
export interface AccessLogOptions {
  /**
   * Fields that no line has: some of `client`, `protocol`, `bytes_sent`, `request_time`, `upstream_response_time` and `user_agent`. By all others requests
   * are found, explained and counted, so that they stay. `fairlead explain` goes without these, and says which it lacks.
   *
   * @default - none
   * @see https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
   */
  readonly omit?: readonly OmittableField[];

  /**
   * Fields of your own, by name: lower-case letters, digits and underscores. They stand at the end of each line, and are empty where a request has no such
   * thing. By default a line has room for some 600 bytes of them, and for 816 more without `user_agent`.
   *
   * @default - none
   * @see https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
   */
  readonly add?: Readonly<Record<string, LogField>>;

  /**
   * The share, from 0.0001 to 1, that is logged of the requests that succeeded at the first try and were not slow. Which these are follows from the request id
   * alone: whoever samples by the id too has the same ones, and a client that makes up ids can choose. All others are always logged: a status of 400 or more,
   * an error of gRPC, an answer whose client left, more than one try, the fallback. Below 1 every line has the field `sample`. Metrics count every request.
   *
   * @default 1
   * @see https://nginx.org/en/docs/http/ngx_http_split_clients_module.html
   */
  readonly sample?: number;

  /**
   * Beside `sample`: a request that took longer is always logged.
   *
   * @default '1s'
   * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#var_request_time
   */
  readonly slow?: TimeText;
}

/** How much of a value is logged. */
export interface LogFieldOptions {
  /**
   * Bytes that are logged of a value, from 1 to 500: a longer one is cut behind the last whole character. A line has room for twice as many, since each may
   * have to be escaped.
   *
   * @default 64
   */
  readonly maxLength?: number;
}

/** What of a request or its answer a field is. */
export type LogSource =
  | { readonly kind: 'requestHeader' | 'responseHeader'; readonly name: string }
  | { readonly kind: 'cookie' | 'query'; readonly name: string };

/** A field of the access log that is none of fairlead's own. */
export interface AddedField {
  readonly name: string;
  readonly source: LogSource;
  /** Bytes. */
  readonly maxLength: number;
}

/** An access log whose every value is known. */
export interface AccessLogModel {
  readonly omit: readonly OmittableField[];
  readonly add: readonly AddedField[];
  /** 1 is every request. */
  readonly sample: number;
  /** In milliseconds. */
  readonly slow: number;
}

export const logFieldOptions = {
  maxLength: withDefault(64, whole(1, 500)),
} satisfies Table<LogFieldOptions>;

/** What a field of your own says. */
export class LogField {
  private constructor(
    readonly source: LogSource,
    /** Bytes. */
    readonly maxLength: number,
  ) {}

  /**
   * A header as the client sent it, who may write what it likes. Those that prove who a client is are refused, as whoever reads the log could be that client.
   *
   * @example
   * new NginxProxy(shop, 'edge', { accessLog: { add: { tenant: LogField.requestHeader('X-Tenant') } } });
   */
  static requestHeader(name: string, options: LogFieldOptions = {}): LogField {
    const factory = 'LogField.requestHeader';
    return LogField.of(factory, { kind: 'requestHeader', name: openHeader(factory, name) }, options);
  }

  /** A header of the API's answer, also one that clients do not get (`responseHeaders: { 'X-User': false }`): so the API can log what it knows. */
  static responseHeader(name: string, options: LogFieldOptions = {}): LogField {
    const factory = 'LogField.responseHeader';
    return LogField.of(factory, { kind: 'responseHeader', name: openHeader(factory, name) }, options);
  }

  /** A cookie of the request: none that proves who a client is, such as that of a session, as whoever reads the log could be that client. */
  static cookie(name: string, options: LogFieldOptions = {}): LogField {
    const factory = 'LogField.cookie';
    return LogField.of(factory, { kind: 'cookie', name: variableName(factory, name) }, options);
  }

  /** An argument of the query string as it stands there, percent-encoded: no token, as whoever reads the log could use it. */
  static query(name: string, options: LogFieldOptions = {}): LogField {
    const factory = 'LogField.query';
    return LogField.of(factory, { kind: 'query', name: variableName(factory, name) }, options);
  }

  private static of(factory: string, source: LogSource, options: LogFieldOptions): LogField {
    const given = record(factory, options, '{ maxLength: 100 }');
    return new LogField(source, knownValues(given, logFieldOptions, `${factory} `).maxLength);
  }
}

const secretHeaders: readonly string[] = ['authorization', 'cookie', 'proxy-authorization', 'set-cookie', 'x-api-key'];

/** The name of a header that nobody proves by who they are. */
function openHeader(factory: string, name: unknown): string {
  const header = headerName(factory, name);
  if (!secretHeaders.includes(header.toLowerCase())) return header;
  throw new InvalidOption(
    factory,
    name,
    'proves who a client is, so that whoever reads the log could be that client: log what the API says of it, such as LogField.responseHeader("X-User")',
  );
}

export const accessLogOptions = {
  omit: withDefault([], omittedFields),
  add: withDefault({}, addedFields),
  sample: withDefault(1, share),
  slow: withDefault('1s', (option, given) => milliseconds(option, given, { min: '1ms', max: '1d' })),
} satisfies Table<AccessLogOptions>;

/** The options of a proxy, and what they mean together. */
export const accessLog: Reader<AccessLogModel> = (option, given) => {
  const options = record(option, given, '{ sample: 0.1 }');
  const log = knownValues(options, accessLogOptions, `${option}.`);
  if (options.slow === undefined || options.sample !== undefined) return log;
  throw new InvalidOption(
    `${option}.slow`,
    options.slow,
    'does nothing while all requests are logged: give sample too, such as 0.1, or take it out',
  );
};

function omittedFields(option: string, given: unknown): readonly OmittableField[] {
  const fields = list(option, given, '["user_agent"]').map((name) => {
    const found = omittableFields.find((field) => field === name);
    if (found !== undefined) return found;
    const isField = typeof name === 'string' && Object.hasOwn(logFields, name);
    throw new InvalidOption(
      option,
      name,
      `${isField ? 'stays, as requests are found, explained or counted by it' : 'is no field of the access log'}: give some of ${omittableFields.join(', ')}`,
    );
  });
  return [...new Set(fields)];
}

/** So many surely fit into the parameters of nginx.conf that have all of them. */
const mostAdded = 16;

function addedFields(option: string, value: unknown): readonly AddedField[] {
  const fields = Object.entries(record(option, value, '{ tenant: LogField.requestHeader("X-Tenant") }'));
  if (fields.length > mostAdded) {
    throw new InvalidOption(option, `${fields.length} fields`, `are too many: give ${mostAdded} at most`);
  }
  return fields.map(([given, field]) => {
    const name = fieldName(option, given);
    const { source, maxLength } = instanceOf(LogField, 'LogField.requestHeader("X-Tenant")')(
      `${option}.${name}`,
      field,
    );
    return { name, source, maxLength };
  });
}

function fieldName(option: string, name: string): string {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(name)) {
    throw new InvalidOption(
      option,
      name,
      'is not a name of a field: give at most 40 lower-case letters, digits and underscores, the first a letter, such as "tenant"',
    );
  }
  if (!Object.hasOwn(logFields, name)) return name;
  throw new InvalidOption(option, name, 'is a field of the access log already: give another name');
}

function share(option: string, given: unknown): number {
  if (typeof given === 'number' && /^(?:1|0\.\d{1,4})$/.test(String(given))) return given;
  throw new InvalidOption(
    option,
    given,
    'is not a share that requests can be chosen by: give a number from 0.0001 to 1 with four digits behind the point at most, such as 0.1',
  );
}
