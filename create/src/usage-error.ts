/** What whoever typed it can mend: an option that does not exist, a folder that has such files already. Ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
