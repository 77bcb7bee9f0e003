import { labelRows, scenarioChart } from '../../../reliability/report/chart';
import { lostMarks } from '../../../reliability/report/chart-series';
import type { Second } from '../../../reliability/scenario-result';
import { scenario } from '../scenario';

/** Elements open and close in order, attributes are quoted, and nothing else is between < and >. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const rest = svg.replaceAll(
    /<(\/?)([a-z]+)((?: [a-z0-9-]+="[^"<]*")*)(\/?)>/gi,
    (_, closing, name: string, _a, self) => {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (self !== '/') open.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot);)/);
}

test('it is a small SVG with a title and a role, without scripts and with numbers everywhere', () => {
  const svg = scenarioChart(scenario());
  expectWellFormed(svg);
  expect(svg).toMatch(
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="760" height="\d+" [^>]*role="img" aria-labelledby="title">/,
  );
  expect(svg).toContain(
    '<title id="title">Rollout of the API: latency over 60 seconds, with 1 event; none of 6,032 requests lost</title>',
  );
  expect(svg).not.toMatch(/<script|\bon\w+=|href|NaN|Infinity|undefined/);
  expect(Buffer.byteLength(svg)).toBeLessThan(20_000);
});

test('a latency ten times as long lies one step of the axis higher, and an unusually long one makes the axis longer', () => {
  const heights = (max: number) => {
    const svg = scenarioChart(scenario({ seconds: [{ second: 0, sent: 1, lost: 0, p50: 10, max }] }));
    return [/class="p50" d="M[\d.]+ ([\d.]+)h0"/, /class="max" d="M[\d.]+ ([\d.]+)h0"/].map((path) =>
      Number(path.exec(svg)?.[1]),
    );
  };
  const [ten = 0, hundred = 0] = heights(100);
  const [, thousand = 0] = heights(1000);
  expect(ten - hundred).toBeCloseTo(hundred - thousand, 0);
  expect(ten).toBeGreaterThan(hundred);
  expect(scenarioChart(scenario())).not.toContain('>10 s<');
  expect(scenarioChart(scenario({ seconds: [{ second: 0, sent: 1, lost: 0, max: 1001 }] }))).toContain('>10 s<');
});

test('where nothing was answered, the line is broken', () => {
  const seconds: Second[] = [0, 1, 2, 3, 4].map((second) =>
    second === 2 ? { second, sent: 1, lost: 1 } : { second, sent: 1, lost: 0, p50: 2, max: 3 },
  );
  const path = /class="p50" d="([^"]*)"/.exec(scenarioChart(scenario({ seconds })))?.[1];
  expect(path?.match(/[ML]/g)).toEqual(['M', 'L', 'M', 'L']);
});

test('a figure that is not a number is left out', () => {
  const seconds = [{ second: 0, sent: 1, lost: 1, p50: Number.NaN, p99: Number.NaN, max: Number.NaN }];
  expect(scenarioChart(scenario({ seconds }))).not.toContain('NaN');
});

test('a scenario without seconds and events is an empty chart', () => {
  const svg = scenarioChart(scenario({ seconds: [], events: [] }));
  expectWellFormed(svg);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test('text is escaped', () => {
  const svg = scenarioChart(scenario({ title: '<script>"&\u0000', events: [{ second: 1, text: '</title><script>' }] }));
  expectWellFormed(svg);
  expect(svg).toContain('&lt;script&gt;&quot;&amp;\uFFFD');
});

test('every event has its number, and an event after the last second is in the chart too', () => {
  const events = [1, 1.2, 1.3, 90].map((second) => ({ second, text: `at ${second}` }));
  const svg = scenarioChart(scenario({ events }));
  expect([...svg.matchAll(/>(\d+)<\/text><\/g>/g)].map(([, number]) => number)).toEqual(['1', '2', '3', '4']);
  const [x = Number.NaN] = [...svg.matchAll(/<line class="event" x1="([\d.]+)"/g)]
    .map(([, at]) => Number(at))
    .slice(-1);
  expect(x).toBeLessThanOrEqual(746);
});

test('numbers of events never cover each other', () => {
  const labels = [100, 100, 103, 110, 300, 90, 304, 316].map((x) => ({ x, width: 16 }));
  const rows = labelRows(labels);
  labels.forEach((one, i) => {
    labels.slice(i + 1).forEach((other, j) => {
      if (rows[i] === rows[i + 1 + j]) expect(Math.abs(one.x - other.x)).toBeGreaterThanOrEqual(16);
    });
  });
  expect(
    labelRows([
      { x: 10, width: 16 },
      { x: 50, width: 16 },
    ]),
  ).toEqual([0, 0]);
});

test('lost requests are marked second by second, and those that are near share a number', () => {
  const second = (at: number, lost: number): Second => ({ second: at, sent: 100, lost });
  const groups = lostMarks([second(0, 0), second(1, 3), second(2, 4), second(50, 1200)], (at) => at * 10);
  expect(groups.map(({ lost, text, xs }) => ({ lost, text, marks: xs.length }))).toEqual([
    { lost: 7, text: '7', marks: 2 },
    { lost: 1200, text: '1,200', marks: 1 },
  ]);
  const svg = scenarioChart(scenario({ seconds: [second(0, 0), second(1, 3), second(2, 4), second(50, 1200)] }));
  expect(svg.match(/<path class="lost" d="M[\d.]+ [\d.]+l6 6m0 -6l-6 6"\/>/g)).toHaveLength(4);
  expect(svg).toContain('>1,200</text>');
});

test('the same result gives the same chart', () => {
  expect(scenarioChart(scenario())).toBe(scenarioChart(scenario()));
});
