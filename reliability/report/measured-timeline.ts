import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { commandLine, Failure } from '../../cluster/command-line';
import { Output } from '../../local/terminal/output';
import { configurations } from '../../timeline/chain';
import { printProxy } from '../../timeline/command';
import { measured } from '../../timeline/measured';
import { defaultStory, type MeasuredStory, pageOf } from '../../timeline/page';
import { story } from '../../timeline/story';
import { ReliabilityEnvironment } from '../environment';

const root = resolve(__dirname, '../..');
const results = resolve(root, 'docs/reliability.json');

/** The proxy that `npm run reliability` deploys. */
function deployedProxy(): ReliabilityEnvironment['standard']['proxy'] {
  return new ReliabilityEnvironment('example', resolve(root, 'main.ts')).standard.proxy;
}

/** `fairlead timeline --measured`: the deployment of `npm run reliability`, which the repository alone has. */
export function printMeasuredTimeline(): void {
  printProxy(new Output(process.stdout), deployedProxy(), 'as npm run reliability deploys it', measured(results));
}

/** From the run's file and main.ts, as they are. */
function measuredStory(): MeasuredStory | undefined {
  const times = measured(results);
  return times === undefined ? undefined : { chains: story(configurations(deployedProxy())), measured: times };
}

if (require.main === module) {
  void commandLine('docs:timeline', () => {
    const page = pageOf(defaultStory(), measuredStory());
    writeFileSync(resolve(root, 'docs/timeline.md'), page.text);
    rmSync(resolve(root, 'docs/timeline'), { recursive: true, force: true });
    mkdirSync(resolve(root, 'docs/timeline'));
    for (const [path, picture] of Object.entries(page.pictures)) writeFileSync(resolve(root, 'docs', path), picture);
    if (page.contradictions.length === 0) return Promise.resolve();
    return Promise.reject(
      new Failure(
        `measured outside of what is computed, so the model is to be mended:\n  ${page.contradictions.join('\n  ')}`,
      ),
    );
  });
}
