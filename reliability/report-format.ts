const absent = '–';

/** `6,032` */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : absent;
}

/** Milliseconds without their unit, which the head of a column says. */
export function wholeMilliseconds(value: number): string {
  if (value > 0 && value < 0.5) return '< 1';
  return count(value);
}

/** `2 ms` */
export function milliseconds(value: number): string {
  return Number.isFinite(value) ? `${wholeMilliseconds(value)} ms` : absent;
}

/** `12.3 s` */
export function seconds(value: number): string {
  return Number.isFinite(value) ? `${value.toLocaleString('en-US', decimal)} s` : absent;
}

/** `1 h 12 min`, `12 min`, `48 s` */
export function duration(value: number): string {
  if (!Number.isFinite(value)) return absent;
  if (value < 59.5) return `${Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `385 MiB` */
export function mebibytes(bytes: number): string {
  return Number.isFinite(bytes) ? `${count(bytes / 2 ** 20)} MiB` : absent;
}

/** `1 node`, `3 nodes` */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

const decimal = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
