import { InvalidOption } from './invalid-option';
import type { Reader } from './options';

/** A whole number between two bounds, both included. */
export function integer(option: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new InvalidOption(option, value, `is out of range: give a whole number from ${min} to ${max}`);
  }
  return value;
}

/** The same as the reader of an option. */
export function whole(min: number, max: number): Reader<number> {
  return (option, given) => integer(option, given, min, max);
}

/** A TCP or UDP port. */
export function port(option: string, value: unknown): number {
  return integer(option, value, 1, 65_535);
}

/**
 * A length of time with its unit, as nginx writes it: `500ms`, `30s`, `5m`, `1h`, `1d`.
 * @see https://nginx.org/en/docs/syntax.html
 */
export type TimeText = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const unitMilliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a duration; refuses what is not a whole number with a unit, or is outside the bounds. */
export function milliseconds(
  option: string,
  value: unknown,
  bounds: { readonly min?: TimeText; readonly max?: TimeText } = {},
): number {
  const match = typeof value === 'string' ? /^(\d{1,9})(ms|s|m|h|d)$/.exec(value) : null;
  const unit = unitMilliseconds[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw new InvalidOption(
      option,
      value,
      'is not a duration: give a whole number with a unit, such as "30s" or "500ms"',
    );
  }
  const result = Number(match[1]) * unit;
  const { min, max } = bounds;
  if (min !== undefined && result < milliseconds(`${option} minimum`, min)) {
    throw new InvalidOption(option, value, `is too short: give ${min} or more`);
  }
  if (max !== undefined && result > milliseconds(`${option} maximum`, max)) {
    throw new InvalidOption(option, value, `is too long: give ${max} or less`);
  }
  return result;
}

/** Seconds of a duration that a system takes only in whole seconds. */
export function wholeSeconds(
  option: string,
  value: unknown,
  bounds: { readonly min?: TimeText; readonly max?: TimeText } = {},
): number {
  const result = milliseconds(option, value, bounds) / 1000;
  if (!Number.isInteger(result)) {
    throw new InvalidOption(option, value, 'is not a whole number of seconds: give one, such as "30s"');
  }
  return result;
}

/** The same as the reader of an option. */
export function seconds(bounds: { readonly min?: TimeText; readonly max?: TimeText }): Reader<number> {
  return (option, given) => wholeSeconds(option, given, bounds);
}

/**
 * So many requests in a second or a minute, as nginx writes it but for the `r`: `5/s`, `300/m`.
 * @see https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req_zone
 */
export type RateText = `${number}/${'s' | 'm'}`;

/** A rate, in whole requests. */
export interface Rate {
  readonly requests: number;
  readonly unit: 's' | 'm';
}

/** Refuses what is not a whole number of requests in a second or a minute. */
export function rate(option: string, value: unknown): Rate {
  const match = typeof value === 'string' ? /^(\d{1,9})\/(s|m)$/.exec(value) : null;
  if (match === null) {
    throw new InvalidOption(
      option,
      value,
      'is not a rate: give a whole number of requests in a second or a minute, such as "5/s" or "300/m"',
    );
  }
  const requests = Number(match[1]);
  if (requests < 1 || requests > mostOfRate) {
    throw new InvalidOption(option, value, `is out of range: give 1 to ${mostOfRate} requests`);
  }
  return { requests, unit: match[2] === 'm' ? 'm' : 's' };
}

/** nginx counts in thousandths of a request. */
const mostOfRate = 1_000_000;

/**
 * A number of bytes with its unit, as nginx writes it: `16k`, `1m`, `1g`.
 * @see https://nginx.org/en/docs/syntax.html
 */
export type SizeText = `${number}${'k' | 'm' | 'g'}`;

const unitBytes: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of a size; refuses zero, since nginx reads a zero limit as none at all. */
export function bytes(
  option: string,
  value: unknown,
  bounds: { readonly min?: SizeText; readonly max?: SizeText } = {},
): number {
  const match = typeof value === 'string' ? /^(\d{1,9})([kmg])$/.exec(value) : null;
  const unit = unitBytes[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw new InvalidOption(option, value, 'is not a size: give a whole number with a unit, such as "16k" or "1m"');
  }
  const result = Number(match[1]) * unit;
  if (result === 0) {
    throw new InvalidOption(option, value, 'is zero, which nginx reads as no limit: give 1k or more');
  }
  const { min, max } = bounds;
  if (min !== undefined && result < bytes(`${option} minimum`, min)) {
    throw new InvalidOption(option, value, `is too small: give ${min} or more`);
  }
  if (max !== undefined && result > bytes(`${option} maximum`, max)) {
    throw new InvalidOption(option, value, `is too large: give ${max} or less`);
  }
  return result;
}

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
