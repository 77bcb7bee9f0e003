import { InvalidOption } from './invalid-option';

/** A whole number between two bounds, both included. */
export function integer(option: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new InvalidOption(option, value, `is out of range: give a whole number from ${min} to ${max}`);
  }
  return value;
}

/** A TCP or UDP port. */
export function port(option: string, value: unknown): number {
  return integer(option, value, 1, 65_535);
}
