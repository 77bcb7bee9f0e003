import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeReport } from '../../../reliability/report/report';
import { run, scenario } from '../scenario';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-report-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('the page, the figures and a chart for each scenario are written, and every chart that the page shows is there', () => {
  writeReport(directory, run, [scenario(), scenario({ name: 'drain', title: 'Drain' })]);
  expect(readdirSync(directory).sort()).toEqual(['reliability', 'reliability.json', 'reliability.md']);
  expect(readdirSync(join(directory, 'reliability')).sort()).toEqual(['drain.svg', 'rollout-api.svg']);
  const page = readFileSync(join(directory, 'reliability.md'), 'utf8');
  const charts = [...page.matchAll(/\]\((reliability\/[^)]+)\)/g)].map(([, file = '']) => file);
  expect(charts).toHaveLength(2);
  for (const file of charts) expect(existsSync(join(directory, file))).toBe(true);
});

test('what a person wrote survives another run', () => {
  const notes = join(directory, 'reliability-notes.md');
  writeFileSync(notes, 'A POST remains.\n');
  writeReport(directory, run, [scenario()]);
  writeReport(directory, run, [scenario({ sent: 7 })]);
  expect(readFileSync(notes, 'utf8')).toBe('A POST remains.\n');
  expect(readFileSync(join(directory, 'reliability.md'), 'utf8')).toContain(
    '## What remains, and why\n\nA POST remains.\n',
  );
});

test('a name that would lead elsewhere writes nothing', () => {
  expect(() => {
    writeReport(directory, run, [scenario({ name: '../x' })]);
  }).toThrow('is not a DNS label');
  expect(readdirSync(directory)).toEqual([]);
});
