/**
 * An option that cannot work, said in one line: what it is called, what it was, and what would do.
 * Its message is printed alone: with exit code 2 if it stands on a command line, with 1 if it is in `main.ts`.
 */
export class InvalidOption extends Error {
  constructor(
    readonly option: string,
    readonly value: unknown,
    readonly remedy: string,
  ) {
    super(`${option}: ${display(value)} ${remedy}`);
    this.name = 'InvalidOption';
  }
}

/** Several of them, a line each. */
export class InvalidOptions extends Error {
  constructor(readonly each: readonly InvalidOption[]) {
    super(each.map(({ message }) => message).join('\n'));
    // Whoever prints one prints these as well.
    this.name = 'InvalidOption';
  }
}

/** Runs all of these, and says all that is wrong at once: of each option what was found first. */
export function allErrors(...checks: readonly (() => unknown)[]): void {
  const errors = checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (error instanceof InvalidOptions) return error.each;
      if (error instanceof InvalidOption) return [error];
      throw error;
    }
  });
  refuseAll(errors);
}

/** Throws what is wrong with each option, of each what was found first; nothing if nothing is. */
export function refuseAll(errors: readonly InvalidOption[]): void {
  const once = errors.filter(({ option }, index) => errors.findIndex((error) => error.option === option) === index);
  const [first, ...others] = once;
  if (first === undefined) return;
  throw others.length === 0 ? first : new InvalidOptions(once);
}

/** Puts the name of what was being made before that of the option. */
export function named<Made>(name: string, make: () => Made): Made {
  return renamed((option) => `${name} ${option}`, make);
}

/** Puts the name of a group of options before that of the option, unless it stands elsewhere, as what a factory was given does. */
export function grouped<Made>(group: string, make: () => Made, elsewhere: readonly string[] = []): Made {
  const isElsewhere = (option: string): boolean => elsewhere.includes(option) || /^[A-Z]\w+\.\w+ /.test(option);
  return renamed((option) => (isElsewhere(option) ? option : `${group}.${option}`), make);
}

/** Says another name of each option. */
export function renamed<Made>(rename: (option: string) => string, make: () => Made): Made {
  const again = ({ option, value, remedy }: InvalidOption): InvalidOption =>
    new InvalidOption(rename(option), value, remedy);
  try {
    return make();
  } catch (error) {
    if (error instanceof InvalidOptions) throw new InvalidOptions(error.each.map(again));
    throw error instanceof InvalidOption ? again(error) : error;
  }
}

/** What is not plain data may refer to itself, or to a whole app. */
export function shown(value: unknown): unknown {
  return typeof value === 'object' || typeof value === 'function' ? `(${typeof value})` : value;
}

/** Whatever was given stays on one line of a terminal: JSON leaves some control and formatting characters as they are. */
function display(value: unknown): string {
  const text = written(value).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.split('').map(escaped).join(''),
  );
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** JSON has no word for some values, and none that a reader expects for NaN. */
function written(value: unknown): string {
  if (value === undefined || typeof value === 'number' || typeof value === 'bigint') return String(value);
  try {
    const json = JSON.stringify(value) as string | undefined;
    return json ?? `(${typeof value})`;
  } catch {
    // It refers to itself.
    return `(${typeof value})`;
  }
}

function escaped(codeUnit: string): string {
  return `\\u${codeUnit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
