import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withFields } from '../../docs/access-log-table';
import { logFields } from '../../nginx/logging-section';

const page = readFileSync(resolve('docs/access-log.md'), 'utf8');

test('docs/access-log.md has the fields of the code (npm run docs:access-log)', () => {
  expect(withFields(page)).toBe(page);
});

test('the line that docs/access-log.md shows has these fields, in this order', () => {
  const [, line = ''] = /```json\n(\{.*\})\n```/.exec(page) ?? [];
  const names = Object.entries(logFields).flatMap(([name, { onlyWith }]) => (onlyWith === undefined ? [name] : []));
  expect(Object.keys(JSON.parse(line) as object)).toEqual(names);
});
