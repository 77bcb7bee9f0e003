const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** What stands for what nobody knows. */
export const none = '–';

export function count(value) {
  return value === null || value === undefined ? none : whole.format(value);
}

/** How many a second. */
export function rate(value) {
  if (value === null || value === undefined) return none;
  return (value < 10 ? tenths : whole).format(value);
}

/** How many on average: where it is less than one, most often. */
export function average(value) {
  return value !== null && value < 1 ? hundredths.format(value) : rate(value);
}

/** Seconds, as people say them. */
export function time(seconds) {
  if (seconds === null || seconds === undefined) return none;
  if (seconds >= 1) return `${hundredths.format(seconds)} s`;
  return `${(seconds < 0.01 ? tenths : whole).format(seconds * 1000)} ms`;
}

/** A part of one. */
export function percent(part) {
  if (part === null || part === undefined) return none;
  const value = 100 * part;
  return `${(value > 0 && value < 10 ? tenths : whole).format(value)} %`;
}

/** How long since. */
export function age(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function clock(time) {
  return new Date(time).toLocaleTimeString('en-GB');
}

export function day(time) {
  return new Date(time).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}
