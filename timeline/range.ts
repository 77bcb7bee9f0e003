/** From the earliest to the latest, in seconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export const exactly = (seconds: number): Range => ({ from: seconds, to: seconds });

export const upTo = (seconds: number): Range => ({ from: 0, to: seconds });

/** When the last of several things that follow each other has happened. */
export function after(...lengths: readonly Range[]): Range {
  return lengths.reduce((sum, { from, to }) => ({ from: sum.from + from, to: sum.to + to }), exactly(0));
}

/** `5 s`, `0 to 7 s`: at most one decimal. */
export function rangeText({ from, to }: Range): string {
  const [first, last] = [decimal(from), decimal(to)];
  return first === last ? `${first} s` : `${first} to ${last} s`;
}

function decimal(seconds: number): string {
  return String(Math.round(seconds * 10) / 10);
}
