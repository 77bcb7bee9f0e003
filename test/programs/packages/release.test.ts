import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onFileFinished } from '../../afterwards';
import { typescriptProgram } from '../../typescript-program';

const root = resolve(__dirname, '../../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };

function dependenciesOf(directory: string): Readonly<Record<string, string>> {
  const text = readFileSync(join(root, directory, 'package.json'), 'utf8');
  return (JSON.parse(text) as { readonly dependencies: Readonly<Record<string, string>> }).dependencies;
}

/** What of an SBOM is looked at. */
interface SoftwareBillOfMaterials {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly { readonly name: string }[];
}

function git(directory: string, ...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: directory, encoding: 'utf8' });
}

/** The repository as it is now, committed on a main of its own. */
function copyOfRepository(): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'fairlead-release-')));
  onFileFinished(() => {
    rmSync(copy, { recursive: true });
  });
  const listed = git(root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0');
  // One that was removed is listed until that is committed, and node_modules where it is a link.
  const files = listed.filter((file) => !['', 'node_modules'].includes(file) && existsSync(join(root, file)));
  for (const file of files) cpSync(join(root, file), join(copy, file));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  git(copy, 'init', '--quiet', '--initial-branch=main');
  // As a link it is not what .gitignore names.
  writeFileSync(join(copy, '.git/info/exclude'), 'node_modules\n');
  git(copy, 'add', '--all');
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false'];
  git(copy, ...author, 'commit', '--quiet', '--no-verify', '--message=All of it');
  return copy;
}

/** A registry that has nothing. */
async function emptyRegistry(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(404, { 'Content-Type': 'application/json' }).end('{ "error": "Not found" }');
  }).listen(0, '127.0.0.1');
  onFileFinished(() => server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('a dry run packs what npm, publint and attw find nothing wrong with, and says what is in it', async () => {
  const copy = copyOfRepository();
  const release = join(copy, 'release/release.ts');
  const child = spawn(process.execPath, [...typescriptProgram, release, '--dry-run', '--no-tests'], {
    cwd: copy,
    env: {
      ...process.env,
      PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
      npm_config_registry: await emptyRegistry(),
      GITHUB_REPOSITORY: 'acme/fairlead',
    },
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number];
  expect([code, errors]).toEqual([0, expect.not.stringContaining('cannot be asked')]);

  const names = ['fairlead-serve', 'fairlead', 'fairlead-reliability', 'create-fairlead'];
  for (const name of names) {
    const row = new RegExp(`^${name} +${version} +\\d+\\.\\d kB +\\d+\\.\\d kB +\\d+ +ok +ok$`, 'm');
    expect(output).toMatch(row);
  }
  const folder = join(copy, 'dist-release');
  const endings = ['cdx.json', 'tgz'];
  expect(readdirSync(folder).sort()).toEqual(
    [...names.flatMap((name) => endings.map((ending) => `${name}-${version}.${ending}`)), 'notes.md'].sort(),
  );
  for (const name of names) {
    const packed = ['-xzOf', join(folder, `${name}-${version}.tgz`), 'package/package.json'];
    expect(JSON.parse(execFileSync('tar', packed, { encoding: 'utf8' }))).toMatchObject({
      repository: { type: 'git', url: 'git+https://github.com/acme/fairlead.git' },
      homepage: expect.stringMatching(
        /^https:\/\/github\.com\/acme\/fairlead(?:\/tree\/main\/\w+)?#readme$/,
      ) as unknown,
    });
    const text = readFileSync(join(folder, `${name}-${version}.cdx.json`), 'utf8');
    const bom = JSON.parse(text) as SoftwareBillOfMaterials;
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name, version } } });
    const components = bom.components.map((component) => component.name);
    const needed = { fairlead: dependenciesOf('.'), 'fairlead-reliability': dependenciesOf('reliability') }[name];
    if (needed === undefined) expect(components).toEqual([]);
    else {
      expect(components).toEqual(expect.arrayContaining(Object.keys(needed)));
      expect(components).not.toContain('jest');
    }
  }
  expect(git(copy, 'status', '--porcelain')).toBe('');
}, 300_000);
