import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { NginxProxy } from '../charts/proxy/nginx-proxy';
import { commandLine } from '../cluster/command-line';
import { deployedProxies } from '../cluster/deployed-proxies';
import { Output } from '../local/output';
import { ReliabilityEnvironment } from '../reliability/environment';
import { columns, limitRows, memoryRows } from './budget-page';
import { configurations } from './chain';
import { type Measured, measured } from './measured';
import { story } from './story';
import { terminalLines } from './terminal';

const usage = `Usage: npm run timeline [-- --measured] [--help]

Prints what happens in the deployment of main.ts, second by second, when a pod of the API starts, ends or hangs, when
its process or a node dies, when a certificate changes and when a proxy ends; beside each step stand the options that
move it and, in parentheses, what no option changes. Where routes differ, each of their times is printed. Then how much
one proxy takes on at a time, and what memory goes to. Nothing is deployed, and no manifest is written.

  --measured                  the deployment of npm run reliability instead, and the times that it measured
  --help                      show this

Environment: FAIRLEAD_ENVIRONMENT, FAIRLEAD_OPTIONS, as for npm run synth.
`;

const root = resolve(__dirname, '..');

void commandLine('timeline', (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: { measured: { type: 'boolean', default: false }, help: { type: 'boolean' } },
  });
  const output = new Output(process.stdout);
  const main = join(root, 'main.ts');
  if (values.help === true) process.stdout.write(usage);
  else if (values.measured) {
    const { proxy } = new ReliabilityEnvironment('example', main).standard;
    print(output, proxy, 'as npm run reliability deploys it', measured(join(root, 'docs/reliability.json')));
  } else {
    const environment = process.env.FAIRLEAD_ENVIRONMENT ?? 'production';
    for (const proxy of deployedProxies(main, { FAIRLEAD_ENVIRONMENT: environment })) {
      print(output, proxy, `environment ${environment}`);
    }
  }
  return Promise.resolve();
});

function print(output: Output, proxy: NginxProxy, deployment: string, measuredTimes: Measured = {}): void {
  const layout = { output, width: process.stdout.isTTY ? process.stdout.columns : 120 };
  output.block([
    `${output.style('bold', proxy.node.id)}, namespace ${proxy.namespace.name}, ${deployment}`,
    ...terminalLines(story(configurations(proxy)), measuredTimes, layout),
    '',
    output.style('bold', 'What one proxy takes on at a time, and what memory it takes at worst'),
    ...columns([['', 'in all', 'of one address'], ...limitRows(proxy.budget)]).map((line) => `  ${line}`),
    '',
    ...columns([['', 'how many', 'each', 'in all'], ...memoryRows(proxy.budget)]).map((line) => `  ${line}`),
    '',
  ]);
}
