import { reliabilityJson } from '../../../reliability/report/report-json';
import type { ScenarioResult } from '../../../reliability/scenario-result';
import { run, scenario } from '../scenario';

/** The same value with all keys in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

test('it is JSON that has the results as they are', () => {
  const parsed: unknown = JSON.parse(reliabilityJson(run, [scenario()]));
  expect(parsed).toEqual({ run, scenarios: [scenario()] });
});

test('the order of keys does not depend on how a result was made', () => {
  const measured = { 'node-dies.not-ready': [40], 'api-pod-ends.gone': [12.5] };
  const one = scenario({ measured });
  expect(reliabilityJson(run, [reversed(one) as ScenarioResult])).toBe(reliabilityJson(run, [one]));
  const text = reliabilityJson(run, [one]);
  expect(text.indexOf('api-pod-ends.gone')).toBeLessThan(text.indexOf('node-dies.not-ready'));
});

test('what is not a number is null, and the key stays', () => {
  const text = reliabilityJson(run, [
    scenario({ latency: { p50: Number.NaN, p99: Number.POSITIVE_INFINITY, max: 1.23456 }, recovery: undefined }),
  ]);
  expect(text).not.toMatch(/NaN|Infinity|undefined/);
  expect(JSON.parse(text)).toMatchObject({
    scenarios: [{ latency: { p50: null, p99: null, max: 1.235 }, recovery: null }],
  });
});

test('each second stands on a line of its own, and text is escaped', () => {
  const text = reliabilityJson(run, [scenario({ title: 'a "b"\n' })]);
  expect(
    text.match(/^ +\{ "second": \d+, "sent": 100, "lost": 0, "p50": 2, "p99": 12, "max": 40 \},?$/gm),
  ).toHaveLength(60);
  expect(text).toContain(String.raw`"title": "a \"b\"\n"`);
});

test('no scenario is an empty list', () => {
  expect(JSON.parse(reliabilityJson(run, []))).toEqual({ run, scenarios: [] });
});
