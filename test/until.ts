import { setTimeout as delay } from 'node:timers/promises';

type Nothing = undefined | null | false;

/** What a function gives as soon as it gives something. What never comes fails with its name, instead of hanging. */
export async function until<T>(
  ask: () => T | Nothing | Promise<T | Nothing>,
  what = 'what this test awaits',
): Promise<T> {
  const begin = Date.now();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    const waited = Date.now() - begin;
    if (waited > 60_000) throw new Error(`waited in vain for ${what}`);
    await pause(waited);
  }
}

/** Waits between two questions, after so many milliseconds: longer the longer it takes. Many ask by a TLS connection of their own, and other tests need the CPU. */
export function pause(waited: number): Promise<void> {
  return delay(Math.min(100, Math.max(10, waited / 10)));
}
