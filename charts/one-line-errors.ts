import { existsSync } from 'node:fs';

// Preloaded by cdk8s.yaml (`node -r … main.ts`): an option that cannot work ends the synthesis with its one line.

process.on('uncaughtException', (error) => {
  // By name: an app may carry a second copy of the package, whose class is another.
  if (error.name !== 'InvalidOption') {
    console.error(error);
    process.exit(1);
  }
  console.error(error.message);
  // The CLI answers an exit code with a stack trace of its own, and a missing output directory with one line and exit
  // code 1: it has removed that directory before, and nothing was written.
  process.exit(startedByCli() ? 0 : 1);
});

function startedByCli(): boolean {
  const { CDK8S_OUTDIR, CDK8S_RECORD_CONSTRUCT_METADATA } = process.env;
  return CDK8S_RECORD_CONSTRUCT_METADATA !== undefined && CDK8S_OUTDIR !== undefined && !existsSync(CDK8S_OUTDIR);
}
