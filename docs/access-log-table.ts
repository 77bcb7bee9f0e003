import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { grpcOption, logFields } from '../nginx/logging-section';

const page = join(__dirname, 'access-log.md');
const [before, after] = ['<!-- fields: made by npm run docs:access-log -->\n', '<!-- end of fields -->'];

/** The page with the table of fields as the code has it. */
export function withFields(text: string): string {
  const [start, end] = [text.indexOf(before) + before.length, text.indexOf(after)];
  if (start < before.length || end < start) throw new Error('docs/access-log.md has no place for its fields');
  return `${text.slice(0, start)}\n${table()}\n${text.slice(end)}`;
}

function table(): string {
  const rows = Object.entries(logFields).map(
    ([name, { help, onlyWith }]) =>
      `| \`${name}\` | ${help}${onlyWith === undefined ? '' : ` Only where a ${onlyWith === grpcOption ? 'backend' : 'route'} has \`${onlyWith}\`.`} |\n`,
  );
  return `| field | what it says |\n|---|---|\n${rows.join('')}`;
}

if (require.main === module) writeFileSync(page, withFields(readFileSync(page, 'utf8')));
