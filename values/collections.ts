import { InvalidOption } from './invalid-option';

/** A list, whose members are still to be looked at. */
export function list(option: string, value: unknown, example: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new InvalidOption(option, value, `is not a list: give one, such as ${example}`);
  return value;
}

/** An object with names and values, which are still to be looked at. */
export function record(option: string, value: unknown, example: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOption(option, value, `is not an object with names and values: give one, such as ${example}`);
  }
  return value as Readonly<Record<string, unknown>>;
}
