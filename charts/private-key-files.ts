import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'cdk8s';

/** Lets the files that `app.synth()` writes be read by their owner alone if they hold a private key; cdk8s has no modes. */
export function keepPrivateKeys(app: App): void {
  const write = app.synth.bind(app);
  app.synth = () => {
    mkdirSync(app.outdir, { recursive: true });
    const mode = statSync(app.outdir).mode & 0o7777;
    // Until the files are closed, their directory is.
    setMode(app.outdir, 0o700);
    try {
      write();
      for (const file of manifestsBelow(app)) {
        if (/-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/.test(readFileSync(file, 'utf8'))) setMode(file, 0o600);
      }
    } finally {
      setMode(app.outdir, mode);
    }
  };
}

/** What cdk8s writes stands in the output directory, or in one of a chart in it. */
function manifestsBelow({ outdir, outputFileExtension }: App): string[] {
  const directories = readdirSync(outdir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [outdir, ...directories.map(({ name }) => join(outdir, name))].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith(outputFileExtension))
      .map((name) => join(directory, name)),
  );
}

function setMode(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    // Someone else's directory, or a file system without modes.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}
