import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { knownProps } from '../../charts/model';
import { optionsPage } from '../../docs/options-page';

test('docs/options.md says what the sources say (npm run docs:options)', () => {
  expect(readFileSync(resolve(__dirname, '../../docs/options.md'), 'utf8')).toBe(optionsPage());
});

test('every option is on the page', () => {
  for (const option of knownProps.filter((name) => name !== 'container'))
    expect(optionsPage()).toContain(`### \`${option}\``);
});
