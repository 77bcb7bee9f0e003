import { k8s } from 'cdk8s-plus-27';
import { InvalidOption } from '../validation/invalid-option';
import type { Reader } from '../validation/options';

/** What a container is sure of, and what it may use at most, as Kubernetes writes it. */
export interface Resources {
  readonly cpu: Amounts;
  readonly memory: Amounts;
  readonly ephemeralStorage: { readonly request: string; readonly limit?: string };
}

interface Amounts {
  readonly request: string;
  readonly limit: string;
}

interface Amount {
  readonly option: string;
  readonly value: string | undefined;
  readonly otherwise: string;
}

/** An amount as Kubernetes writes it, which `size` understands. */
export function amountOf(size: Reader<number>): Reader<string> {
  return (option, given) => {
    size(option, given);
    return given as string;
  };
}

/** Of a request and its limit, the one that is not given follows the one that is. */
export function requestAndLimit(size: Reader<number>, request: Amount, limit: Amount): Amounts {
  const requestValue = request.value ?? request.otherwise;
  const limitValue = limit.value ?? limit.otherwise;
  if (size(request.option, requestValue) <= size(limit.option, limitValue)) {
    return { request: requestValue, limit: limitValue };
  }
  if (limit.value === undefined) return { request: requestValue, limit: requestValue };
  if (request.value === undefined) return { request: limitValue, limit: limitValue };
  throw new InvalidOption(
    request.option,
    request.value,
    `is more than ${limit.option} (${JSON.stringify(limit.value)}): give no more than that`,
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
