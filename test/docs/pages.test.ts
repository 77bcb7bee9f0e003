import { readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { anchorsOf, blocksOf, isThere, linksOf, page, pagePaths } from './support/pages';

const { scripts } = JSON.parse(readFileSync(resolve('package.json'), 'utf8')) as { scripts: Record<string, string> };

test.each(pagePaths)('every link of %s leads to something', (path) => {
  const broken = linksOf(path).filter(({ target }) => {
    if (/^[a-z]+:/.test(target)) return !/^https:\/\/[\w.-]+\.[a-z]{2,}(?:\/|$)/.test(target);
    const [file = '', anchor] = target.split('#');
    const to = file === '' ? path : posix.join(posix.dirname(path), file);
    return !isThere(to) || (anchor !== undefined && !(to.endsWith('.md') && anchorsOf(to).has(anchor)));
  });
  expect(broken).toEqual([]);
});

test('docs/README.md lists every page, and README leads to it', () => {
  const listed = linksOf('docs/README.md').map(({ target }) => join('docs', target));
  // It is a part of reliability.md.
  const others = ['docs/README.md', 'docs/reliability-notes.md'];
  const pages = pagePaths.filter((path) => path.startsWith('docs/') && !others.includes(path));
  expect(pages.filter((path) => !listed.includes(path))).toEqual([]);
  expect(linksOf('README.md').map(({ target }) => target)).toContain('docs/README.md');
});

test('every block has a language that a reader is told', () => {
  const known = ['ts', 'sh', 'yaml', 'json', 'dockerfile', 'text'];
  const others = pagePaths.flatMap((path) =>
    page(path)
      .blocks.filter(({ language }) => !known.includes(language))
      .map(({ line }) => `${path}:${line}`),
  );
  expect(others).toEqual([]);
});

test('every block of YAML and JSON can be read', () => {
  const blocks = blocksOf('yaml', 'json');
  expect(blocks.length).toBeGreaterThan(5);
  for (const { at, text } of blocks) {
    const documents = parseAllDocuments(text, { uniqueKeys: true });
    const problems = [...documents].flatMap(({ errors, warnings }) => [...errors, ...warnings]);
    expect([at, problems.map(({ message }) => message)]).toEqual([at, []]);
  }
});

test('every "npm run" of the pages is a script', () => {
  const named = pagePaths.flatMap((path) => {
    const { blocks, prose } = page(path);
    const text = [...blocks.filter(({ language }) => language === 'sh'), ...prose].map((part) => part.text).join('\n');
    return [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, script = '']) => `${path}: ${script}`);
  });
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((each) => !((each.split(': ')[1] ?? '') in scripts))).toEqual([]);
});
