import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadRequest } from '../load/load-request';
import type { ScenarioResult } from './scenario-result';

/** Results of a run that is under way, a file each, so that an interrupted run can go on. */
export class Results {
  constructor(private readonly directory: string) {}

  find(name: string): ScenarioResult | undefined {
    const file = this.file(name);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ScenarioResult) : undefined;
  }

  write(result: ScenarioResult): void {
    mkdirSync(this.directory, { recursive: true });
    // Renamed into place: an interruption leaves a whole file or none.
    const written = `${this.file(result.name)}.new`;
    writeFileSync(written, JSON.stringify(result));
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
