import { alertRules } from '../../../charts/proxy/alert-rules';
import type { DashboardModel } from '../../../charts/proxy/grafana/alert-panel';
import { grafanaDashboard } from '../../../charts/proxy/grafana/grafana-dashboard';
import { metricFamilies, type MetricFamily } from '../../../nginx/metrics/metric-families';

const model: DashboardModel = {
  namespace: 'shop',
  proxy: 'shop/edge',
  title: 'fairlead shop/edge',
  interval: 30,
  availability: 99.9,
  latency: 1,
  certificateEnds: 14 * 24 * 60 * 60,
  runbooks: undefined,
};
const shown = grafanaDashboard(model);
const panels = shown.panels.filter(({ type }) => type !== 'row');
const queries = panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));
const families = metricFamilies as Readonly<Record<string, MetricFamily | undefined>>;

/** What Prometheus adds to each series, and how it says of its targets itself whether they answer. */
const ofPrometheus = ['namespace', 'job'];
const targetsAnswer = 'up';

/** The family that a name of an expression is of; undefined if there is none, or if none of its series is called so. */
function familyOf(name: string): MetricFamily | undefined {
  const bucketed = families[name.replace(/_bucket$/, '')];
  if (bucketed?.type === 'histogram') return name.endsWith('_bucket') ? bucketed : undefined;
  return families[name];
}

function labelsIn(list: string): string[] {
  return list.split(', ').filter((label) => label !== '');
}

test.each(queries.map(({ title, legendFormat, expr }) => [title, legendFormat, expr] as const))(
  '%s, %s: asks for metrics and labels that nginx serves, of the chosen proxy alone',
  (_title, legend, expression) => {
    const named = [...expression.matchAll(/\b(fairlead_\w+|up)\{([^}]*)\}/g)];
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter(([, name]) => name !== targetsAnswer)).toHaveLength(
      [...expression.matchAll(/\bfairlead_\w+/g)].length,
    );
    const known = ['le'];
    for (const [, name = '', selector = ''] of named) {
      const labels = [...selector.matchAll(/(\w+)(?:=~|!=|=)"/g)].map(([, label = '']) => label);
      const served = name === targetsAnswer ? [] : familyOf(name)?.labels;
      expect([name, served]).not.toEqual([name, undefined]);
      known.push(...(served ?? []));
      expect(selector).toMatch(/^namespace="\$namespace",job="\$proxy"(?:,|$)/);
      expect(labels.filter((label) => ![...ofPrometheus, ...(served ?? [])].includes(label))).toEqual([]);
    }
    const groups = [...expression.matchAll(/\b(?:by|on|ignoring) \(([^)]*)\)/g)];
    expect(groups.flatMap(([, list = '']) => labelsIn(list)).filter((label) => !known.includes(label))).toEqual([]);
    const sums = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => labelsIn(list));
    const inLegend = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    expect(inLegend.filter((label) => !sums.includes(label))).toEqual([]);
  },
);

test('every variable of an expression is chosen above the panels, and every one that is chosen is in an expression', () => {
  const used = new Set(queries.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name)));
  const [source, ...chosen] = shown.templating.list.map(({ name }) => name);
  expect(source).toBe('datasource');
  expect([...used].sort()).toEqual(['__rate_interval', ...chosen].sort());
});

test('variables are the values of labels that are there, with the own proxy chosen at first', () => {
  const [source, ...chosen] = shown.templating.list;
  expect(source).toMatchObject({ type: 'datasource', query: 'prometheus' });
  expect(chosen.map(({ name, current }) => [name, current.value])).toEqual([
    ['namespace', 'shop'],
    ['proxy', 'shop/edge'],
    ['backend', ['$__all']],
  ]);
  for (const { name, query, definition } of chosen) {
    const { query: text } = query as { readonly query: string };
    expect(definition).toBe(text);
    const [, family = '', label = ''] = /^label_values\((fairlead_\w+)(?:\{.*\})?, (\w+)\)$/.exec(text) ?? [];
    const labels = familyOf(family)?.labels;
    expect([name, labels]).not.toEqual([name, undefined]);
    expect([...ofPrometheus, ...(labels ?? [])]).toContain(label);
  }
});

test('no data source is named but the one that is chosen', () => {
  const ids = [...JSON.stringify(shown).matchAll(/"uid":"([^"]*)"/g)].map(([, uid]) => uid);
  expect(new Set(ids)).toEqual(new Set([shown.uid, '${datasource}']));
});

test('the dashboard has an id of its own, which follows from namespace and name alone', () => {
  const longest = grafanaDashboard({ ...model, proxy: `${'n'.repeat(63)}/${'p'.repeat(63)}` });
  expect(longest.uid.length).toBeLessThanOrEqual(40);
  expect(longest.uid).not.toBe(shown.uid);
  expect(grafanaDashboard({ ...model, title: 'Shop', availability: 99 }).uid).toBe(shown.uid);
  expect(shown.uid).toMatch(/^[\w-]+$/);
});

test('panels have a title of their own, a text that says what to do, and a place that no other has', () => {
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  expect(new Set(shown.panels.map(({ id }) => id)).size).toBe(shown.panels.length);
  const taken = new Set<string>();
  for (const { title, type, description = '', gridPos } of shown.panels) {
    const { x, y, w, h } = gridPos;
    expect([title, x + w <= 24]).toEqual([title, true]);
    if (type !== 'row') expect([title, description.length > 80]).toEqual([title, true]);
    for (let column = x; column < x + w; column += 1) {
      for (let line = y; line < y + h; line += 1) {
        expect([title, taken.has(`${column} ${line}`)]).toEqual([title, false]);
        taken.add(`${column} ${line}`);
      }
    }
  }
});

test('every alert has a panel that leads to its runbook', () => {
  const alerts = new Set(alertRules({ ...model, selector: 'job="shop/edge"' }).map(({ alert }) => alert.toLowerCase()));
  const said = panels.map(({ description = '' }) => /docs\/runbooks\.md#(\w+) of fairlead\.$/.exec(description)?.[1]);
  expect(new Set(said.filter((alert) => alert !== undefined))).toEqual(alerts);
  const linked = grafanaDashboard({ ...model, runbooks: 'https://wiki.example.com/fairlead' });
  const urls = linked.panels.flatMap(({ links = [] }) => links.map(({ url }) => url));
  expect(new Set(urls)).toEqual(new Set([...alerts].map((alert) => `https://wiki.example.com/fairlead#${alert}`)));
  expect(JSON.stringify(linked)).not.toContain('docs/runbooks.md');
});

test('lines are drawn where alerts call', () => {
  const of = (given: Partial<DashboardModel>, title: string): string =>
    JSON.stringify(grafanaDashboard({ ...model, ...given }).panels.find((panel) => panel.title === title));
  expect(of({ availability: 99.5 }, 'Errors')).toContain('"value":0.005');
  expect(of({ availability: 99.999 }, 'Error budget left')).toContain(' / 0.00001"');
  expect(of({ latency: 2 }, 'What requests take')).toContain('"value":2');
  expect(of({ certificateEnds: 3600 }, 'Ends of certificates')).toContain('"value":3600');
  expect(of({ interval: 60 }, 'Requests')).toContain('"interval":"60s"');
  expect(of({ interval: undefined }, 'Requests')).not.toContain('"interval"');
});
