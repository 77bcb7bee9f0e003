import { resolve } from 'node:path';
import type { NginxProxy } from '../charts/proxy/nginx-proxy';
import { deployedProxies } from '../cluster/deployed-proxies';
import { Output } from '../local/terminal/output';
import { columns, limitRows, memoryRows } from './budget-page';
import { configurations } from './chain';
import type { Measured } from './measured';
import { story } from './story';
import { terminalLines } from './terminal';

/** `fairlead timeline`: what happens in the deployment of main.ts, and its budget. */
export function printTimeline(main: string): void {
  const output = new Output(process.stdout);
  for (const { proxy, deployment } of proxiesOf(main)) printProxy(output, proxy, deployment);
}

/** `fairlead budget`: that alone. */
export function printBudget(main: string): void {
  const output = new Output(process.stdout);
  for (const { proxy, deployment } of proxiesOf(main)) {
    output.block([heading(output, proxy, deployment), '', ...budgetLines(output, proxy)]);
  }
}

/** Each proxy, and what it is the deployment of. */
function proxiesOf(main: string): readonly { readonly proxy: NginxProxy; readonly deployment: string }[] {
  const environment = process.env.FAIRLEAD_ENVIRONMENT ?? 'production';
  const proxies = deployedProxies(resolve(main), { FAIRLEAD_ENVIRONMENT: environment });
  return proxies.map((proxy) => ({ proxy, deployment: `environment ${environment}` }));
}

/** The timeline of one proxy, with what was measured of it. */
export function printProxy(output: Output, proxy: NginxProxy, deployment: string, measuredTimes: Measured = {}): void {
  const layout = { output, width: process.stdout.isTTY ? process.stdout.columns : 120 };
  output.block([
    heading(output, proxy, deployment),
    ...terminalLines(story(configurations(proxy)), measuredTimes, layout),
    '',
    ...budgetLines(output, proxy),
  ]);
}

function heading(output: Output, proxy: NginxProxy, deployment: string): string {
  return `${output.style('bold', proxy.node.id)}, namespace ${proxy.namespace.name}, ${deployment}`;
}

function budgetLines(output: Output, { budget }: NginxProxy): readonly string[] {
  return [
    output.style('bold', 'What one proxy takes on at a time, and what memory it takes at worst'),
    ...columns([['', 'in all', 'of one address'], ...limitRows(budget)]).map((line) => `  ${line}`),
    '',
    ...columns([['', 'how many', 'each', 'in all'], ...memoryRows(budget)]).map((line) => `  ${line}`),
    '',
  ];
}
