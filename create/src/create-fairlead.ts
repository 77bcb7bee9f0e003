#!/usr/bin/env node
import { create } from './create';
import { Cancelled } from './questions';
import { UsageError } from './usage-error';

create(process.argv.slice(2), process.cwd(), { input: process.stdin, output: process.stdout }).catch(
  (error: unknown) => {
    if (error instanceof Cancelled) {
      process.stderr.write('\ncreate-fairlead: cancelled, nothing was written\n');
      process.exitCode = 130;
      return;
    }
    const { message, name } = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`create-fairlead: ${message}\n`);
    process.exitCode = error instanceof UsageError || name === 'InvalidOption' ? 2 : 1;
  },
);
