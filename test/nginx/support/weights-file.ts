import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onFileFinished } from '../../afterwards';

/** The weights that nginx reads while it runs, in a directory that is gone with the tests of a file. */
export class WeightsFile {
  private readonly directory = mkdtempSync(join(tmpdir(), 'fairlead-weights-'));
  readonly path = join(this.directory, 'weights.json');

  constructor(weights: unknown) {
    onFileFinished(() => {
      rmSync(this.directory, { recursive: true });
    });
    this.write(weights);
  }

  /** In one step, as the kubelet does; text as it is, all else as JSON. */
  write(weights: unknown): void {
    const written = join(this.directory, 'new.json');
    writeFileSync(written, typeof weights === 'string' ? weights : JSON.stringify(weights));
    renameSync(written, this.path);
  }
}
