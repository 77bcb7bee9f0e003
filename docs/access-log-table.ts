import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DocumentedField,
  grpcOption,
  type LogFieldName,
  logFields,
  omittableFields,
  sampleOption,
} from '../model/access-log/fields';

const page = join(__dirname, 'access-log.md');
const [before, after] = ['<!-- fields: made by npm run docs:access-log -->\n', '<!-- end of fields -->'];

/** What has the option that a field is there with. */
const owners: Readonly<Record<NonNullable<DocumentedField['onlyWith']>, string>> = {
  cache: 'a route',
  'Auth.clientCertificate': 'a route',
  traceContext: 'the proxy',
  [grpcOption]: 'a backend',
  [sampleOption]: 'the proxy',
};

/** The page with the table of fields as the code has it. */
export function withFields(text: string): string {
  const [start, end] = [text.indexOf(before) + before.length, text.indexOf(after)];
  if (start < before.length || end < start) throw new Error('docs/access-log.md has no place for its fields');
  return `${text.slice(0, start)}\n${table()}\n${text.slice(end)}`;
}

function table(): string {
  const rows = (Object.keys(logFields) as LogFieldName[]).map((name) => {
    const { help, onlyWith } = logFields[name];
    const only = onlyWith === undefined ? '' : ` Only where ${owners[onlyWith]} has \`${onlyWith}\`.`;
    const isOmittable = (omittableFields as readonly string[]).includes(name);
    return `| \`${name}\` | ${help}${only} | ${isOmittable ? 'yes' : ''} |\n`;
  });
  return `| field | what it says | may be left out |\n|---|---|---|\n${rows.join('')}`;
}

if (require.main === module) writeFileSync(page, withFields(readFileSync(page, 'utf8')));
