/** A command line that was typed wrong: an option that does not exist, or a value that cannot be. Ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
