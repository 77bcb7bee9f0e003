import { spanAround, spanSince, spanText, timeText } from '../../explain/time-span';

/** Of this machine, whatever its zone is. */
const local = (day: number, hour: number, minute: number, second = 0): number =>
  new Date(2026, 10, day, hour, minute, second).getTime();
const now = local(26, 14, 30);

const around = (given: string, at = now) => spanAround('--at', given, at);

describe('a time', () => {
  test.each([
    ['14:03', local(26, 14, 3)],
    ['9:05', local(26, 9, 5)],
    ['00:00', local(26, 0, 0)],
    // It is not 15:00 yet.
    ['15:00', local(25, 15, 0)],
    ['2026-11-24T23:59', local(24, 23, 59)],
    ['2026-11-24 23:59', local(24, 23, 59)],
    ['2026-11-24T12:00Z', Date.UTC(2026, 10, 24, 12, 0)],
    ['2026-11-24T12:00-03:30', Date.UTC(2026, 10, 24, 15, 30)],
    ['2026-11-24T12:00+0100', Date.UTC(2026, 10, 24, 11, 0)],
  ])('in minutes is that minute, with one before and after it: %s', (given, start) => {
    expect(around(given)).toEqual({ from: start - 60_000, to: start + 120_000 });
  });

  test.each([
    ['14:03:10', local(26, 14, 3, 10)],
    ['2026-11-24T12:00:10Z', Date.UTC(2026, 10, 24, 12, 0, 10)],
    // As Date gives it.
    ['2026-11-24T12:00:10.987Z', Date.UTC(2026, 10, 24, 12, 0, 10)],
    // As nginx logs it.
    ['2026-11-24T12:00:10+00:00', Date.UTC(2026, 10, 24, 12, 0, 10)],
  ])('in seconds is that second, with a minute before and after it: %s', (given, start) => {
    expect(around(given)).toEqual({ from: start - 60_000, to: start + 61_000 });
  });

  test('that another clock has shown a moment before this one is today', () => {
    expect(around('14:30:50').from).toBe(local(26, 14, 29, 50));
  });

  test('of a zone is that of the day there', () => {
    const noon = Date.UTC(2026, 10, 26, 12, 0);
    // It is 02:00 of the 27th there.
    expect(around('01:00+14:00', noon).from).toBe(Date.UTC(2026, 10, 26, 10, 59));
    expect(around('23:00+14:00', noon).from).toBe(Date.UTC(2026, 10, 26, 8, 59));
    expect(around('23:00-11:00', noon).from).toBe(Date.UTC(2026, 10, 26, 9, 59));
  });

  test.each([
    '',
    'now',
    '14',
    '24:00',
    '14:60',
    '14:03:60',
    '2026-02-30T14:03',
    '2026-13-01T14:03',
    '14:03 CET',
    '10m',
  ])('is refused where it is none: %j', (given) => {
    expect(() => around(given)).toThrow(
      `--at: ${JSON.stringify(given)} is not a time: give one such as 14:03, 14:03:10, 2026-03-01T14:03 or 2026-03-01T13:03:10Z`,
    );
  });

  test('is refused if it is yet to come', () => {
    expect(() => around('2026-11-26T14:40')).toThrow(
      `--at: "2026-11-26T14:40" is yet to come, as it is ${timeText(now)} here: give a time that has been`,
    );
  });
});

describe('the last so long', () => {
  test('begins with a whole second, and has no end', () => {
    expect(spanSince('--since', '10m', now + 900)).toEqual({ from: now - 600_000, to: Number.POSITIVE_INFINITY });
    expect(spanText(spanSince('--since', '10m', now))).toBe(`since ${timeText(now - 600_000)}`);
  });

  test.each(['10', '0s', '14:03', '2 h'])('is refused where it is no duration: %s', (given) => {
    expect(() => spanSince('--since', given, now)).toThrow(/^--since: ".*" is (?:not a duration|too short): give /);
  });
});

test('a time is written as nginx logs it, in the zone of this machine', () => {
  expect(timeText(now)).toMatch(/^2026-11-26T14:30:00[+-]\d\d:\d\d$/);
  expect(Date.parse(timeText(now))).toBe(now);
  expect(spanText({ from: now, to: now + 60_000 })).toBe(`from ${timeText(now)} to ${timeText(now + 60_000)}`);
});
