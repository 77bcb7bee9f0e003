import type { Command } from 'commander';
import { packageVersion } from '../local/package-version';
import { UsageError } from '../local/start-options';
import { budgetCommand } from './budget';
import { command } from './command';
import { completionCommand } from './completion';
import { composeCommand } from './compose';
import { diffCommand } from './diff';
import { doctorCommand } from './doctor';
import { explainCommand } from './explain';
import { imagesCommand } from './images';
import { kindCommand } from './kind';
import { pruneCommand } from './prune';
import { startCommand } from './start';
import { timelineCommand } from './timeline';
import { topCommand } from './top';

const description = 'A load-balanced API, on this machine as in Kubernetes: what main.ts says.';

/** `fairlead` with all of its commands. `words` is what stands after `--`, where it does: a program for `start`. */
export function program(words?: readonly string[]): Command {
  const whole: Command = command('fairlead', description)
    .version(packageVersion(), '--version', 'shows the version')
    .usage('COMMAND [options]')
    .helpCommand('help [COMMAND]', 'shows the options of a command');
  const commands = [
    startCommand(words),
    composeCommand(),
    diffCommand(),
    timelineCommand(),
    budgetCommand(),
    explainCommand(),
    topCommand(),
    pruneCommand(),
    imagesCommand(),
    kindCommand(),
    doctorCommand(),
    completionCommand(() => whole),
  ];
  for (const each of commands) whole.addCommand(each);
  whole.hook('preAction', (_, chosen) => {
    refuseWordsTooMany(chosen, words);
  });
  whole.addHelpText('beforeAll', ({ error, command: of }) => {
    if (error) throw commandMissing(of);
    return '';
  });
  return whole;
}

/** As one types it after `fairlead`: `kind up`. */
export function pathOf(of: Command): string {
  const names: string[] = [];
  for (let each = of; each.parent !== null; each = each.parent) names.unshift(each.name());
  return names.join(' ');
}

function refuseWordsTooMany(chosen: Command, words: readonly string[] | undefined): void {
  const path = pathOf(chosen);
  if (words !== undefined && path !== 'start') {
    throw new UsageError(`${path}: "--" is followed by a program, which "start" alone runs: take it out`);
  }
  if (chosen.registeredArguments.some(({ variadic }) => variadic)) return;
  const word = chosen.args[chosen.registeredArguments.length];
  if (word === undefined) return;
  const isScale = path === 'start' && /^\d+$/.test(word);
  throw new UsageError(
    `${path}: ${JSON.stringify(word)} is not an option: ${isScale ? `did you mean --scale ${word}?` : 'take it out.'} fairlead ${path} --help shows the options`,
  );
}

/** Nothing was typed where a command should stand, or `help` of one that is not there. */
function commandMissing(of: Command): UsageError {
  const path = pathOf(of);
  const [first, asked] = of.args;
  const see = `fairlead ${[path, '--help'].join(' ').trim()} shows them`;
  if (first === 'help' && asked !== undefined) {
    return new UsageError(`${JSON.stringify(asked)} is not a command; ${see}`);
  }
  const names = of.commands.map((each) => each.name()).join(', ');
  return new UsageError(`${path === '' ? '' : `${path}: `}a command is missing: give one of ${names}; ${see}`);
}
