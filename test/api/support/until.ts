import { setImmediate } from 'node:timers/promises';

/** What a function gives, as soon as it gives something; every turn of the event loop asks again. */
export async function until<T>(read: () => T | undefined | false): Promise<T> {
  for (;;) {
    const value = read();
    if (value !== undefined && value !== false) return value;
    await setImmediate();
  }
}
