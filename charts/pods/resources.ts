import { k8s } from 'cdk8s-plus-27';
import { cpus, memoryBytes } from '../../validation/amounts';
import { InvalidOption } from '../../validation/invalid-option';
import { group, optional, type Reader, type Table, type Values } from '../../validation/options';

/** What a container is sure of, and what it may use at most, as Kubernetes writes it: `500m`, `2`; `256Mi`, `1Gi`. */
export interface Amounts {
  /**
   * What a pod is sure of; the scheduler counts with it.
   *
   * @default - see `resources`; no more than a limit that is given
   */
  readonly request?: string;

  /**
   * What a pod may use at most.
   *
   * @default - see `resources`; no less than a request that is given
   */
  readonly limit?: string;
}

/** What a container asks for, with every value known. */
export interface Resources {
  readonly cpu: Required<Amounts>;
  readonly memory: Required<Amounts>;
  readonly ephemeralStorage: { readonly request: string; readonly limit?: string };
}

/** The two groups `cpu` and `memory`, each of which may be left out. */
export const resourceOptions = {
  cpu: optional(group(amountsOf(cpus), '{ request: "500m", limit: "2" }')),
  memory: optional(group(amountsOf(memoryBytes), '{ request: "256Mi", limit: "512Mi" }')),
};

function amountsOf(size: Reader<number>) {
  const amount: Reader<string> = (option, given) => {
    size(option, given);
    return given as string;
  };
  return { request: optional(amount), limit: optional(amount) } satisfies Table<Amounts>;
}

/** Of a request and its limit, the one that is not given follows the one that is. */
export function requestAndLimit(
  resource: 'cpu' | 'memory',
  given: Values<ReturnType<typeof amountsOf>> | undefined,
  otherwise: Required<Amounts>,
): Required<Amounts> {
  const size = resource === 'cpu' ? cpus : memoryBytes;
  const name = `resources.${resource}`;
  const request = given?.request ?? otherwise.request;
  const limit = given?.limit ?? otherwise.limit;
  if (size(name, request) <= size(name, limit)) return { request, limit };
  if (given?.limit === undefined) return { request, limit: request };
  if (given.request === undefined) return { request: limit, limit };
  throw new InvalidOption(
    `${name}.request`,
    request,
    `is more than ${name}.limit (${JSON.stringify(limit)}): give no more than that`,
  );
}

export function resourceRequirements({ cpu, memory, ephemeralStorage }: Resources): k8s.ResourceRequirements {
  const of = (which: 'request' | 'limit'): Record<string, k8s.Quantity> => {
    const amounts = { cpu: cpu[which], memory: memory[which], 'ephemeral-storage': ephemeralStorage[which] };
    return Object.fromEntries(
      Object.entries(amounts).flatMap(([resource, amount]) =>
        amount === undefined ? [] : [[resource, k8s.Quantity.fromString(amount)]],
      ),
    );
  };
  return { requests: of('request'), limits: of('limit') };
}
