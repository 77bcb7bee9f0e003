/** The instance that JSON text names, if it does. */
export function answerHostname(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'hostname' in value && typeof value.hostname === 'string') {
      return value.hostname;
    }
  } catch {
    // Not JSON: the same as without a hostname.
  }
  return undefined;
}
