import { setTimeout as delay } from 'node:timers/promises';

type Nothing = undefined | null | false;

/** What a function gives as soon as it gives something. What never comes fails with its name, instead of hanging. */
export async function until<T>(
  ask: () => T | Nothing | Promise<T | Nothing>,
  what = 'what this test awaits',
): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await delay(10);
  }
}
