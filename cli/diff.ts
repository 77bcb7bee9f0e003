import type { Command } from 'commander';
import { UsageError } from '../local/start-options';
import { oneOf } from '../validation/names';
import { command, contextOption, load, typed } from './command';

const description =
  'Says what kubectl apply -f AFTER would change: which requests are answered otherwise, which pods are replaced and why, what connections that ends, and what stays behind. BEFORE and AFTER are folders of manifests, or commits, each of which is checked out and synthesized in a folder of its own. Nothing is changed.';

const details = `
Examples:
  fairlead diff                      the cluster, and dist/
  fairlead diff --context staging    that cluster, and dist/
  fairlead diff dist.before          that folder, and dist/
  fairlead diff main HEAD            two commits
  fairlead diff main --format markdown > comment.md`;

const formats = ['text', 'markdown'] as const;

interface Values {
  readonly cluster?: true;
  readonly context?: string;
  readonly format: string;
  readonly ask?: true;
  readonly exitCode?: true;
}

export function diffCommand(): Command {
  return command('diff', 'which requests and pods a change of main.ts concerns', description)
    .argument('[BEFORE]', 'a folder of manifests, or a commit (default: what the cluster has)')
    .argument('[AFTER]', 'the same (default: dist)')
    .option('--cluster', 'BEFORE is what the cluster has, and the only word is AFTER')
    .option('--context <NAME>', 'the same, by the context of the kubeconfig (default: the current one)')
    .option('--format <FORMAT>', 'text, or markdown for a comment of a pull request', 'text')
    .option('--ask', 'asks a real nginx each request that it says, before and now, with stubs in the place of backends')
    .option('--exit-code', 'ends with exit code 1 if anything differs')
    .addHelpText('after', details)
    .action(async (first: string | undefined, second: string | undefined, values: Values) => {
      const format = typed(() => oneOf('--format', values.format, formats));
      const { context } = contextOption(values.context);
      const sides = sidesOf(first, second, values);
      const { diff } = load('../diff/command') as typeof import('../diff/command');
      const { ask = false, exitCode = false } = values;
      await diff({ ...sides, context, format, ask, exitCode });
    });
}

/** What is compared; BEFORE is undefined for a cluster. */
function sidesOf(
  first: string | undefined,
  second: string | undefined,
  { cluster, context }: Values,
): { readonly before: string | undefined; readonly after: string | undefined } {
  if (cluster === undefined && context === undefined) return { before: first, after: second };
  if (first === undefined || second === undefined) return { before: undefined, after: first };
  throw new UsageError(
    `diff: ${context === undefined ? '--cluster' : '--context'} is of a cluster, which is BEFORE, and ${JSON.stringify(first)} is too: take one of them out`,
  );
}
