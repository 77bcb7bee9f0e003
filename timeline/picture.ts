import { type Chain, rangeText } from './chain';
import { pixels, secondTicks, textStyle, xmlText } from './svg';

const width = 760;
const left = 16;
const right = width - 16;
const lineHeight = 15;
/** Of a step, from its last line of text to the first one of the next. */
const barSpace = 26;
/** That fit into a line. */
const characters = 112;

const style = `${textStyle}
  .heading { font-size: 13px; font-weight: 600; fill: #1f2328; }
  .when { font-weight: 600; fill: #1f2328; }
  .bar { fill: #0969da; }
  .middle { text-anchor: middle; }`;

/** When each step of a chain can happen, from its earliest to its latest, below one another. An SVG without scripts. */
export function chainPicture({ title, beginning, steps }: Chain): string {
  const last = Math.max(1, ...steps.map(({ at }) => at.to));
  const x = (second: number): number => pixels(left + (second / last) * (right - left));
  const parts: string[] = [];
  let y = 44;
  for (const { at, what } of steps) {
    const when = rangeText(at);
    const [first = '', ...others] = wrapped(`${when}  ${what}`);
    parts.push(
      `<text x="${left}" y="${y}"><tspan class="when">${xmlText(when)}</tspan>${xmlText(first.slice(when.length))}</text>`,
      ...others.map((line, index) => `<text x="${left}" y="${y + lineHeight * (index + 1)}">${xmlText(line)}</text>`),
    );
    y += lineHeight * others.length;
    // What has one moment is seen too.
    const barWidth = Math.max(4, pixels(x(at.to) - x(at.from)));
    parts.push(
      `<rect class="bar" x="${Math.min(x(at.from), right - barWidth)}" y="${y + 5}" width="${barWidth}" height="8" rx="2"/>`,
    );
    y += barSpace + lineHeight - 10;
  }
  const bottom = y - 6;
  const ticks = secondTicks(last).flatMap((second) => [
    `<path class="grid" d="M${x(second)} 52V${bottom}"/>`,
    `<text class="middle" x="${x(second)}" y="${bottom + 16}">${second === 0 ? '0 s' : second}</text>`,
  ]);
  const height = bottom + 28;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">${xmlText(pictureDescription({ title, beginning, steps }))}</title>
<style>${style}
</style>
<rect class="background" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>
${ticks.join('\n')}
<text class="heading" x="${left}" y="22">${xmlText(title)}: at 0 s ${xmlText(beginning)}</text>
${parts.join('\n')}
</svg>
`;
}

/** A picture in words, for those who do not see it. */
export function pictureDescription({ title, steps }: Chain): string {
  const last = steps.reduce((latest, { at }) => Math.max(latest, at.to), 0);
  return `${title}: ${steps.length} steps, the last one after ${pixels(last)} s at the latest`;
}

/** A text in lines that fit. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [''];
  for (const word of text.split(/(?<= )(?=\S)/)) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.trimEnd().length <= characters) lines[lines.length - 1] = line + word;
    else lines.push(word);
  }
  return lines;
}
