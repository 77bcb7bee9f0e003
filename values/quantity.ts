import { InvalidOption } from './invalid-option';

const multipliers: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * A number of CPUs as Kubernetes writes it: `500m`, `2`, `0.5`.
 * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#meaning-of-cpu
 */
export function cpus(option: string, value: unknown): number {
  // Kubernetes counts in thousandths and refuses what is finer.
  const match = typeof value === 'string' ? /^(?:(\d{1,7})m|(\d{1,4}(?:\.\d{1,3})?))$/.exec(value) : null;
  const result = match?.[1] === undefined ? Number(match?.[2]) : Number(match[1]) / 1000;
  if (!(result > 0)) {
    throw new InvalidOption(option, value, 'is not a number of CPUs: give one such as "500m" or "2"');
  }
  return result;
}

/**
 * A number of bytes as Kubernetes writes it: `256Mi`, `1Gi`, `500M`.
 * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#meaning-of-memory
 */
export function memoryBytes(option: string, value: unknown): number {
  const match = typeof value === 'string' ? /^(\d{1,15}(?:\.\d{1,3})?)([kMGT]|[KMGT]i)?$/.exec(value) : null;
  const result = Number(match?.[1]) * (multipliers[match?.[2] ?? ''] ?? NaN);
  // Less is a forgotten unit: "512" is 512 bytes.
  if (!(result >= 2 ** 20)) {
    throw new InvalidOption(option, value, 'is not an amount of memory: give 1Mi or more, such as "256Mi" or "1Gi"');
  }
  return result;
}
