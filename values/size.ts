import { InvalidOption } from './invalid-option';

/**
 * A number of bytes with its unit, as nginx writes it: `16k`, `1m`, `1g`.
 * @see https://nginx.org/en/docs/syntax.html
 */
export type Size = `${number}${'k' | 'm' | 'g'}`;

const unitBytes: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of a size; refuses zero, since nginx reads a zero limit as none at all. */
export function bytes(
  option: string,
  value: unknown,
  bounds: { readonly min?: Size; readonly max?: Size } = {},
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
