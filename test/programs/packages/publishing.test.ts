import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from '../../afterwards';
import { typescriptProgram } from '../../typescript-program';
import { until } from '../../until';

const root = resolve(__dirname, '../../..');
const names = ['fairlead-serve', 'fairlead', 'fairlead-reliability', 'create-fairlead'];
const folders = ['serve', '.', 'reliability', 'create'];
/** The environment of a job of the workflow. */
const workflow = {
  GITHUB_ACTIONS: 'true',
  GITHUB_REPOSITORY: 'acme/fairlead',
  GITHUB_SERVER_URL: 'https://github.com',
  ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1/',
};

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A repository with four packages, all committed on main, and stand-ins for the programs that a release runs. */
class Checkout {
  readonly directory = mkdtempSync(join(tmpdir(), 'fairlead-release-'));
  private readonly repository = join(this.directory, 'repository');
  private readonly programs = join(this.directory, 'programs');

  constructor(readonly version = '1.2.3') {
    onTestFinished(() => {
      rmSync(this.directory, { recursive: true });
    });
    mkdirSync(this.programs);
    mkdirSync(join(this.directory, 'registry'));
    writeFileSync(join(this.directory, 'calls'), '');
    const standIn = resolve(__dirname, 'fixtures/stand-in.mjs');
    for (const name of ['npm', 'publint', 'attw']) {
      const script = `#!/bin/sh\nexec '${process.execPath}' '${standIn}' ${name} "$@"\n`;
      writeFileSync(join(this.programs, name), script, { mode: 0o755 });
    }
    for (const [index, folder] of folders.entries()) {
      mkdirSync(join(this.repository, folder), { recursive: true });
      this.write(join(folder, 'README.md'), 'Read me.\n');
      this.writePackage(folder, { name: names[index], version });
    }
    this.write('package-lock.json', '{ "packages": {} }\n');
    this.write('.gitignore', 'dist-release*/\n');
    this.write('CHANGELOG.md', `# Changelog\n\n## ${version} (2026-12-01)\n\n- All is new ([how](docs/new.md)).\n`);
    this.git('init', '--quiet', '--initial-branch=main');
    this.commit();
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.repository, path), text);
  }

  writePackage(folder: string, content: object): void {
    this.write(join(folder, 'package.json'), JSON.stringify(content));
  }

  commit(): void {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--message=A change');
  }

  get status(): string {
    return this.git('status', '--porcelain');
  }

  /** The package.json of a tarball. */
  manifestOf(file: string): unknown {
    const path = join(this.repository, 'dist-release', file);
    return JSON.parse(execFileSync('tar', ['-xzOf', path, 'package.json'], { encoding: 'utf8' }));
  }

  git(...args: readonly string[]): string {
    const settings = ['user.name=a', 'user.email=a@example.com', 'commit.gpgsign=false', 'core.hooksPath=/dev/null'];
    const options = settings.flatMap((setting) => ['-c', setting]);
    return execFileSync('git', [...options, ...args], { cwd: this.repository, stdio: 'pipe', encoding: 'utf8' });
  }

  /** As if the registry had other content of it. */
  publishOther(name: string): void {
    writeFileSync(join(this.directory, 'registry', `${name}@${this.version}`), 'sha512-other');
  }

  get published(): string[] {
    return readdirSync(join(this.directory, 'registry')).sort();
  }

  /** What was called, but for questions of the registry. */
  get calls(): string[] {
    const lines = readFileSync(join(this.directory, 'calls'), 'utf8').split('\n');
    return lines.filter((line) => line !== '' && !line.startsWith('npm view'));
  }

  /** What a release leaves, complete or not. */
  get left(): string[] {
    return readdirSync(this.repository).filter((name) => name.startsWith('dist-release'));
  }

  packed(file: string): string {
    return readFileSync(join(this.repository, 'dist-release', file), 'utf8');
  }

  hasPacked(file: string): boolean {
    return existsSync(join(this.repository, 'dist-release', file));
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [...typescriptProgram, join(root, 'release/release.ts'), ...args], {
      cwd: this.repository,
      // Nothing else: this test may run in a workflow itself.
      env: {
        PATH: `${this.programs}:${process.env.PATH ?? ''}`,
        HOME: this.directory,
        STAND_IN: this.directory,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    const ended = once(child, 'close').then(([code]): Outcome => ({ code: code as number | null, ...output }));
    return { child, ended };
  }

  run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return this.start(args, environment).ended;
  }

  /** As the workflow runs it that a tag starts. */
  publish(environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return this.run(['--no-tests'], { ...workflow, GITHUB_REF: `refs/tags/v${this.version}`, ...environment });
  }
}

describe('a dry run', () => {
  test('tries, packs, checks and describes all four, and publishes nothing', async () => {
    const checkout = new Checkout();
    const { code, stdout } = await checkout.run(['--dry-run']);
    expect(checkout.calls).toEqual([
      'npm run lint',
      'npm run test',
      'npm run test:properties',
      'npm run test:programs',
      ...names.flatMap((name) => [
        'npm pack --loglevel=error',
        'npm sbom --sbom-format=cyclonedx --no-workspaces --package-lock-only',
        `publint run ${name}-1.2.3.tgz --strict`,
        `attw ${name}-1.2.3.tgz --profile=node16`,
      ]),
    ]);
    expect(stdout.split('\n').slice(0, 5)).toEqual([
      expect.stringMatching(/^package +version +packed +unpacked +files +publint +attw$/),
      ...names.map((name): unknown =>
        expect.stringMatching(new RegExp(`^${name} +1\\.2\\.3 +0\\.\\d kB +0\\.\\d kB +2 +ok +ok$`)),
      ),
    ]);
    expect(stdout).toContain('nothing is published.\nTo publish it: git tag v1.2.3 && git push origin v1.2.3\n');
    for (const name of names) {
      expect(checkout.hasPacked(`${name}-1.2.3.tgz`)).toBe(true);
      expect(JSON.parse(checkout.packed(`${name}-1.2.3.cdx.json`))).toMatchObject({
        metadata: { component: { name } },
      });
    }
    expect(checkout.packed('notes.md')).toBe('- All is new ([how](docs/new.md)).\n');
    expect(checkout.left).toEqual(['dist-release']);
    expect(checkout.published).toEqual([]);
    expect(code).toBe(0);
  });

  test('replaces what an earlier one has left', async () => {
    const checkout = new Checkout();
    mkdirSync(join(checkout.directory, 'repository/dist-release'));
    checkout.write('dist-release/fairlead-1.2.2.tgz', '');
    expect(await checkout.run(['--dry-run', '--no-tests'])).toMatchObject({ code: 0 });
    expect(checkout.hasPacked('fairlead-1.2.2.tgz')).toBe(false);
    expect(checkout.calls[0]).toBe('npm pack --loglevel=error');
  });

  test('does without the registry, and says so', async () => {
    const checkout = new Checkout();
    const offline = { FAILS: 'npm view', SAYS: 'npm error code ENOTFOUND\nnpm error network A log is in a file' };
    const { code, stderr } = await checkout.run(['--dry-run', '--no-tests'], offline);
    expect(stderr).toContain('The registry cannot be asked (ENOTFOUND): whether it has 1.2.3 already is not known\n');
    expect(code).toBe(0);
  });

  test('says what has to be done before anything can be published', async () => {
    const checkout = new Checkout();
    checkout.write('CHANGELOG.md', '## 1.2.3 (unreleased)\n\n- All is new.\n');
    checkout.commit();
    const { code, stdout } = await checkout.run(['--dry-run', '--no-tests']);
    expect(stdout).toContain(`Before it can be:
  CHANGELOG.md: "## 1.2.3 (unreleased)" has no date: give it the day of the release
`);
    expect(code).toBe(0);
  });
});

describe('a release is refused', () => {
  test('for all that is wrong at once, before anything is tried', async () => {
    const checkout = new Checkout();
    checkout.git('switch', '--quiet', '--create', 'topic');
    checkout.writePackage('create', { name: 'create-fairlead', version: '1.2.2' });
    checkout.write('CHANGELOG.md', '## 1.2.2\n\n- Something.\n');
    checkout.write('notes.txt', '');
    checkout.publishOther('fairlead');
    expect(await checkout.run(['--dry-run'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `release: the tree has changes that are in no commit (CHANGELOG.md, create/package.json, notes.txt): commit them, or put them aside by git stash --include-untracked
the branch is topic, and what is released is on main: git switch main
the versions differ (fairlead-serve 1.2.3, fairlead 1.2.3, fairlead-reliability 1.2.3, create-fairlead 1.2.2): give all of them the same in their package.json
CHANGELOG.md: has no section "## 1.2.3": say there what changes for users
fairlead 1.2.3 is on the registry already: give the packages another version
`,
    });
    expect(checkout.calls).toEqual([]);
    expect(checkout.left).toEqual([]);
  });

  test('on a commit without a branch that main does not have', async () => {
    const checkout = new Checkout();
    checkout.git('switch', '--quiet', '--detach');
    checkout.write('notes.txt', '');
    checkout.commit();
    checkout.git('update-ref', 'refs/remotes/origin/main', 'main');
    const { code, stderr } = await checkout.run(['--dry-run', '--no-tests']);
    expect(stderr).toBe('release: HEAD is not on main, and what is released is: merge it, and put the tag there\n');
    expect(code).toBe(1);
  });

  test.each([
    ['npm run test', 'npm run test: it fails (exit code 1)', ['npm run lint', 'npm run test']],
    ['npm pack', 'npm pack: it fails (exit code 1)', undefined],
    ['npm sbom', 'npm sbom: it fails (exit code 1)', undefined],
  ])('if %s fails, and leaves nothing', async (failing, message, calls) => {
    const checkout = new Checkout();
    const { code, stderr } = await checkout.run(['--dry-run'], { FAILS: failing });
    expect(stderr).toContain(`release: ${message}\n`);
    if (calls !== undefined) expect(checkout.calls).toEqual(calls);
    expect(checkout.left).toEqual([]);
    expect(code).toBe(1);
  });

  test('if a check fails, with what it said, and all others all the same', async () => {
    const checkout = new Checkout();
    const { code, stdout, stderr } = await checkout.publish({ FAILS: 'attw fairlead-1.2.3', SAYS: 'no types' });
    expect(stdout).toMatch(/^fairlead +1\.2\.3 .* ok +failed$/m);
    expect(stdout).toMatch(/^create-fairlead +1\.2\.3 .* ok +ok$/m);
    expect(stderr).toContain(
      '\nattw refuses fairlead-1.2.3.tgz:\nno types\nrelease: nothing is published: attw refuses fairlead-1.2.3.tgz\n',
    );
    expect(checkout.left).toEqual([]);
    expect(checkout.published).toEqual([]);
    expect(code).toBe(1);
  });

  test.each([
    ['--dryrun', "Unknown option '--dryrun'"],
    ['1.2.3', "Unexpected argument '1.2.3'"],
  ])('in one line if it is told %s', async (arg, message) => {
    const { code, stderr } = await new Checkout().run([arg]);
    expect(stderr).toMatch(new RegExp(`^release: ${message}.*\\n$`));
    expect(code).toBe(2);
  });
});

test('Ctrl-C ends what runs, and leaves nothing', async () => {
  const checkout = new Checkout();
  const { child, ended } = checkout.start(['--dry-run', '--no-tests'], { HANGS: 'attw' });
  await until(() => checkout.calls.some((call) => call.startsWith('attw')), 'the check that hangs');
  expect(checkout.left).toEqual([expect.stringMatching(/^dist-release-/)]);
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect(stderr).toContain('release: SIGINT, tidying up\n');
  expect(code).toBe(130);
  expect(checkout.left).toEqual([]);
});

test('--help says how to use it', async () => {
  const { code, stdout, stderr } = await new Checkout().run(['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Usage: npm run release -- --dry-run \[--no-tests\]\n/);
});

describe('publishing', () => {
  test('happens in the workflow of the tag alone', async () => {
    const checkout = new Checkout();
    const elsewhere = await checkout.run([]);
    expect(elsewhere).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'release: the release workflow alone publishes, as provenance needs its identity: git tag v1.2.3 && git push origin v1.2.3 starts it, and --dry-run does all but publish\n',
    });
    const other = await checkout.publish({ GITHUB_REF: 'refs/tags/v1.2.4' });
    expect(other.stderr).toBe(
      "release: refs/tags/v1.2.4 is not the tag of version 1.2.3: push v1.2.3, or change the packages' version\n",
    );
    const anonymous = await checkout.run([], { GITHUB_ACTIONS: 'true', GITHUB_REF: 'refs/tags/v1.2.3' });
    expect(anonymous.stderr).toBe(
      'release: this job has no identity, which provenance needs: give it the permission "id-token: write"\n',
    );
    expect(checkout.calls).toEqual([]);
  });

  test('goes in order, with provenance, once all is checked', async () => {
    const checkout = new Checkout();
    checkout.git('update-ref', 'refs/remotes/origin/main', 'main');
    checkout.git('switch', '--quiet', '--detach');
    const { code, stdout } = await checkout.publish();
    expect(checkout.calls.slice(-5)).toEqual([
      'attw create-fairlead-1.2.3.tgz --profile=node16',
      ...names.map((name) => `npm publish ${name}-1.2.3.tgz --provenance --access=public`),
    ]);
    expect(stdout).toMatch(
      /\nfairlead-serve 1\.2\.3 is published\nfairlead 1\.2\.3 is published\nfairlead-reliability .*\ncreate-fairlead .*\n$/,
    );
    expect(checkout.packed('notes.md')).toBe(
      '- All is new ([how](https://github.com/acme/fairlead/blob/v1.2.3/docs/new.md)).\n',
    );
    expect(code).toBe(0);
  });

  test('keeps a version that is not final from those who do not ask for it', async () => {
    const checkout = new Checkout('2.0.0-rc.1');
    expect(await checkout.publish()).toMatchObject({ code: 0 });
    expect(checkout.calls.at(-1)).toBe(
      'npm publish create-fairlead-2.0.0-rc.1.tgz --provenance --access=public --tag=next',
    );
  });

  test('goes on where an earlier run was cut short', async () => {
    const checkout = new Checkout();
    const first = await checkout.publish({ FAILS: 'npm publish fairlead-1.2.3.tgz', SAYS: 'npm error code E503' });
    expect(first.stderr).toContain(
      'fairlead was not published (E503): run this job again, which publishes what is missing: fairlead, fairlead-reliability, create-fairlead\n',
    );
    expect(first.code).toBe(1);
    expect(checkout.published).toEqual(['fairlead-serve@1.2.3']);
    const second = await checkout.publish();
    expect(second.stdout).toContain('\nfairlead-serve 1.2.3 was published before\nfairlead 1.2.3 is published\n');
    expect(second.code).toBe(0);
    expect(checkout.published).toEqual([
      'create-fairlead@1.2.3',
      'fairlead-reliability@1.2.3',
      'fairlead-serve@1.2.3',
      'fairlead@1.2.3',
    ]);
  });

  test('is refused where the registry has other content of the version, before any is published', async () => {
    const checkout = new Checkout();
    checkout.publishOther('create-fairlead');
    const { code, stderr } = await checkout.publish();
    expect(stderr).toContain(
      'release: create-fairlead 1.2.3 is on the registry already: give the packages another version\n',
    );
    expect(checkout.published).toEqual(['create-fairlead@1.2.3']);
    expect(code).toBe(1);
  });

  test('is refused without a date', async () => {
    const checkout = new Checkout();
    checkout.write('CHANGELOG.md', '## 1.2.3 (unreleased)\n\n- All is new.\n');
    checkout.commit();
    const { code, stderr } = await checkout.publish();
    expect(stderr).toBe('release: CHANGELOG.md: "## 1.2.3 (unreleased)" has no date: give it the day of the release\n');
    expect(checkout.calls).toEqual([]);
    expect(code).toBe(1);
  });

  test('tells the registry where the sources are, and leaves package.json as it is', async () => {
    const checkout = new Checkout();
    expect((await checkout.publish()).code).toBe(0);
    expect(checkout.manifestOf('fairlead-1.2.3.tgz')).toMatchObject({
      repository: { type: 'git', url: 'git+https://github.com/acme/fairlead.git' },
      homepage: 'https://github.com/acme/fairlead#readme',
      bugs: { url: 'https://github.com/acme/fairlead/issues' },
    });
    expect(checkout.manifestOf('fairlead-serve-1.2.3.tgz')).toMatchObject({
      repository: { url: 'git+https://github.com/acme/fairlead.git', directory: 'serve' },
      homepage: 'https://github.com/acme/fairlead/tree/main/serve#readme',
    });
    expect(checkout.status).toBe('');
  });

  test('leaves package.json as it is where packing fails', async () => {
    const checkout = new Checkout();
    expect((await checkout.publish({ FAILS: 'npm pack' })).code).toBe(1);
    expect(checkout.status).toBe('');
  });
});
