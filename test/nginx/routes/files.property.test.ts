import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { FilesModel } from '../../../model/routes/route';
import { onFileFinished } from '../../afterwards';
import { proxyModel } from '../support/models';
import { RealNginx } from '../support/real-nginx';
import { sendLine } from '../support/several-backends';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fairlead-files-')));
onFileFinished(() => {
  rmSync(directory, { recursive: true });
});

/** What is in the directory, and what beside it and in names that begin with a dot; each file says its own name. */
const open = ['index.html', 'a/index.html', 'a/b.txt', 'a/b/c', 'b', '.well-known/a', 'a b', 'a%2fb', 'ü', '404.html'];
const closed = ['.a', '.b/index.html', 'a/.b', 'a/..a', '.well-known/.a', '..b/a'];
const outside = ['secret', 'a', 'index.html', 'app/index.html', 'sitea'];

const target = (singlePage: boolean): FilesModel => ({
  kind: 'files',
  source: 'site',
  singlePage,
  immutable: undefined,
});

let nginx: RealNginx;

beforeAll(async () => {
  for (const [folder, names] of [
    ['site', [...open, ...closed]],
    ['.', outside],
  ] as const) {
    for (const name of names) {
      const file = join(directory, folder, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${closed.includes(name) || folder === '.' ? 'CLOSED' : 'OPEN'} ${name}`);
    }
  }
  nginx = await RealNginx.start(
    proxyModel({
      backends: [],
      routes: [
        { path: '/', name: 'root', target: target(false) },
        { path: '/app', name: 'app', target: target(true) },
      ],
    }),
    { filesDirectories: { site: join(directory, 'site') } },
  );
});

afterAll(() => nginx.stop());

/** Which file a path names, by its segments alone; nothing where nginx has no say, or an error. */
function expected(path: string): string | undefined {
  const decoded = decodedPath(path);
  if (decoded === undefined) return undefined;
  const app = /^\/app(?=\/|$)/.test(decoded);
  const below = app ? decoded.slice('/app'.length) : decoded;
  if (/\/\.(?!well-known(?:\/|$))/.test(below)) return undefined;
  const name = below.endsWith('/') ? `${below.slice(1)}index.html` : below.slice(1);
  const found = open.find((each) => Buffer.from(each).toString('latin1') === name);
  if (found !== undefined) return found;
  const isDirectory = below === '' || open.includes(`${name}/index.html`);
  return app && !isDirectory && !/\.[^/]*$/.test(below) ? 'index.html' : undefined;
}

/** As RFC 3986 has it, with slashes merged; nothing of a path that leads above the root or has a byte that none has. */
function decodedPath(path: string): string | undefined {
  // Byte by byte: what is no UTF-8 is a name like any other.
  const bytes = path.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  if (bytes.includes('\0')) return undefined;
  const segments: string[] = [];
  const all = bytes.replaceAll(/\/+/g, '/').slice(1).split('/');
  for (const [index, segment] of all.entries()) {
    const isLast = index === all.length - 1;
    if (segment === '..') {
      if (segments.pop() === undefined) return undefined;
      if (isLast) segments.push('');
    } else if (segment === '.') {
      if (isLast) segments.push('');
    } else segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    'c',
    'app',
    'index.html',
    'secret',
    'site',
    '404.html',
    '.well-known',
    '.a',
    '.b',
    '..a',
    '..b',
    'b.txt',
    'x',
  ],
  ...[
    '/',
    '/',
    '/',
    '//',
    '%2f',
    '%2F',
    '%5c',
    '\\',
    '..',
    '.',
    '%2e',
    '%2e%2e',
    '%252e',
    '.%2e',
    '...',
    ';',
    '%3b',
    '%3f',
  ],
  ...[
    '%00',
    '%0a',
    '%20',
    '%25',
    '%c3%bc',
    '%c0%af',
    '%ff',
    '~',
    ':',
    '@',
    '&',
    '=',
    '+',
    '*',
    "'",
    '"',
    '$',
    '%24',
    '{',
  ],
);
const path = fc
  .tuple(fc.constantFrom('/', '/app/', '/app', '/a/', '//'), fc.array(piece, { maxLength: 7 }))
  .map(([first, pieces]) => `${first}${pieces.join('')}`);

test('whatever a path says, what is closed stays closed, and what is open is what it names', async () => {
  let served = 0;
  await fc.assert(
    fc.asyncProperty(path, async (text) => {
      const { status, body } = await sendLine(`GET ${text} HTTP/1.1`, nginx);
      expect(body).not.toContain('CLOSED');
      const file = expected(text);
      if (status === 200) served += 1;
      expect([text, status === 200 ? body : 'nothing']).toEqual([
        text,
        file === undefined ? 'nothing' : `OPEN ${file}`,
      ]);
    }),
    { numRuns: 400 },
  );
  expect(served).toBeGreaterThan(20);
});
