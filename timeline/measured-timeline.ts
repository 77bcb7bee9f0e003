import { resolve } from 'node:path';
import { Output } from '../local/output';
import { ReliabilityEnvironment } from '../reliability/environment';
import { printProxy } from './command';
import { measured } from './measured';

const root = resolve(__dirname, '..');

/** `fairlead timeline --measured`: the deployment of `npm run reliability`, which the repository alone has. */
export function printMeasuredTimeline(): void {
  const { proxy } = new ReliabilityEnvironment('example', resolve(root, 'main.ts')).standard;
  const times = measured(resolve(root, 'docs/reliability.json'));
  printProxy(new Output(process.stdout), proxy, 'as npm run reliability deploys it', times);
}
