import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryWatch } from '../../local/directory-watch';
import { onTestFinished } from '../afterwards';
import { until } from '../until';

let directory: string;
let told: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fairlead-watch-'));
  for (const name of ['node_modules/express', '.git', 'dist', 'src'])
    mkdirSync(join(directory, name), { recursive: true });
  told = [];
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function watching(): void {
  const watch = new DirectoryWatch(directory, {
    changed: (paths) => told.push(...paths),
    failed: (error) => told.push(error.message),
  });
  onTestFinished(() => {
    watch.close();
  });
}

function write(name: string): string {
  const path = join(directory, name);
  writeFileSync(path, 'x');
  return path;
}

test('tells of files of a directory and below it, and of none that are installed, kept, built or logged', async () => {
  watching();
  for (const name of [
    'node_modules/express/index.js',
    '.git/HEAD',
    'dist/a.js',
    'a.log',
    'src/.b.js.swp',
    'src/b.js~',
  ]) {
    write(name);
  }
  const changed = [write('src/b.js'), write('a.js')];
  await until(() => changed.every((path) => told.includes(path)));
  expect([...new Set(told)].sort()).toEqual([...changed].sort());
});

test('tells of files in a directory that came later, and of one that is gone', async () => {
  watching();
  mkdirSync(join(directory, 'later'));
  await until(() => told.includes(join(directory, 'later')));
  const file = write('later/a.js');
  await until(() => told.includes(file));
  rmSync(join(directory, 'src'), { recursive: true });
  await until(() => told.includes(join(directory, 'src')));
});

test('tells of nothing once it is closed', async () => {
  const watch = new DirectoryWatch(directory, { changed: (paths) => told.push(...paths), failed: () => undefined });
  watching();
  watch.close();
  const file = write('a.js');
  await until(() => told.includes(file));
  expect(told.filter((path) => path === file)).toHaveLength(1);
});

test('tells of a link that leads to itself, and goes on', async () => {
  watching();
  symlinkSync('loop', join(directory, 'loop'));
  await until(() => told.includes(join(directory, 'loop')));
  const file = write('a.js');
  await until(() => told.includes(file));
});
