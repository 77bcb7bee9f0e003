import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { count, plural } from './report-format';

/** What was sent, and what became of it. */
export interface Counted {
  readonly sent: number;
  readonly lost: number;
  /** Sent again, as an HTTP/2 server had said that it did not process it. */
  readonly repeated: number;
}

/** One run of `--soak`. */
export interface SoakRun extends Counted {
  /** When it began. */
  readonly date: string;
  readonly seconds: number;
  readonly rollouts: number;
  /** Of these, over HTTP/2. */
  readonly http2: Counted;
}

/** At most one of so many may be lost, in the sum over all runs: what one run sends is too little to show it. */
const sentForEachLost = 10_000_000;

/** The runs of `--soak` on this machine, a line each in a file. */
export class SoakRuns {
  constructor(private readonly file: string) {}

  add(run: SoakRun): void {
    mkdirSync(dirname(this.file), { recursive: true });
    appendFileSync(this.file, `${JSON.stringify(run)}\n`);
  }

  /** All of them together. */
  get sum(): Counted & { readonly runs: number; readonly reached: boolean } {
    const lines = existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n') : [];
    const runs = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as SoakRun);
    const total = (of: (run: SoakRun) => number) => runs.reduce((sum, run) => sum + of(run), 0);
    const [sent, lost, repeated] = [total((run) => run.sent), total((run) => run.lost), total((run) => run.repeated)];
    return { runs: runs.length, sent, lost, repeated, reached: lost * sentForEachLost <= sent };
  }

  /** What there is to say after a run. */
  text({ seconds, rollouts, http2, ...run }: SoakRun): string {
    const { runs, ...sum } = this.sum;
    return (
      `soak of ${count(seconds)} s with ${plural(rollouts, 'rollout')}: ${counted(run)}; of these over HTTP/2: ${counted(http2)}\n` +
      `in ${plural(runs, 'run')} altogether: ${counted(sum)} (at most 1 in ${count(sentForEachLost)} is asked for; ${this.file})\n`
    );
  }
}

function counted({ sent, lost, repeated }: Counted): string {
  return `${count(sent)} sent, ${count(lost)} lost, ${count(repeated)} repeated`;
}
