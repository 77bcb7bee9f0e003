import { cpus } from 'node:os';

/** From this part of all cores' time on, a second had none left for whatever came next. */
const busy = 0.95;

/** Counts the seconds in which every core of this machine was busy: what is slow then is slow for want of them. */
export class BusySeconds {
  private seconds = 0;
  private busySeconds = 0;
  private last = times();
  private readonly timer = setInterval(() => {
    const now = times();
    const part = 1 - (now.idle - this.last.idle) / (now.all - this.last.all);
    this.last = now;
    this.seconds += 1;
    if (part >= busy) this.busySeconds += 1;
  }, 1000);

  stop(): string {
    clearInterval(this.timer);
    return `${this.busySeconds} of ${this.seconds}`;
  }
}

function times(): { readonly idle: number; readonly all: number } {
  const each = cpus().map((cpu) => cpu.times);
  const idle = each.reduce((sum, { idle }) => sum + idle, 0);
  return { idle, all: idle + each.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0) };
}
