import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, resolve } from 'node:path';

const root = resolve(__dirname, '../..');

/** What each room may import from, as docs/design.md says; those below come first, so that no import runs back up. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  validation: [],
  model: ['validation'],
  nginx: ['model', 'validation'],
  certificates: ['validation'],
  dashboard: ['validation'],
  charts: ['model', 'nginx', 'certificates', 'dashboard', 'validation'],
  serve: [],
  api: [],
  local: ['charts', 'nginx', 'model', 'certificates', 'dashboard', 'validation'],
  cluster: ['charts', 'local', 'validation'],
  create: ['local', 'validation'],
  load: ['validation'],
  timeline: ['charts', 'nginx', 'model', 'cluster', 'local', 'validation'],
  explain: ['charts', 'nginx', 'model', 'cluster', 'local', 'validation'],
  diff: ['certificates', 'cluster', 'local'],
  top: ['charts', 'cluster', 'dashboard', 'local'],
  cli: ['charts', 'cluster', 'diff', 'local', 'timeline', 'explain', 'top', 'validation'],
  reliability: ['charts', 'certificates', 'cluster', 'load', 'local', 'timeline', 'validation'],
  release: ['cluster'],
  bench: ['charts', 'certificates', 'cluster', 'local', 'model', 'nginx'],
};

function sourcesOf(room: string): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.m?ts$/.test(path) && !/(^|\/)(node_modules|lib)\//.test(path) && !path.endsWith('.d.ts'))
    .map((path) => join(room, path));
}

function roomsImported(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/ from '(\.[^']+)';$/gm)]
    .map(([, path = '']) => normalize(join(file, '..', path)).split('/')[0] ?? '')
    .filter((room) => room in rooms);
}

test.each(Object.entries(rooms))('%s imports from the rooms that it may know', (room, mayImport) => {
  const imported = sourcesOf(room).flatMap((file) =>
    roomsImported(file).flatMap((other) => (other === room || mayImport.includes(other) ? [] : [`${file}: ${other}`])),
  );
  expect(imported).toEqual([]);
});

test('no room is imported by one below it', () => {
  const below: string[] = [];
  for (const [room, mayImport] of Object.entries(rooms)) {
    expect(mayImport.filter((other) => !below.includes(other))).toEqual([]);
    below.push(room);
  }
});
