#!/usr/bin/env node
import { run } from './cli/run';

void run(process.argv.slice(2)).then((exitCode) => {
  // A pipe at standard input may be open still, and nothing is read from it any more.
  process.exit(exitCode);
});
