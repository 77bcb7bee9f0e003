import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App } from 'cdk8s';
import { LoadBalancedApi } from '../charts/load-balanced-api';
import { commandLine } from '../cluster/command-line';
import { Failure } from '../cluster/failure';
import type { Chain } from './chain';
import { configuration } from './configuration';
import { deployedApis } from './deployed-apis';
import { markdownChains, markdownFigures } from './markdown';
import { contradictions, measured, measuredEnvironment, type Measured } from './measured';
import { story } from './story';

const root = resolve(__dirname, '..');

/** docs/timeline.md, and where what was measured contradicts what is computed. */
export interface TimelinePage {
  readonly text: string;
  readonly contradictions: readonly string[];
}

/** What the run measured, and of which deployment. */
export interface MeasuredStory {
  readonly chains: readonly Chain[];
  readonly measured: Measured;
}

/** From the run's file and main.ts, as they are. */
export function timelinePage(): TimelinePage {
  const measuredTimes = measured(join(root, 'docs/reliability.json'));
  if (measuredTimes === undefined) return pageOf(defaultStory(), undefined);
  const [api] = deployedApis(join(root, 'main.ts'), measuredEnvironment);
  return pageOf(defaultStory(), { chains: story(configuration(api)), measured: measuredTimes });
}

export function pageOf(defaults: readonly Chain[], run: MeasuredStory | undefined): TimelinePage {
  const sections = [
    introduction,
    ...(run === undefined ? [] : [measuredIntroduction, markdownChains(run.chains, run.measured)]),
    '## The defaults\n',
    markdownChains(defaults, {}),
    '## What no option changes\n',
    markdownFigures([...(run?.chains ?? []), ...defaults]),
  ];
  return {
    text: sections.join('\n'),
    contradictions: run === undefined ? [] : contradictions(run.chains, run.measured),
  };
}

const introduction = `# Timeline

Made from the model by \`npm run docs:timeline\`: what happens, when, and what moves it. \`npm run timeline\` prints the same
for your own \`main.ts\`. Times are in seconds from the event, earliest to latest. What has no link is moved by no option:
[the last table](#what-no-option-changes) says where it comes from.
`;

const measuredIntroduction = `## What was measured

The deployment of \`npm run reliability\` (environment \`${measuredEnvironment}\`), with the times that it measured beside the computed
ones. One that lies more than a second outside of what is computed is marked: the model is wrong there.
`;

function defaultStory(): readonly Chain[] {
  // With a Secret of one's own no key pair has to be made.
  const api = new LoadBalancedApi(new App(), 'api', { container: { image: 'api:1.0.0' }, tlsSecretName: 'nginx-tls' });
  return story(configuration(api));
}

if (require.main === module) {
  void commandLine('docs:timeline', () => {
    const page = timelinePage();
    writeFileSync(join(root, 'docs/timeline.md'), page.text);
    if (page.contradictions.length === 0) return Promise.resolve();
    return Promise.reject(
      new Failure(
        `measured outside of what is computed, so the model is to be mended:\n  ${page.contradictions.join('\n  ')}`,
      ),
    );
  });
}
