import { Argument, type Command, type Option } from 'commander';
import { oneOf } from '../validation/names';
import { command, optionDescription, typed } from './command';

const shells = ['bash', 'zsh', 'fish'] as const;

const description = `Prints what lets a shell complete commands and options of fairlead:

  bash   eval "$(fairlead completion bash)"          in ~/.bashrc
  zsh    eval "$(fairlead completion zsh)"           in ~/.zshrc, after compinit
  fish   fairlead completion fish > ~/.config/fish/completions/fairlead.fish`;

export function completionCommand(whole: () => Command): Command {
  const shell = new Argument('<SHELL>', shells.join(', '));
  shell.argChoices = [...shells];
  return command('completion', 'lets a shell complete commands and options', description)
    .addArgument(shell)
    .action((given: string) => {
      const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
      process.stdout.write(scripts[typed(() => oneOf('SHELL', given, shells))](whole()));
    });
}

/** A command as it is typed after `fairlead`, with what it takes. */
interface Completed {
  readonly path: readonly string[];
  readonly summary: string;
  readonly subcommands: readonly string[];
  readonly options: readonly Option[];
  readonly words: readonly string[];
  /** Whether other words are files or folders. */
  readonly takesFiles: boolean;
}

/** Every command of `fairlead`, itself first; `help` has the names of the others. */
function completed(whole: Command, path: readonly string[] = []): readonly Completed[] {
  const subcommands = whole.commands.map((each) => each.name());
  const all: readonly Completed[] = [
    {
      path,
      summary: whole.summary(),
      subcommands,
      options: whole.options,
      words: whole.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      takesFiles: whole.registeredArguments.some(
        (argument) => argument.argChoices === undefined && argument.name() !== 'URL',
      ),
    },
    ...whole.commands.flatMap((each) => completed(each, [...path, each.name()])),
  ];
  if (path.length > 0) return all;
  const help = {
    path: ['help'],
    summary: 'shows the options of a command',
    subcommands: [],
    options: [],
    words: subcommands,
    takesFiles: false,
  };
  return [{ ...all[0], subcommands: [...subcommands, 'help'] } as Completed, ...all.slice(1), help];
}

const helpOption = '--help';

function longOptions(options: readonly Option[]): string[] {
  return [...options.flatMap(({ long }) => (long == null ? [] : [long])), helpOption];
}

/** What its value is: `FILE`, `PORT`; nothing of one that takes none. */
function valueOf({ flags }: Option): string | undefined {
  return /<(.+)>/.exec(flags)?.[1];
}

/** With options that have a value, the word after them is nothing that this could know, but for files. */
function bashCompletion(whole: Command): string {
  const commands = completed(whole);
  const withValue = [
    ...new Set(commands.flatMap(({ options }) => options.filter(valueOf).map(({ long }) => String(long)))),
  ];
  const cases = commands
    .filter(({ path }) => path.length > 0)
    .map(({ path, subcommands, options, words }) => {
      const all = [...subcommands, ...words, ...longOptions(options)];
      return `    '${path.join(' ')}') words='${all.join(' ')}' ;;\n`;
    });
  const groups = commands.filter(({ path, subcommands }) => path.length > 0 && subcommands.length > 0);
  return `# Completion of fairlead for bash, made by fairlead completion bash.
_fairlead() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words='' index
  COMPREPLY=()
  # What is after "--" is a program of its own, and after such an option its value: files, as bash completes them by itself.
  for ((index = 1; index < COMP_CWORD; index++)); do
    [ "\${COMP_WORDS[index]}" = -- ] && return
  done
  case "$previous" in
    ${withValue.join(' | ')}) return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${[...(commands[0]?.subcommands ?? []), ...longOptions(commands[0]?.options ?? [])].join(' ')}' -- "$current"))
    return
  fi
  case "$command" in
    ${groups.map(({ path }) => path.join(' ')).join(' | ')}) [ "$COMP_CWORD" -gt 2 ] && command="$command \${COMP_WORDS[2]}" ;;
  esac
  case "$command" in
${cases.join('')}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _fairlead fairlead
`;
}

function zshCompletion(whole: Command): string {
  const commands = completed(whole);
  const described = (names: readonly string[], path: readonly string[]): string =>
    names.map((name) => `'${name}:${quoted(summaryOf(commands, [...path, name]), /:/g)}'`).join(' ');
  const functions = commands.map(({ path, subcommands, options, words, takesFiles }) => {
    const specs = [
      ...options.map((option) => `'${zshOption(option)}'`),
      `'(-h --help)'{-h,--help}'[shows this text]'`,
      ...(words.length > 0 ? [`'1:word:(${words.join(' ')})'`] : []),
      ...(takesFiles ? [`'*:file:_files'`] : []),
      // After "--" stands a program with what it takes.
      ...(path[0] === 'start' ? [`'*::program:_files'`] : []),
    ];
    if (subcommands.length === 0) return `${zshFunction(path)}() {\n  _arguments ${specs.join(' ')}\n}\n`;
    const into = subcommands
      .filter((name) => commands.some((each) => each.path.join(' ') === [...path, name].join(' ')))
      .map((name) => `        ${name}) ${zshFunction([...path, name])} ;;\n`);
    return `${zshFunction(path)}() {
  local curcontext="$curcontext" state line
  local -a commands
  typeset -A opt_args
  commands=(${described(subcommands, path)})
  _arguments -C ${specs.join(' ')} '1: :->command' '*:: :->rest'
  case "$state" in
    command) _describe command commands ;;
    rest)
      case "$words[1]" in
${into.join('')}      esac ;;
  esac
}
`;
  });
  return `#compdef fairlead
# Completion of fairlead for zsh, made by fairlead completion zsh.
${functions.join('')}if [ "$funcstack[1]" = _fairlead ]; then _fairlead "$@"; else compdef _fairlead fairlead; fi
`;
}

function zshFunction(path: readonly string[]): string {
  return ['_fairlead', ...path].join('_');
}

function zshOption(option: Option): string {
  const value = valueOf(option);
  const explained = `[${quoted(optionDescription(option), /[[\]:]/g)}]`;
  if (value === undefined) return `${String(option.long)}${explained}`;
  return `${String(option.long)}=${explained}:${value}:${value === 'FILE' ? '_files' : value === 'DIRECTORY' ? '_files -/' : ' '}`;
}

/** Within '…', with a backslash before what means something there. */
function quoted(text: string, meaningful: RegExp): string {
  return text.replace(meaningful, '\\$&').replaceAll("'", `'\\''`);
}

function summaryOf(commands: readonly Completed[], path: readonly string[]): string {
  return commands.find((each) => each.path.join(' ') === path.join(' '))?.summary ?? '';
}

function fishCompletion(whole: Command): string {
  const commands = completed(whole);
  const lines = commands.flatMap(({ path, subcommands, options, words, takesFiles }) => {
    const here = fishCondition(path, subcommands);
    return [
      ...subcommands.map((name) => `${here} -a ${name} -d '${fishQuoted(summaryOf(commands, [...path, name]))}'`),
      ...words.map((word) => `${here} -a ${word}`),
      ...(takesFiles ? [`${here} -F`] : []),
      ...options.map((option) => `${here} ${fishOption(option)}`),
    ];
  });
  return `# Completion of fairlead for fish, made by fairlead completion fish.
complete -c fairlead -f
complete -c fairlead -s h -l help -d 'shows this text'
${lines.join('\n')}
`;
}

/** Where the command has been typed, and none below it. */
function fishCondition(path: readonly string[], subcommands: readonly string[]): string {
  if (path.length === 0) return 'complete -c fairlead -n __fish_use_subcommand';
  const typedAlready = path.map((name) => `__fish_seen_subcommand_from ${name}`);
  const notYet = subcommands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${subcommands.join(' ')}`];
  return `complete -c fairlead -n '${[...typedAlready, ...notYet].join('; and ')}'`;
}

function fishOption(option: Option): string {
  const value = valueOf(option);
  const takes =
    value === undefined
      ? ''
      : value === 'FILE'
        ? '-r -F '
        : value === 'DIRECTORY'
          ? "-x -a '(__fish_complete_directories)' "
          : '-x ';
  return `-l ${String(option.long).slice(2)} ${takes}-d '${fishQuoted(optionDescription(option))}'`;
}

function fishQuoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
