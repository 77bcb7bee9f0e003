/** Lets no more do something at the same time than a limit, which may change; the others wait in turn. */
export class Turns {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limit: () => number) {}

  /** Resolves with what gives the turn back; the end of the wait is not waited for once it is aborted. */
  async take(signal: AbortSignal): Promise<() => void> {
    while (this.taken >= this.limit() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        signal.addEventListener('abort', () => {
          resolve();
        });
      });
    }
    this.taken += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.taken -= 1;
      for (const wake of this.waiting.splice(0)) wake();
    };
  }
}
