import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commandLine } from '../cluster/command-line';
import { deployedApis } from '../cluster/deployed-apis';
import { Output } from '../local/output';
import { columns, limitRows, memoryRows } from './budget-page';
import { configuration } from './chain';
import { measured, measuredEnvironment } from './measured';
import { story } from './story';
import { terminalLines } from './terminal';

const usage = `Usage: npm run timeline [-- --help]

Prints what happens in the deployment of main.ts, second by second, when a pod of the API starts, ends or hangs, when
its process or a node dies, when a certificate changes and when a proxy ends; beside each step stand the options that
move it and, in parentheses, what no option changes. Then how much one proxy takes on at a time, and what memory goes
to. Nothing is deployed, and no manifest is written.

  FAIRLEAD_ENVIRONMENT=NAME   the environment, as for npm run synth (default: production); with "${measuredEnvironment}"
                              the times that the reliability run measured stand beside the computed ones
  --help                      show this
`;

const root = resolve(__dirname, '..');

void commandLine('timeline', (args) => {
  const { values } = parseArgs({ args: [...args], options: { help: { type: 'boolean' } } });
  const output = new Output(process.stdout);
  if (values.help === true) process.stdout.write(usage);
  else print(output, process.env.FAIRLEAD_ENVIRONMENT ?? 'production');
  return Promise.resolve();
});

function print(output: Output, environment: string): void {
  const measuredTimes = environment === measuredEnvironment ? measured(join(root, 'docs/reliability.json')) : undefined;
  const layout = { output, width: process.stdout.isTTY ? process.stdout.columns : 120 };
  for (const api of deployedApis(join(root, 'main.ts'), environment)) {
    output.block([
      `${output.style('bold', api.node.id)}, namespace ${api.namespace.name}, environment ${environment}`,
      ...terminalLines(story(configuration(api)), measuredTimes ?? {}, layout),
      '',
      output.style('bold', 'What one proxy takes on at a time, and what memory it takes at worst'),
      ...columns([['', 'in all', 'of one address'], ...limitRows(api.budget)]).map((line) => `  ${line}`),
      '',
      ...columns([['', 'how many', 'each', 'in all'], ...memoryRows(api.budget)]).map((line) => `  ${line}`),
      '',
    ]);
  }
}
