import { setTimeout as delay } from 'node:timers/promises';

/** How long a condition may take before the suite gives up: far above what any of them takes. */
const patience = 300_000;

/** Asks again and again until there is an answer, and says what did not come if there is none. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  pause = 500,
): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${patience / 1000} seconds`);
    await delay(pause);
  }
}
