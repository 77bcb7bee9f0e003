#!/usr/bin/env node
import { compose } from './local/compose';
import { packageVersion } from './local/package-version';
import { start } from './local/start';
import { UsageError } from './local/start-options';

const help = `fairlead: a load-balanced API, on this machine as in Kubernetes

Usage: fairlead start [options]     what main.ts deploys, on this machine; --help shows its options
       fairlead compose [options]   the same as a compose.yaml; --help shows its options
       fairlead --version
       fairlead --help
`;

async function main([command, ...args]: readonly string[]): Promise<void> {
  switch (command) {
    case 'start':
      await start(args);
      return;
    case 'compose':
      compose(args);
      return;
    case '--help':
    case '-h':
      process.stdout.write(help);
      return;
    case '--version':
      process.stdout.write(`${packageVersion()}\n`);
      return;
    case undefined:
      throw new UsageError('a command is missing; fairlead --help shows them');
    default:
      throw new UsageError(`${JSON.stringify(command)} is not a command; fairlead --help shows them`);
  }
}

main(process.argv.slice(2)).then(
  // A pipe at standard input may be open still, and nothing is read from it any more.
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`fairlead: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
