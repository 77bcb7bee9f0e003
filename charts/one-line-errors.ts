import { rmdirSync } from 'node:fs';

// Preloaded by cdk8s.yaml (`node -r … main.ts`): an option that cannot work ends the synthesis with its one line.

process.on('uncaughtException', (error) => {
  const lines = linesOf(error);
  if (lines === undefined) {
    console.error(error);
    process.exit(1);
  }
  console.error(lines);
  // The CLI answers an exit code with a stack trace of its own, and a missing output directory with one line and exit
  // code 1: it has removed that directory before, and nothing was written.
  process.exit(startedByCli() ? 0 : 1);
});

/** What is said of options, which needs no stack trace; undefined of any other error. */
function linesOf({ name, message }: Error): string | undefined {
  // By name: an app may carry a second copy of the package, whose class is another.
  if (name === 'InvalidOption') return message;
  // What cdk8s found in the tree of constructs when everything was made: a line each, `  [shop/edge] shop/edge routes: …`.
  const [heading, ...errors] = message.split('\n  ');
  if (heading !== 'Validation failed with the following errors:') return undefined;
  return errors.map((line) => line.replace(/^\[(.*?)\] (?=\1[ ,])/, '')).join('\n');
}

function startedByCli(): boolean {
  const { CDK8S_OUTDIR, CDK8S_RECORD_CONSTRUCT_METADATA } = process.env;
  return CDK8S_RECORD_CONSTRUCT_METADATA !== undefined && CDK8S_OUTDIR !== undefined && isAway(CDK8S_OUTDIR);
}

/** Whether a directory is not there; an empty one, which cdk8s makes before it looks whether all is well, is taken away. */
function isAway(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
