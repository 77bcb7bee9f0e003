import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Step } from '../../timeline/chain';
import { comparison, comparisonText, contradictions, measured } from '../../timeline/measured';
import { story } from '../../timeline/story';
import { withoutDnsCache } from './configurations';
import { runResults } from './run-results';

const notReady: Step = { at: { from: 40, to: 60 }, what: '', movedBy: [], moment: 'node-dies.not-ready' };

describe("The run's file", () => {
  let directory: string;
  let file: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'fairlead-measured-'));
    file = join(directory, 'reliability.json');
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test('may not be there yet', () => {
    expect(measured(file)).toBeUndefined();
  });

  test('gives the times of all scenarios that measured a moment', () => {
    writeFileSync(
      file,
      runResults({ 'proxy-ends.gone': [6] }, {}, { 'proxy-ends.gone': [7.5, 8], 'node-dies.not-ready': [44] }),
    );
    expect(measured(file)).toEqual({ 'proxy-ends.gone': [6, 7.5, 8], 'node-dies.not-ready': [44] });
  });

  test.each(['', '[{', '[]', '{}', '{"scenarios": 1}', 'null'])('%j is refused in one line', (content) => {
    writeFileSync(file, content);
    expect(() => measured(file)).toThrow(new Error(`${file}: is not what the reliability run writes: run it again`));
  });
});

describe('A measured time', () => {
  const outside = (...seconds: readonly number[]) => comparison(notReady, { 'node-dies.not-ready': seconds })?.outside;

  test('is compared with the computed one, with a second to spare', () => {
    expect(outside(40, 60)).toBe(false);
    expect(outside(39, 61)).toBe(false);
    expect(outside(38.9, 50)).toBe(true);
    expect(outside(50, 61.1)).toBe(true);
  });

  test('says from when to when, and how often', () => {
    const text = (...seconds: readonly number[]) => {
      const compared = comparison(notReady, { 'node-dies.not-ready': seconds });
      return compared === undefined ? undefined : comparisonText(compared);
    };
    expect(text(47.04, 45.26, 46)).toBe('measured 45.3 to 47 s (3 times)');
    expect(text(45)).toBe('measured 45 s (once)');
    expect(text()).toBeUndefined();
  });

  test('says nothing of a step that has no moment, or another one', () => {
    const { moment, ...withoutMoment } = notReady;
    expect(moment).toBe('node-dies.not-ready');
    expect(comparison(withoutMoment, { 'node-dies.not-ready': [1] })).toBeUndefined();
    expect(comparison(notReady, { 'proxy-ends.gone': [1] })).toBeUndefined();
  });

  test('that contradicts the model is named, with both', () => {
    const chains = story([withoutDnsCache]);
    expect(contradictions(chains, { 'node-dies.not-ready': [45], 'proxy-ends.gone': [12] })).toEqual([]);
    expect(contradictions(chains, { 'node-dies.not-ready': [45, 75], 'proxy-ends.gone': [3] })).toEqual([
      'node-dies.not-ready: measured 45 to 75 s (2 times), computed 40 to 60 s',
      'proxy-ends.gone: measured 3 s (once), computed 5 to 42 s',
    ]);
  });
});
