/** A setting that cannot work, said in one line: what it is called, what it was, and what would do. */
export class InvalidOption extends Error {
  constructor(
    readonly option: string,
    readonly value: string | number,
    readonly remedy: string,
  ) {
    // JSON escapes newlines and control characters, so that whatever was given stays on one line.
    super(`${option}: ${JSON.stringify(value).slice(0, 200)} ${remedy}`);
    this.name = 'InvalidOption';
  }
}
