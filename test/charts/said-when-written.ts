import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'cdk8s';

/** What an app says on standard error when it is written so many times, in a directory of its own: certificates are kept where it runs. */
export function saidWhenWritten(make: (app: App) => unknown, times = 1): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-said-'));
  const before = process.cwd();
  const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    process.chdir(directory);
    const app = new App();
    make(app);
    for (let time = 0; time < times; time += 1) app.synth();
    return stderr.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    stderr.mockRestore();
    process.chdir(before);
    rmSync(directory, { recursive: true });
  }
}
