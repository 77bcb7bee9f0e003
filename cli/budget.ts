import type { Command } from 'commander';
import { command, load } from './command';
import { environmentHelp } from './timeline';

const description =
  "Prints how much one proxy of main.ts takes on at a time, in all and of one client's address, and what memory it takes at worst. Nothing is deployed, and no manifest is written.";

export function budgetCommand(): Command {
  return command('budget', 'how much one proxy takes on, and what memory', description)
    .option('--main <FILE>', 'what says what is deployed', 'main.ts')
    .addHelpText('after', environmentHelp)
    .action(({ main }: { readonly main: string }) => {
      (load('../timeline/command') as typeof import('../timeline/command')).printBudget(main);
    });
}
