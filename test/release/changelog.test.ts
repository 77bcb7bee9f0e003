import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { changelogSection, releaseNotes } from '../../release/changelog';

const changelog = `# Changelog

All notable changes.

## 1.10.0 (unreleased)

## 1.1.0 (2026-12-01)

- One thing ([more](docs/one.md#how), [elsewhere](https://example.com/a), [here](#110)).

### Details

- Another.

## 1.0.0 (2026-11-01)

- The first.
`;

test('a version has the section of its heading, to the next one', () => {
  expect(changelogSection(changelog, '1.0.0')).toEqual({ heading: '1.0.0 (2026-11-01)', text: '- The first.' });
  const { heading, text } = changelogSection(changelog, '1.1.0') ?? {};
  expect(heading).toBe('1.1.0 (2026-12-01)');
  expect(text).toMatch(/^- One thing .*\n\n### Details\n\n- Another\.$/);
});

test('a version has none whose section is empty, or that is the beginning of another one', () => {
  expect(changelogSection(changelog, '1.10.0')).toBeUndefined();
  expect(changelogSection(changelog, '1.1')).toBeUndefined();
  expect(changelogSection(changelog, 'All')).toBeUndefined();
});

test('the notes lead to the files of the tag, where they are shown', () => {
  const section = changelogSection(changelog, '1.1.0') ?? { heading: '', text: '' };
  expect(releaseNotes(section, undefined)).toContain('[more](docs/one.md#how)');
  expect(releaseNotes(section, 'https://example.com/blob/v1.1.0')).toContain(
    '([more](https://example.com/blob/v1.1.0/docs/one.md#how), [elsewhere](https://example.com/a), [here](#110)).',
  );
});

test('our own CHANGELOG.md has a section of the version that package.json has', () => {
  const root = resolve(__dirname, '../..');
  const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { readonly version: string };
  expect(changelogSection(readFileSync(resolve(root, 'CHANGELOG.md'), 'utf8'), version)).toBeDefined();
});
