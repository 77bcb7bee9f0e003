import { InvalidOption } from './invalid-option';

/**
 * A length of time with its unit, as nginx writes it: `500ms`, `30s`, `5m`, `1h`, `1d`.
 * @see https://nginx.org/en/docs/syntax.html
 */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

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
  bounds: { readonly min?: Duration; readonly max?: Duration } = {},
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
  bounds: { readonly min?: Duration; readonly max?: Duration } = {},
): number {
  const result = milliseconds(option, value, bounds) / 1000;
  if (!Number.isInteger(result)) {
    throw new InvalidOption(option, value, 'is not a whole number of seconds: give one, such as "30s"');
  }
  return result;
}
