import { reliabilityReport } from '../../../reliability/report/report';
import { run, scenario } from '../scenario';

test('the scenarios stand in the tables of their groups, in the order of the groups, with well-formed numbers', () => {
  const page = reliabilityReport(run, [
    scenario({ name: 'bad-certificate', title: 'Broken certificate', group: 'wrong input' }),
    scenario({ name: 'web-sockets', title: 'WebSockets', group: 'long connections' }),
    scenario({
      name: 'node-lost',
      title: 'Node lost',
      group: 'faults',
      sent: 12_345,
      answered: 12_334,
      lostGet: 1,
      lostPostSent: 7,
      lostPostNotSent: 3,
      latency: { p50: 0.4, p99: 1234.4, max: Number.NaN },
      recovery: undefined,
    }),
    scenario(),
  ]);
  const headings = [...page.matchAll(/^##+ (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual([
    'Results',
    ...['Operations', 'Faults', 'Long connections', 'Wrong input'],
    'Scenarios',
    ...['Rollout of the API', 'Node lost', 'WebSockets', 'Broken certificate'],
  ]);
  expect(page).toContain(
    '| scenario | sent | of these HTTP/2 | answered | lost GET | lost POST, sent | lost POST, not sent | repeated | p50 ms | p99 ms | max ms | as before after |',
  );
  expect(page).toContain(
    '| [Rollout of the API](#rollout-api) | 6,032 | 3,016 | 6,032 | 0 | 0 | 0 | 7 | 2 | 12 | 58 | 2.3 s |',
  );
  expect(page).toContain(
    '| [Node lost](#node-lost) | 12,345 | 3,016 | 12,334 | 1 | 7 | 3 | 7 | < 1 | 1,234 | – | never |',
  );
});

test('attacks have a second table, of what they took and what was done', () => {
  const page = reliabilityReport(run, [
    scenario({
      group: 'attacks',
      attack: {
        achieved: '5,000 connections tried | 503 × 904',
        latency: { p50: 2, p99: 17.2, max: 30 },
        memory: 307 * 2 ** 20,
        memoryLimit: 384 * 2 ** 20,
        disk: 0,
        diskLimit: 2 ** 30,
        restarts: 1,
        killed: 2,
      },
    }),
  ]);
  expect(page).toContain('### Attacks');
  expect(page).toContain(
    '| [Rollout of the API](#rollout-api) | 10 | 17 | 307 MiB | 384 MiB | 0 MiB | 1,024 MiB | 2 | 1 | 5,000 connections tried \\| 503 × 904 |',
  );
  expect(reliabilityReport(run, [scenario()])).not.toContain('most memory');
});

test('a group has its totals and its table; one without scenarios has none', () => {
  const page = reliabilityReport(run, [scenario({ sent: 6032, answered: 6032 })]);
  expect(page).toContain(
    '### Operations\n\n**1 scenario, 6,032 requests sent, 6,032 answered, 0 lost**; over HTTP/2 3,016 of these, 7 repeated and 0 lost.\n\n| scenario |',
  );
  expect(page).not.toContain('### Faults');
});

test('the summary adds up all requests, all lost ones and what was reached, and links what was not', () => {
  const page = reliabilityReport(run, [
    scenario({ lostGet: 1, answered: 6031 }),
    scenario({
      name: 'drain',
      title: 'Drain',
      sent: 100,
      answered: 95,
      lostPostSent: 3,
      lostPostNotSent: 2,
      judgements: [
        { text: 'no request lost', reached: false },
        { text: 'p99', reached: true },
      ],
    }),
  ]);
  expect(page).toContain(
    '**2 scenarios, 6,132 requests sent, 6,126 answered, 6 lost**; over HTTP/2 6,032 of these, 14 repeated and 0 lost (1 GET, 3 POST of which',
  );
  expect(page).toContain('2 POST of which nothing had).');
  expect(page).toContain('2 of 3 figures that were asked for were reached. Not all was reached in: [Drain](#drain).');
});

test('a scenario has its description, chart, numbered events, notes and judgements', () => {
  const page = reliabilityReport(run, [
    scenario({
      events: [
        { second: 10, text: 'killed' },
        { second: 40.26, text: 'back' },
      ],
      judgements: [
        { text: 'none lost', reached: true },
        { text: 'p99', reached: false },
      ],
    }),
  ]);
  const section = page.slice(page.indexOf('<a id="rollout-api"></a>'));
  for (const text of [
    '### Rollout of the API',
    'A new version of the API replaces every pod.',
    '100 requests a second. Before the first event: p50 2 ms, p99 10 ms, max 22 ms. From then on: p50 2 ms, p99 12 ms, max 58 ms. As before after 2.3 s.',
    'HTTP/1.1: 3,016 sent, 0 lost, p50 2 ms, p99 11 ms, max 51 ms. HTTP/2: 3,016 sent, 0 lost, 7 repeated, p50 2 ms, p99 14 ms, max 58 ms.',
    '](reliability/rollout-api.svg)',
    '1. 10.0 s: killed\n2. 40.3 s: back',
    '- longest gap: 0.2 s',
    '- ✅ reached: none lost\n- ❌ **not reached**: p99',
  ]) {
    expect(section).toContain(text);
  }
});

test('lists that are empty have no heading', () => {
  const page = reliabilityReport(run, [scenario({ events: [], notes: [], judgements: [] })]);
  for (const heading of ['Events, by', 'Noted:', 'Asked of it:']) expect(page).not.toContain(heading);
});

test('the introduction has the facts of the run and the usual rate', () => {
  const one = reliabilityReport(run, [scenario()]);
  expect(one).toContain(
    '2026-01-31, Kubernetes 1.34.4, 3 nodes, all on one machine with 2 cores, 1 h 12 min, by `npm run reliability`.',
  );
  expect(one).toContain('open-loop: 100 requests a second are sent');
  const two = reliabilityReport({ ...run, command: 'a `b`' }, [
    scenario({ name: 'a' }),
    scenario({ name: 'b', rate: 300 }),
    scenario({ name: 'c' }),
  ]);
  expect(two).toContain('open-loop: 100 requests a second, where a scenario says nothing else, are sent');
  expect(two).toContain('by `` a `b` ``.');
});

test('what a person wrote is included as it is, and without it there is no heading', () => {
  const notes = '\nA POST to a *hung* pod.\n\n| a | b |\n|---|---|\n';
  expect(reliabilityReport(run, [scenario()], notes)).toContain(
    '\n\n## What remains, and why\n\nA POST to a *hung* pod.\n\n| a | b |\n|---|---|\n\n## Scenarios\n',
  );
  for (const none of [undefined, '', ' \n']) {
    expect(reliabilityReport(run, [scenario()], none)).not.toContain('What remains');
  }
});

test('a value cannot break a table, a list or a line', () => {
  const title = 'A | B\n## C <b> [x](y) *z*';
  const page = reliabilityReport(run, [
    scenario({
      title,
      notes: [{ name: '- item', value: '`code` and `a|b`' }],
      events: [{ second: 1, text: '3. x\r\ny' }],
    }),
  ]);
  const row = page.split('\n').find((line) => line.startsWith('| [A'));
  // Twelve cells: thirteen bars that are not escaped.
  expect(row?.replaceAll(/\\./g, '').split('|')).toHaveLength(14);
  expect(page).toContain(String.raw`### A \| B ## C \<b\> \[x\](y) \*z\*`);
  expect(page).toContain('- \\- item: `code` and \\`a\\|b\\`');
  expect(page).toContain('1. 1.0 s: 3\\. x y');
  expect(page).not.toMatch(/^## C/m);
});

test('the same results give the same page', () => {
  expect(reliabilityReport(run, [scenario()])).toBe(reliabilityReport({ ...run }, [scenario()]));
});

test.each([
  ['../etc', 'name of a scenario: "../etc" is not a DNS label'],
  ['a"b', String.raw`name of a scenario: "a\"b" is not a DNS label`],
])('a scenario called %s is refused, as its name becomes a file name', (name, message) => {
  expect(() => reliabilityReport(run, [scenario({ name })])).toThrow(message);
});

test('two scenarios with one name are refused', () => {
  expect(() => reliabilityReport(run, [scenario(), scenario()])).toThrow('two scenarios are called rollout-api');
});

test('GETs that waited on what hung have a row of their own', () => {
  const waited = { sent: 4, answered: 3, longest: 20.04, bound: 56 };
  const lines = reliabilityReport(run, [scenario({ waited })]).split('\n');
  const own = lines.findIndex((line) => line.startsWith('| [Rollout of the API]'));
  expect(lines[own + 1]).toBe(
    '| ↳ GETs that waited on what hung (bound: 56.0 s) | 4 |  | 3 | 1 |  |  |  |  |  | 20,040 |  |',
  );
});
