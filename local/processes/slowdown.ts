import type { ProcessGroup } from './process-group';

/** In milliseconds: of each quarter of a second a slow process runs for a fifth. */
const suspended = 200;
const running = 50;

/** Makes a process answer late, whatever program it is, until `end`. */
export class Slowdown {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly group: Pick<ProcessGroup, 'suspend' | 'resume'>) {
    this.suspend();
  }

  end(): void {
    clearTimeout(this.timer);
    this.group.resume();
  }

  private suspend(): void {
    this.group.suspend();
    this.timer = setTimeout(() => {
      this.resume();
    }, suspended);
  }

  private resume(): void {
    this.group.resume();
    this.timer = setTimeout(() => {
      this.suspend();
    }, running);
  }
}
