import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { commandsPage } from '../../docs/commands-page';

const root = resolve(__dirname, '../..');

test('docs/commands.md says what the sources say (npm run docs:commands)', () => {
  expect(readFileSync(resolve(root, 'docs/commands.md'), 'utf8')).toBe(commandsPage());
});

test('the page names scripts of npm that run the same', () => {
  const { scripts } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const rows = [...commandsPage().matchAll(/^\| \[`fairlead ([\w ]+)`\]\(\S+\) \| `npm (?:run )?(\S+)` \|/gm)];
  expect(rows.length).toBeGreaterThan(5);
  for (const [, command = '', script = ''] of rows) {
    expect(scripts[script]).toBe(`exec node -r ts-node/register cli.ts ${command}`);
  }
});
