import { urlPath } from '../validation/names';
import { group, optional, type Reader, type Table, type Values, withDefault } from '../validation/options';

/**
 * Where an API says how it is. With `protocol: 'grpc'` each is the name of a service, of which the health protocol of gRPC
 * (`grpc.health.v1.Health`) says `SERVING`: `'shop.Orders'`, or `''` for the server as a whole, which is the default.
 */
export interface HealthCheckPaths {
  /**
   * A path that answers 2xx when the API works. A new proxy asks for it once before it takes over; a gRPC backend only whether it answers.
   *
   * @default '/healthcheck'
   */
  readonly path?: string;

  /**
   * Asked every 10 s, and once a second until its first 2xx; a pod whose answer is missing or is not 2xx or 3xx for 60 s
   * is restarted. Do not let it depend on a database: all pods would be restarted together.
   *
   * @default - path
   * @see https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
   */
  readonly liveness?: string;

  /**
   * Asked every 5 s; a pod that answers no 2xx or 3xx twice in a row gets no new requests until it does.
   *
   * @default - path
   */
  readonly readiness?: string;
}

/** A table of them, whose values are all read in one way. */
export function healthChecks(byDefault: string, read: Reader<string>) {
  return {
    path: withDefault(byDefault, read),
    liveness: optional(read),
    readiness: optional(read),
  } satisfies Table<HealthCheckPaths>;
}

export const healthCheckOptions = healthChecks('/healthcheck', urlPath);

/** One for all probes, or one for each. */
export function healthCheck(table: ReturnType<typeof healthChecks>, read: Reader<string>, example: string) {
  return (option: string, given: unknown): Values<ReturnType<typeof healthChecks>> => {
    if (typeof given === 'string') return { path: read(option, given), liveness: undefined, readiness: undefined };
    return group(table, example)(option, given);
  };
}
