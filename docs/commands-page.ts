import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command, Option } from 'commander';
import { optionDescription } from '../cli/command';
import { pathOf, program } from '../cli/program';

/** docs/commands.md, made from what `fairlead --help` shows. */
export function commandsPage(): string {
  const commands = leaves(program());
  return `# Commands

Made from the sources by \`npm run docs:commands\`; \`fairlead COMMAND --help\` shows the same. In an app that has the package
installed they are run by \`npx fairlead\`, in the repository by npm's scripts, with \`--\` before options (\`npm start -- --scale 5\`):
what stands before it is npm's.

| command | in the repository | |
|---|---|---|
${commands.map(row).join('\n')}

Exit code 2 is for what was typed wrong, 1 for what failed; each is said in a line, with what to do.

${commands.map(section).join('\n')}`;
}

/** Commands that do something themselves. */
function leaves(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

const scripts: Readonly<Record<string, string>> = {
  start: 'npm start',
  diff: 'npm run diff',
  timeline: 'npm run timeline',
  budget: 'npm run budget',
  explain: 'npm run explain',
  top: 'npm run top',
  prune: 'npm run prune',
  'kind up': 'npm run kind:up',
  'kind down': 'npm run kind:down',
  doctor: 'npm run doctor',
};

function row(command: Command): string {
  const path = pathOf(command);
  const script = scripts[path];
  const anchor = `fairlead-${path.replaceAll(' ', '-')}`;
  return `| [\`fairlead ${path}\`](#${anchor}) | ${script === undefined ? '' : `\`${script}\``} | ${command.summary()} |`;
}

function section(command: Command): string {
  const options = [...command.registeredArguments.map(argument), ...command.options.map(option)];
  return [
    `## fairlead ${pathOf(command)}`,
    '',
    '```text',
    `fairlead ${pathOf(command)} ${command.usage().replace(/[<>]/g, '')}`,
    '```',
    '',
    ...command.description().split('\n').map(paragraphLine),
    '',
    ...(options.length === 0 ? [] : ['| option | |', '|---|---|', ...options, '']),
    ...(details(command) === '' ? [] : ['```text', details(command), '```', '']),
  ].join('\n');
}

/** What help has after the options. */
function details(command: Command): string {
  const written: string[] = [];
  command.configureOutput({ writeOut: (text) => written.push(text) }).outputHelp();
  return written.join('').slice(command.helpInformation().length).trim();
}

/** An indented line is what one types. */
function paragraphLine(line: string): string {
  return line.startsWith('  ') ? `    ${line}` : line;
}

function argument(each: Command['registeredArguments'][number]): string {
  return `| \`${each.name()}\` | ${each.description} |`;
}

function option(each: Option): string {
  const text = optionDescription(each).replaceAll('|', '\\|');
  return `| \`${each.flags.replace(/<(.+)>/, '$1')}\` | ${text} |`;
}

if (require.main === module) writeFileSync(resolve(__dirname, '../docs/commands.md'), commandsPage());
