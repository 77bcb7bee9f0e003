import { milliseconds } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';

/** From one time to another, as Date.now gives them: the first belongs to it, the last does not. */
export interface TimeSpan {
  readonly from: number;
  /** Infinity of what has no end yet. */
  readonly to: number;
}

const [second, minute, day] = [1000, 60_000, 86_400_000];

/** In milliseconds: how far off a time may be that somebody remembers, or that another clock has shown. */
const slack = minute;

/** A date, if there is one; hour, minute and second; a zone. */
const written =
  /^(?:(\d{4}-\d\d-\d\d)[T ])?([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?$/;

/** The last so long: `10m`. */
export function spanSince(option: string, given: string, now: number): TimeSpan {
  const length = milliseconds(option, given, { min: '1s', max: '365d' });
  // nginx logs whole seconds.
  return { from: second * Math.floor((now - length) / second), to: Number.POSITIVE_INFINITY };
}

/**
 * A time, with a minute before and after it: `14:03`, which was today or yesterday, `2026-03-01T14:03:10`, or with a zone: `14:03Z`,
 * `2026-03-01T14:03:10+01:00`. Without one it is that of this machine.
 */
export function spanAround(option: string, given: string, now: number): TimeSpan {
  const [whole, date, hour = '', minutes = '', seconds, zone = ''] = written.exec(given) ?? [];
  if (whole === undefined || (date !== undefined && !isDate(date))) {
    throw new InvalidOption(
      option,
      given,
      'is not a time: give one such as 14:03, 14:03:10, 2026-03-01T14:03 or 2026-03-01T13:03:10Z',
    );
  }
  const clock = `${hour.padStart(2, '0')}:${minutes}:${seconds ?? '00'}${zone.replace(/^(...)(\d\d)$/, '$1:$2')}`;
  // Of the days on which it may be today here, the latest on which that time has come.
  const days = date === undefined ? [1, 0, -1, -2].map((offset) => dateOf(now + offset * day)) : [date];
  const start = days.map((each) => Date.parse(`${each}T${clock}`)).find((each) => each <= now + slack);
  if (start === undefined) {
    throw new InvalidOption(option, given, `is yet to come, as it is ${timeText(now)} here: give a time that has been`);
  }
  return { from: start - slack, to: start + (seconds === undefined ? minute : second) + slack };
}

/** As nginx logs a time, in the zone of this machine. */
export function timeText(time: number): string {
  const offset = -new Date(time).getTimezoneOffset();
  const digits = (value: number): string => String(value).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${digits(Math.floor(Math.abs(offset) / 60))}:${digits(Math.abs(offset) % 60)}`;
  return `${new Date(time + offset * minute).toISOString().slice(0, 19)}${zone}`;
}

/** `from … to …`, or `since …`. */
export function spanText({ from, to }: TimeSpan): string {
  return Number.isFinite(to) ? `from ${timeText(from)} to ${timeText(to)}` : `since ${timeText(from)}`;
}

/** In UTC. */
function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Date.parse takes February 30 for March 2, and month 13 for none. */
function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && dateOf(time) === text;
}
