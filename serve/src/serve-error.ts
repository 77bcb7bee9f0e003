/** Why `serve()` cannot work, in one line: a setting that cannot be, or a port that it cannot listen on. */
export class ServeError extends Error {
  override readonly name = 'ServeError';

  /** @param code `ERR_INVALID_ARG_VALUE` for a setting, and for a port what the system says: `EADDRINUSE`, `EACCES` … */
  constructor(
    message: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** For a setting: what it is called, what it was, and what would do. */
export function invalidSetting(name: string, value: string | number, remedy: string): ServeError {
  // JSON escapes newlines and control characters, so that whatever was given stays on one line.
  return new ServeError(`${name}: ${JSON.stringify(value).slice(0, 200)} ${remedy}`, 'ERR_INVALID_ARG_VALUE');
}
