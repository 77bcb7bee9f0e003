import { EnvFrom, EnvValue } from 'cdk8s-plus-27';
import type { Timeline } from '../../model/timeline';
import { record } from '../../validation/collections';
import { InvalidOption, shown } from '../../validation/invalid-option';

/** Where each variable comes from that the API is told, so that both sides of a connection agree. */
const owners: ReadonlyMap<string, string> = new Map([
  ['PORT', 'port'],
  ['KEEP_ALIVE_TIMEOUT_SECONDS', 'keepAliveTimeout'],
  ['REQUEST_TIMEOUT_SECONDS', 'requestTimeout'],
  ['SHUTDOWN_TIMEOUT_SECONDS', 'requestTimeout'],
]);

/** The user's variables after ours, in the order given: a later one may refer to an earlier one by `$(NAME)`. */
export function environmentVariables(port: number, timeline: Timeline, given: unknown): Record<string, EnvValue> {
  const ours = {
    PORT: port,
    KEEP_ALIVE_TIMEOUT_SECONDS: timeline.keepAliveTimeout,
    REQUEST_TIMEOUT_SECONDS: timeline.requestTimeout,
    SHUTDOWN_TIMEOUT_SECONDS: timeline.apiShutdownTimeout,
  };
  return Object.fromEntries([
    ...Object.entries(ours).map(([name, value]) => [name, EnvValue.fromValue(String(value))] as const),
    ...Object.entries(record('environment', given, '{ LOG_LEVEL: "info" }')).map(
      ([name, value]) => [name, environmentVariable(name, value)] as const,
    ),
  ]);
}

function environmentVariable(name: string, value: unknown): EnvValue {
  const option = `environment[${JSON.stringify(name)}]`;
  if (!/^[A-Za-z_.-][\w.-]*$/.test(name)) {
    throw new InvalidOption(
      option,
      name,
      'is not the name of an environment variable: give letters, digits, "_", "." and "-", not beginning with a digit',
    );
  }
  const owner = owners.get(name);
  if (owner !== undefined) {
    throw new InvalidOption(
      option,
      shown(value),
      `follows from another option, so that nginx knows it too: give ${owner}`,
    );
  }
  if (value instanceof EnvValue) return value;
  if (typeof value === 'string') {
    if (value.includes('\0')) {
      throw new InvalidOption(option, value, 'has a null character, which no environment can carry: take it out');
    }
    return EnvValue.fromValue(value);
  }
  throw new InvalidOption(option, shown(value), 'is neither text nor an EnvValue: put it in quotes');
}

/** A whole ConfigMap or Secret as variables. */
export function envFrom(option: string, value: unknown): EnvFrom {
  if (value instanceof EnvFrom) return value;
  throw new InvalidOption(option, value, 'is not an EnvFrom: give one, such as Env.fromSecret(secret)');
}
