import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { cacheDirectory } from '../../../local/find-nginx/cache-directory';

const { XDG_CACHE_HOME: given } = process.env;

afterEach(() => {
  if (given === undefined) Reflect.deleteProperty(process.env, 'XDG_CACHE_HOME');
  else process.env.XDG_CACHE_HOME = given;
});

test('what takes long to make is kept where docs/local.md says', () => {
  Reflect.deleteProperty(process.env, 'XDG_CACHE_HOME');
  const named = cacheDirectory().replace(homedir(), '~');
  const page = readFileSync('docs/local.md', 'utf8').replaceAll(/\s+/g, ' ');
  expect(page).toContain(`unpacked into \`${named}\``);
  expect(page).toContain(`kept in \`${named}/certificates\` (below \`XDG_CACHE_HOME\``);
  expect(page).not.toMatch(/(?:unpacked into|kept in) `\.fairlead/);
});

test.each([
  ['/var/cache', '/var/cache/fairlead'],
  ['cache', `${homedir()}/.cache/fairlead`],
])('with XDG_CACHE_HOME=%s it is kept in %s', (value, expected) => {
  process.env.XDG_CACHE_HOME = value;
  expect(cacheDirectory()).toBe(expected);
});
