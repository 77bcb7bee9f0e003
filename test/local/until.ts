import { setTimeout as delay } from 'node:timers/promises';

/** Resolves once this holds; what a test awaits that tells nobody when it happens. */
export async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await delay(50);
}
