import { createRequire } from 'node:module';
import { Command, type Option } from 'commander';
import { UsageError } from '../local/start-options';
import { InvalidOption } from '../validation/invalid-option';

/** In columns: of help where there is no terminal. */
const helpWidth = 120;

/** A command of `fairlead`, with the house's help; what is wrong with its options is thrown, and said by who runs it. */
export function command(name: string, summary: string, description = summary): Command {
  return (
    new Command(name)
      .summary(summary)
      .description(description)
      .helpOption('-h, --help', 'shows this text')
      // Words too many are refused by who runs it, which says them.
      .allowExcessArguments()
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .configureHelp({
        helpWidth: Math.min(helpWidth, process.stdout.isTTY ? process.stdout.columns : helpWidth),
        optionTerm: ({ flags }) => flags.replace(/<(.+)>/, '$1'),
        optionDescription,
        argumentTerm: (argument) => argument.name(),
        subcommandTerm: (subcommand) => subcommand.name(),
      })
  );
}

/** With its default, as it is typed. */
export function optionDescription({ description, defaultValue }: Option): string {
  return typeof defaultValue === 'string' ? `${description} (default: ${defaultValue})` : description;
}

/**
 * Loads a module of fairlead once a command runs that needs it: cdk8s takes half a second, which help and completion have no use
 * for, and `fairlead doctor` is for an app that does not have it.
 */
export const load = createRequire(__filename);

/** What a function makes of options as they were typed: one that cannot be ends with exit code 2. */
export function typed<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    throw error instanceof InvalidOption ? new UsageError(error.message) : error;
  }
}

/** The context as it was typed: kubectl takes an empty name for the current one, which may be another cluster's. */
export function contextOption(given: string | undefined): { readonly context?: string } {
  if (given === '') throw new UsageError('--context: "" is not the name of a context: give one, or leave it out');
  return given === undefined ? {} : { context: given };
}
