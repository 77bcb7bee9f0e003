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
  return `^0*(?:${greater(limit).join('|')})$`;
}

/** The same for times as nginx logs them: in seconds, to the millisecond. */
export function secondsAbove(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = higher(String(milliseconds % 1000).padStart(3, '0'));
  const sameSecond = rest.length === 0 ? '' : `|${seconds}\\.(?:${rest.join('|')})`;
  return `^(?:(?:${greater(seconds).join('|')})\\.\\d{3}${sameSecond})$`;
}

/** Expressions of which each greater number without leading zeros fits one. */
function greater(limit: number): string[] {
  const digits = String(limit);
  return [`[1-9]\\d{${digits.length},}`, ...higher(digits)];
}

/** The same of as many digits; none if all are 9. */
function higher(digits: string): string[] {
  return Array.from(digits).flatMap((digit, index) => {
    if (digit === '9') return [];
    const rest = digits.length - index - 1;
    const more = digit === '8' ? '9' : `[${Number(digit) + 1}-9]`;
    return [`${digits.slice(0, index)}${more}${rest === 0 ? '' : `\\d{${rest}}`}`];
  });
}
