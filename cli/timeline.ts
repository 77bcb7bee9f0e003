import type { Command } from 'commander';
import { UsageError } from '../local/start-options';
import { command, load } from './command';

const description =
  'Prints what happens in the deployment of main.ts, second by second, when a pod of the API starts, ends or hangs, when its process or a node dies, when a certificate changes and when a proxy ends; beside each step stand the options that move it and, in parentheses, what no option changes. Where routes differ, each of their times is printed. Then the budget. Nothing is deployed, and no manifest is written.';

export const environmentHelp = `
Environment:
  FAIRLEAD_ENVIRONMENT  the environment of main.ts, as for cdk8s synth (default: production)`;

export function timelineCommand(): Command {
  return command('timeline', 'what happens in the deployment, second by second', description)
    .option('--main <FILE>', 'what says what is deployed', 'main.ts')
    .option(
      '--measured',
      'in the repository of fairlead: the deployment of npm run reliability, and what that measured',
    )
    .addHelpText('after', environmentHelp)
    .action(({ main, measured }: { readonly main: string; readonly measured?: true }) => {
      if (measured === true) measuredTimeline().printMeasuredTimeline();
      else (load('../timeline/command') as typeof import('../timeline/command')).printTimeline(main);
    });
}

/** Not by its type: the package, which has no suite, would have it built. */
function measuredTimeline(): { readonly printMeasuredTimeline: () => void } {
  try {
    load.resolve('../reliability/report/measured-timeline');
  } catch {
    throw new UsageError("timeline: --measured is of fairlead's own repository: take it out");
  }
  return load('../reliability/report/measured-timeline') as ReturnType<typeof measuredTimeline>;
}
