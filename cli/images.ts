import type { Command } from 'commander';
import { command, load } from './command';
import { environmentHelp } from './timeline';

const description =
  'Says of each image that main.ts deploys which digest its tag has in its registry at this moment, and how to name it with that: a digest is one image for ever, the same on all nodes, and a fix is a change of main.ts like any other. Registries are asked without a login.';

export function imagesCommand(): Command {
  return command('images', 'which digest each image has in its registry', description)
    .option('--main <FILE>', 'what says what is deployed', 'main.ts')
    .option('--write', 'renews the digests that main.ts, and what it loads of yours, has already')
    .addHelpText('after', environmentHelp)
    .action(async ({ main, write }: { readonly main: string; readonly write?: true }) => {
      const { images } = load('./images/images') as typeof import('./images/images');
      await images({ main, write: write ?? false });
    });
}
