import type { Command } from 'commander';
import { command, contextOption, load } from './command';

const description =
  'Looks whether this machine and the cluster have what main.ts needs: a line for each check, ok, warning or failed, with what was found and what to do. Nothing is changed. Exit code 1 if one failed.';

interface Values {
  readonly main: string;
  readonly context?: string;
  readonly json?: true;
}

export function doctorCommand(): Command {
  return command('doctor', 'whether machine and cluster have what main.ts needs', description)
    .option('--main <FILE>', 'what says what is deployed', 'main.ts')
    .option('--context <NAME>', 'the context of the kubeconfig (default: the current one)')
    .option('--json', 'prints the checks as JSON: [{ "check", "status", "found", "mend" }]')
    .action(async ({ main, context, json }: Values) => {
      const { doctor } = load('./doctor/doctor') as typeof import('./doctor/doctor');
      await doctor({ main, json: json ?? false, ...contextOption(context) });
    });
}
