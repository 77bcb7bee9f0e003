import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../local/ports';
import { textStyle, xmlText } from '../timeline/svg';

const root = resolve(__dirname, '..');
const recording = join(__dirname, 'terminal.svg');
const largest = 60_000;

/** What was written or typed, and when, in seconds. */
interface Line {
  readonly at: number;
  readonly text: string;
  readonly isTyped: boolean;
}

/** Runs the example with three instances, scales, stops one, ends it, and makes an animation of what README says of it. */
async function main(): Promise<void> {
  const ports = ['--dashboard-port', '--http-port', '--metrics-port', '--https-port'];
  const given = (await Promise.all(ports.map(async (port) => [port, String(await freePort())]))).flat();
  const program = ['-r', 'ts-node/register', 'cli.ts', 'start', '--scale', '3', ...given];
  const fairlead = spawn(process.execPath, program, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(fairlead, 'exit');
  const started = Date.now();
  const lines: Line[] = [{ at: 0, text: '$ npm start -- --scale 3', isTyped: true }];
  const note = (text: string, isTyped: boolean): void => {
    lines.push({ at: (Date.now() - started) / 1000, text: withUsualPorts(text, given), isTyped });
  };
  const reader = createInterface({ input: fairlead.stdout });
  reader.on('line', (line) => {
    note(line, false);
  });
  const said = async (text: string): Promise<void> => {
    while (!lines.some((line) => line.text.includes(text))) await once(reader, 'line');
  };
  const type = (text: string): void => {
    note(`> ${text}`, true);
    fairlead.stdin.write(`${text}\n`);
  };
  try {
    await said('Ctrl-C');
    await delay(1500);
    type('scale 5');
    await said('5 instances');
    await delay(1500);
    type('stop api-1');
    await said('api-1 is ending');
    await delay(4000);
    type('status');
    await delay(1500);
    note('^C', true);
  } finally {
    fairlead.kill('SIGINT');
    await exited;
  }
  writeFileSync(recording, animation(lines));
  const { size } = statSync(recording);
  if (size > largest) throw new Error(`${recording} has ${size} bytes: more than ${largest}`);
}

/** Those of README, whichever were free. */
function withUsualPorts(text: string, given: readonly string[]): string {
  const [, dashboard = '', , http = '', , metrics = '', , https = ''] = given;
  return text
    .replaceAll(dashboard, '9114')
    .replaceAll(http, '8080')
    .replaceAll(metrics, '9113')
    .replaceAll(https, '8443');
}

const [columns, rows] = [114, 24];
const [width, lineHeight, top] = [896, 17, 42];
const height = top + rows * lineHeight + 12;
/** In seconds: the longest time that nothing happens, and how long the end stays. */
const [longestPause, shownAtEnd] = [1.2, 4];

const style = `${textStyle}
  .window { fill: #0d1117; }
  text { font: 12.5px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #c9d1d9; white-space: pre; }
  .dim { fill: #8b949e; }
  .fairlead { fill: #ffffff; font-weight: 600; }
  .nginx { fill: #d2a8ff; }
  .api { fill: #79c0ff; }
  .typed { fill: #7ee787; }
  .button { fill: #30363d; }`;

/** All lines one below the other in a window that follows the last one. What moves nothing shows the end. */
function animation(lines: readonly Line[]): string {
  const shown = lines.flatMap(({ at, text, isTyped }) => wrapped(text).map((part) => ({ at, text: part, isTyped })));
  let [time, before] = [0.4, 0];
  const times = shown.map(({ at }) => {
    time += Math.min(longestPause, at - before);
    before = at;
    return time;
  });
  const whole = time + shownAtEnd;
  const percent = (seconds: number): string => ((100 * seconds) / whole).toFixed(2);
  const scrolled = (index: number): number => -lineHeight * Math.max(0, index + 1 - rows);
  const appear = times.map(
    (at, index) =>
      `@keyframes l${index} { 0%, ${percent(at)}% { opacity: 0 } ${percent(at + 0.01)}%, 100% { opacity: 1 } }`,
  );
  const scroll = times.map((at, index) => `${percent(at)}% { transform: translateY(${scrolled(index)}px) }`);
  const texts = shown.map(
    ({ text, isTyped }, index) =>
      `<text class="l${index}" x="16" y="${lineHeight * (index + 1) - 5}">${isTyped ? `<tspan class="typed">${xmlText(text)}</tspan>` : spans(text)}</text>`,
  );
  const rules = shown.map((_, index) => `.l${index} { animation: l${index} ${whole.toFixed(1)}s linear infinite }`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">npm start: three instances behind nginx, scaled to five while it runs; one is stopped; all end in order</title>
<style>${style}
.all { transform: translateY(${scrolled(shown.length - 1)}px) }
@media (prefers-reduced-motion: no-preference) {
.all { animation: scroll ${whole.toFixed(1)}s step-end infinite }
@keyframes scroll { 0% { transform: translateY(0) } ${scroll.join(' ')} 100% { transform: translateY(${scrolled(shown.length - 1)}px) } }
${[...appear, ...rules].join('\n')}
}
</style>
<rect class="window" width="${width}" height="${height}" rx="8"/>
<circle class="button" cx="20" cy="18" r="5"/><circle class="button" cx="38" cy="18" r="5"/><circle class="button" cx="56" cy="18" r="5"/>
<svg x="0" y="${top - 8}" width="${width}" height="${rows * lineHeight + 8}"><g class="all">
${texts.join('\n')}
</g></svg>
</svg>
`;
}

/** The colours that a terminal gives a line. */
function spans(line: string): string {
  const [, time, source = '', rest = ''] = /^(\d\d:\d\d:\d\d )([\w-]+ +)(.*)$/.exec(line) ?? [];
  if (time === undefined) return xmlText(line);
  const kind = /^(?:fairlead|nginx)/.exec(source)?.[0] ?? 'api';
  return `<tspan class="dim">${time}</tspan><tspan class="${kind}">${source}</tspan>${xmlText(rest)}`;
}

function wrapped(text: string): readonly string[] {
  return text === '' ? [''] : (text.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []);
}

if (require.main === module) void main();
