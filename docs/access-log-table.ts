import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { grpcOption, type LogFieldName, logFields, omittableFields, sampleOption } from '../model/access-log/fields';

const page = join(__dirname, 'access-log.md');
const [before, after] = ['<!-- fields: made by npm run docs:access-log -->\n', '<!-- end of fields -->'];

/** The page with the table of fields as the code has it. */
export function withFields(text: string): string {
  const [start, end] = [text.indexOf(before) + before.length, text.indexOf(after)];
  if (start < before.length || end < start) throw new Error('docs/access-log.md has no place for its fields');
  return `${text.slice(0, start)}\n${table()}\n${text.slice(end)}`;
}

function table(): string {
  const rows = (Object.keys(logFields) as LogFieldName[]).map((name) => {
    const { help, onlyWith } = logFields[name];
    const only = onlyWith === undefined ? '' : ` Only where ${whose(onlyWith)} has \`${onlyWith}\`.`;
    const isOmittable = (omittableFields as readonly string[]).includes(name);
    return `| \`${name}\` | ${help}${only} | ${isOmittable ? 'yes' : ''} |\n`;
  });
  return `| field | what it says | may be left out |\n|---|---|---|\n${rows.join('')}`;
}

function whose(option: string): string {
  if (option === sampleOption) return 'the proxy';
  return option === grpcOption ? 'a backend' : 'a route';
}

if (require.main === module) writeFileSync(page, withFields(readFileSync(page, 'utf8')));
