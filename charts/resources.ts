import { k8s } from 'cdk8s-plus-27';
import { InvalidOption } from '../values/invalid-option';
import { cpus, memoryBytes } from '../values/quantity';

/** What a container is sure of, and what it may use at most. */
export interface Resources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly cpu: string; readonly memory: string };
}

interface Amount {
  readonly option: string;
  readonly value: string | undefined;
  readonly otherwise: string;
}

export function resources(amounts: {
  readonly cpuRequest: Amount;
  readonly cpuLimit: Amount;
  readonly memoryRequest: Amount;
  readonly memoryLimit: Amount;
}): Resources {
  const [cpuRequest, cpuLimit] = requestAndLimit(cpus, amounts.cpuRequest, amounts.cpuLimit);
  const [memoryRequest, memoryLimit] = requestAndLimit(memoryBytes, amounts.memoryRequest, amounts.memoryLimit);
  return {
    requests: { cpu: cpuRequest, memory: memoryRequest },
    limits: { cpu: cpuLimit, memory: memoryLimit },
  };
}

/** The one that is not given follows the one that is. */
function requestAndLimit(
  size: (option: string, value: unknown) => number,
  request: Amount,
  limit: Amount,
): [request: string, limit: string] {
  const requestValue = request.value ?? request.otherwise;
  const limitValue = limit.value ?? limit.otherwise;
  if (size(request.option, requestValue) <= size(limit.option, limitValue)) return [requestValue, limitValue];
  if (limit.value === undefined) return [requestValue, requestValue];
  if (request.value === undefined) return [limitValue, limitValue];
  throw new InvalidOption(
    request.option,
    request.value,
    `is more than ${limit.option} (${JSON.stringify(limit.value)}): give no more than that`,
  );
}

export function resourceRequirements({ requests, limits }: Resources): k8s.ResourceRequirements {
  const quantities = ({ cpu, memory }: Resources['limits']): Record<string, k8s.Quantity> => ({
    cpu: k8s.Quantity.fromString(cpu),
    memory: k8s.Quantity.fromString(memory),
  });
  return { requests: quantities(requests), limits: quantities(limits) };
}
