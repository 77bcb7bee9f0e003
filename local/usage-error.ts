/** A command line that is not understood: a command or an option that does not exist. Ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
