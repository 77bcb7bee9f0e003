/** Milliseconds as nginx writes them: in seconds if they are whole ones. */
export function duration(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

/** Bytes as nginx writes them, in the largest unit that they are whole ones of. */
export function size(bytes: number): string {
  for (const [unit, power] of [
    ['g', 3],
    ['m', 2],
    ['k', 1],
  ] as const) {
    if (bytes % 1024 ** power === 0) return `${bytes / 1024 ** power}${unit}`;
  }
  return String(bytes);
}

/** A regular expression for every whole number that is greater, with or without leading zeros. */
export function numbersAbove(limit: number): string {
  const digits = String(limit);
  const higherAt = Array.from(digits, (digit, index) => {
    const rest = digits.length - index - 1;
    const higher = digit === '8' ? '9' : `[${Number(digit) + 1}-9]`;
    return digit === '9' ? [] : [`${digits.slice(0, index)}${higher}${rest === 0 ? '' : `\\d{${rest}}`}`];
  });
  return `^0*(?:[1-9]\\d{${digits.length},}|${higherAt.flat().join('|')})$`;
}
