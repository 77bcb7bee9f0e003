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
