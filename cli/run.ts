import { type Command, CommanderError } from 'commander';
import { terminalText } from '../local/terminal/output';
import { UsageError } from '../local/start-options';
import { InvalidOptions } from '../validation/invalid-option';
import { refuseOptionsOfNpm } from './npm-options';
import { pathOf, program } from './program';

/** Runs what was typed after `fairlead`, and gives its exit code: 1 for what failed, 2 for what was typed wrong. */
export async function run(args: readonly string[]): Promise<number> {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  const whole = program(end === -1 ? undefined : args.slice(end + 1));
  const chosen = commandOf(whole, options);
  try {
    refuseOptionsOfNpm(chosen, options, process.env);
    await whole.parseAsync(options, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and the version have been shown.
      if (error.exitCode === 0) return 0;
      say(typedWrong(error, chosen));
      return 2;
    }
    if (error instanceof InvalidOptions) for (const { message } of error.each) say(message);
    else say(messageOf(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Line by line, as what programs and clusters have said may be in it. */
function say(message: string): void {
  process.stderr.write(`fairlead: ${message.split('\n').map(terminalText).join('\n')}\n`);
}

/** What its name says it is a mistake in a program, and not a failure outside of it, is shown with where it is. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const mistakes = ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError'];
  return mistakes.includes(error.name) ? (error.stack ?? error.message) : error.message;
}

/** The command that the first words name: options of `fairlead` itself have no values. */
function commandOf(whole: Command, args: readonly string[]): Command {
  let found = whole;
  for (const word of args) {
    const next = found.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    found = next;
  }
  return found;
}

/** What commander says (`error: unknown option '--scael'\n(Did you mean --scale?)`) as fairlead says it. */
function typedWrong({ code, message }: CommanderError, of: Command): string {
  const path = pathOf(of);
  const before = path === '' ? '' : `${path}: `;
  const see = (what: string): string => `fairlead ${[path, '--help'].join(' ').trim()} shows the ${what}`;
  const [, word = '', meant] = /'(.*)'(?:\n\(Did you mean (?:one of )?(.*)\?\))?[^']*$/s.exec(message) ?? [];
  const didYouMean = meant === undefined ? '' : `: did you mean ${meant}?`;
  switch (code) {
    case 'commander.unknownOption':
      return `${before}${JSON.stringify(word)} is not an option${didYouMean === '' ? ';' : didYouMean} ${see('options')}`;
    case 'commander.unknownCommand':
      return `${before}${JSON.stringify(word)} is not a command${didYouMean === '' ? ';' : didYouMean} ${see('commands')}`;
    case 'commander.optionMissingArgument':
      return `${before}${nameOf(word)} has no value: give ${usageOf(word)}`;
    case 'commander.missingMandatoryOptionValue':
      return `${before}${nameOf(word)} is missing: give ${usageOf(word)}`;
    case 'commander.missingArgument':
      return `${before}${word} is missing; ${see('options')}`;
    default:
      return `${before}${message.replace(/^error: /, '').replaceAll('\n', ' ')}; ${see('options')}`;
  }
}

/** `--namespace`, of `-n, --namespace <NAME>`. */
function nameOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

/** `--namespace NAME`. */
function usageOf(flags: string): string {
  return `${nameOf(flags)} ${/<(.+)>/.exec(flags)?.[1] ?? ''}`.trim();
}
