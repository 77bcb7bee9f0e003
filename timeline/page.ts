import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App } from 'cdk8s';
import { LoadBalancedApi } from '../charts/load-balanced-api';
import { commandLine, Failure } from '../cluster/command-line';
import { deployedApis } from '../cluster/deployed-apis';
import { type Chain, configuration, type Figure, type Mover, rangeText, type Step } from './chain';
import { comparison, comparisonText, contradictions, measured, type Measured, measuredEnvironment } from './measured';
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

/** A story as Markdown: one table for each chain. */
export function markdownChains(chains: readonly Chain[], measuredTimes: Measured): string {
  return chains.map((chain) => markdownChain(chain, measuredTimes)).join('\n');
}

function markdownChain({ title, beginning, steps }: Chain, measuredTimes: Measured): string {
  return [
    `### ${title}`,
    '',
    `0 s: ${beginning}.`,
    '',
    '| when | what | moved by |',
    '|---|---|---|',
    ...steps.map((step) => row(step, measuredTimes)),
    '',
  ].join('\n');
}

function row(step: Step, measuredTimes: Measured): string {
  const compared = comparison(step, measuredTimes);
  const when =
    compared === undefined
      ? rangeText(step.at)
      : `${rangeText(step.at)}, ${comparisonText(compared)}${compared.outside ? ' **outside**' : ''}`;
  return `| ${when} | ${step.what} | ${step.movedBy.map(moverText).join(', ')} |`;
}

function moverText(mover: Mover): string {
  return 'option' in mover
    ? `[\`${mover.option}: '${mover.seconds}s'\`](options.md#${mover.option.toLowerCase()})`
    : mover.name;
}

/** What stands in the chains and is not an option, with its source. */
export function markdownFigures(chains: readonly Chain[]): string {
  const figures = new Map<string, Figure>();
  for (const mover of chains.flatMap(({ steps }) => steps.flatMap(({ movedBy }) => movedBy))) {
    if (!('option' in mover)) figures.set(mover.name, mover);
  }
  return [
    '| figure | takes | source |',
    '|---|---|---|',
    ...[...figures.values()].map(({ name, range, source }) => `| ${name} | ${rangeText(range)} | ${source} |`),
    '',
  ].join('\n');
}
