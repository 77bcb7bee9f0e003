import type { Chain, Figure, Mover, Step } from './chain';
import { comparison, comparisonText, type Measured } from './measured';
import { rangeText } from './range';

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
