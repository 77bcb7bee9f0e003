import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withFields } from '../../docs/access-log-table';
import { type LogFieldName, logFields } from '../../model/access-log/fields';

const page = readFileSync(resolve('docs/access-log.md'), 'utf8');

test('docs/access-log.md has the fields of the code (npm run docs:access-log)', () => {
  expect(withFields(page)).toBe(page);
});

test('the line that docs/access-log.md shows has these fields, in this order', () => {
  const [, line = ''] = /```json\n(\{.*\})\n```/.exec(page) ?? [];
  const names = (Object.keys(logFields) as LogFieldName[]).filter((name) => logFields[name].onlyWith === undefined);
  expect(Object.keys(JSON.parse(line) as object)).toEqual(names);
});
