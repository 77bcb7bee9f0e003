import { allErrors, InvalidOption, shown } from './invalid-option';

/** A list, whose members are still to be looked at. */
export function list(option: string, value: unknown, example: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new InvalidOption(option, value, `is not a list: give one, such as ${example}`);
  return value;
}

/** A command, or its arguments. */
export function words(option: string, given: unknown): readonly string[] {
  if (!Array.isArray(given) || given.length === 0 || !given.every((word) => typeof word === 'string')) {
    throw new InvalidOption(option, given, 'is not a list of words: give one, such as ["node", "server.js"]');
  }
  return given;
}

/** An object with names and values, which are still to be looked at. */
export function record(option: string, value: unknown, example: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOption(option, value, `is not an object with names and values: give one, such as ${example}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** Refuses an option that does not exist, or is null, which TypeScript does at compile time and JavaScript does not. */
export function knownOptions(parent: string, given: object, known: readonly string[]): void {
  allErrors(
    ...(Object.entries(given) as [string, unknown][]).map(([option, value]) => () => {
      knownOption(`${parent}${option}`, value, option, known);
    }),
  );
}

function knownOption(name: string, value: unknown, option: string, known: readonly string[]): void {
  if (known.includes(option)) {
    if (value !== null) return;
    throw new InvalidOption(name, value, 'is not a value: give one, or leave the option out');
  }
  const close = nearest(option, known);
  throw new InvalidOption(
    name,
    shown(value),
    close === undefined
      ? 'is an option that does not exist: take it out'
      : `is an option that does not exist: ${close} does`,
  );
}

/** The option that was meant, if two letters or fewer are wrong; case does not count. */
function nearest(option: string, known: readonly string[]): string | undefined {
  const [first] = known
    .map((candidate) => ({ candidate, letters: distance(candidate.toLowerCase(), option.toLowerCase()) }))
    .filter(({ letters }) => letters <= 2)
    .sort((a, b) => a.letters - b.letters);
  return first?.candidate;
}

/** How many letters differ, or have changed places with the next (Damerau and Levenshtein). */
function distance(a: string, b: string): number {
  let [before, previous] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const haveChanged = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const exchange = haveChanged ? (before[column - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min(substitution, exchange, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    [before, previous] = [previous, current];
  }
  return previous[b.length] ?? 0;
}
