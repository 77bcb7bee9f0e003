#!/usr/bin/env node
import { run } from './cli/run';

// Whoever read the output may be gone before its end, as `head` is. "start", "explain" and "diff" end then.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

void run(process.argv.slice(2)).then((exitCode) => {
  // A pipe at standard input may be open still, and nothing is read from it any more.
  process.exit(exitCode);
});
