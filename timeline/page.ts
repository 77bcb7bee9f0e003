import { App } from 'cdk8s';
import { LoadBalancedApi } from '../charts/load-balanced-api';
import { type Chain, configurations, type Figure, type Mover, optionInterfaces, rangeText, type Step } from './chain';
import { comparison, comparisonText, contradictions, type Measured } from './measured';
import { chainPicture, pictureDescription } from './picture';
import { story } from './story';

/** docs/timeline.md, and where what was measured contradicts what is computed. */
export interface TimelinePage {
  readonly text: string;
  /** What it shows, by paths from the page. */
  readonly pictures: Readonly<Record<string, string>>;
  readonly contradictions: readonly string[];
}

/** What the run measured, and of which deployment. */
export interface MeasuredStory {
  readonly chains: readonly Chain[];
  readonly measured: Measured;
}

export function pageOf(defaults: readonly Chain[], run: MeasuredStory | undefined): TimelinePage {
  const sections = [
    introduction,
    ...(run === undefined ? [] : [measuredIntroduction, markdownChains(run.chains, run.measured)]),
    '## The defaults\n',
    defaults.map((chain) => markdownChain(chain, {}, picturePath(chain))).join('\n'),
    '## What no option changes\n',
    markdownFigures([...(run?.chains ?? []), ...defaults]),
  ];
  return {
    text: sections.join('\n'),
    pictures: Object.fromEntries(defaults.map((chain) => [picturePath(chain), chainPicture(chain)])),
    contradictions: run === undefined ? [] : contradictions(run.chains, run.measured),
  };
}

const introduction = `# Timeline

Made from the model by \`npm run docs:timeline\`: what happens, when, and what moves it. \`npm run timeline\` prints the same
for your own \`main.ts\`. Times are in seconds from the event, earliest to latest. What has no link is moved by no option:
[the last table](#what-no-option-changes) says where it comes from.
`;

const measuredIntroduction = `## What was measured

The deployment of \`npm run reliability\`, with the times that it measured beside the computed ones (\`npm run timeline --
--measured\`). One that lies more than a second outside of what is computed is marked: the model is wrong there.
`;

/** What happens where main.ts says nothing of it. */
export function defaultStory(): readonly Chain[] {
  const { proxy } = new LoadBalancedApi(new App(), 'api', { image: 'api:1.0.0' });
  return story(configurations(proxy));
}

/** A story as Markdown: one table for each chain. */
export function markdownChains(chains: readonly Chain[], measuredTimes: Measured): string {
  return chains.map((chain) => markdownChain(chain, measuredTimes)).join('\n');
}

/** `timeline/a-proxy-ends.svg` */
function picturePath({ title }: Chain): string {
  return `timeline/${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.svg`;
}

function markdownChain(chain: Chain, measuredTimes: Measured, picture?: string): string {
  const { title, beginning, steps } = chain;
  return [
    `### ${title}`,
    '',
    `0 s: ${beginning}.`,
    '',
    ...(picture === undefined ? [] : [`![${pictureDescription(chain)}](${picture})`, '']),
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
  if (!('option' in mover)) return mover.name;
  const option = mover.option.replace(/^.*\./, '');
  const anchor = `${optionInterfaces[mover.option]}${option}`.toLowerCase();
  return `[\`${mover.option}: '${mover.seconds}s'\`](options.md#${anchor})`;
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
