import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadRequest } from '../load/load-request';
import type { RunOptions } from './run-options';
import type { ScenarioResult } from './scenario-result';

/** A result, and what it was made with: under other options it does not count. */
interface Written {
  readonly options: string;
  readonly result: ScenarioResult;
}

/** Results of a run that is under way, a file each, so that an interrupted run can go on. */
export class Results {
  private readonly directory: string;
  private readonly options: string;

  constructor(
    { cluster, rate, seconds, api }: Pick<RunOptions, 'cluster' | 'rate' | 'seconds' | 'api'>,
    root = join('.fairlead', 'reliability'),
  ) {
    // Two runs at once have clusters of their own, and so results.
    this.directory = join(root, cluster);
    this.options = JSON.stringify({ rate, seconds, ...api });
  }

  /** The result of a scenario, if it was made with the same options. */
  find(name: string): ScenarioResult | undefined {
    const file = this.file(name);
    if (!existsSync(file)) return undefined;
    const { options, result } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Written>;
    return options === this.options ? result : undefined;
  }

  write(result: ScenarioResult): void {
    mkdirSync(this.directory, { recursive: true });
    // Renamed into place: an interruption leaves a whole file or none.
    const written = `${this.file(result.name)}.new`;
    const content: Written = { options: this.options, result };
    writeFileSync(written, JSON.stringify(content));
    renameSync(written, this.file(result.name));
  }

  /** Each request that was lost, with what its client saw. */
  listLost(name: string, lost: readonly LoadRequest[]): void {
    mkdirSync(this.directory, { recursive: true });
    writeFileSync(this.lostFile(name), lost.map((request) => `${JSON.stringify(request)}\n`).join(''));
  }

  lostFile(name: string): string {
    return join(this.directory, `${name}.lost.jsonl`);
  }

  clear(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  private file(name: string): string {
    return join(this.directory, `${name}.json`);
  }
}
