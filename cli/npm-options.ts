import type { Command } from 'commander';
import { UsageError } from '../local/start-options';

/** Options of npm itself: it has them whether they were typed or not. */
const npmHas = ['--proxy', '--json', '--dry-run', '--version', '--help'];

/**
 * Refuses `npm start --scale 5`: what stands before `--` is npm's, which keeps what it does not know in the environment
 * (`npm_config_scale`), and gives the script what is left, or nothing at all.
 */
export function refuseOptionsOfNpm(of: Command, args: readonly string[], environment: NodeJS.ProcessEnv): void {
  const { npm_lifecycle_event: script } = environment;
  if (script === undefined || script === 'npx') return;
  const swallowed = of.options.flatMap(({ long, required }) => {
    if (long == null || npmHas.includes(long) || args.some((arg) => arg === long || arg.startsWith(`${long}=`)))
      return [];
    const value = environment[`npm_config_${long.slice(2).replaceAll('-', '_')}`];
    if (value === undefined || value === '') return [];
    if (!required) return [long];
    // npm takes no value for what it does not know, unless a "=" says so: it is a word of its own.
    const given = value === 'true' ? args.find((arg) => !arg.startsWith('-') && !isCommand(of, arg)) : value;
    return [`${long} ${given ?? 'VALUE'}`];
  });
  if (swallowed.length === 0) return;
  const options = swallowed.join(' ');
  const npm = script === 'start' ? 'npm start' : `npm run ${script}`;
  throw new UsageError(`${options} went to npm, and not to fairlead: did you forget "--"? ${npm} -- ${options}`);
}

function isCommand(of: Command, word: string): boolean {
  for (let each: Command | null = of; each !== null; each = each.parent) if (each.name() === word) return true;
  return false;
}
