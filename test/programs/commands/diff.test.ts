import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { onTestFinished } from '../../afterwards';
import { synthesize } from '../../charts/manifests';
import { fairlead, type Outcome } from '../../cli/fairlead';
import { typescriptProgram } from '../../typescript-program';

const root = resolve(__dirname, '../../..');

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-diff-test-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

/** A folder with these files. */
function folder(files: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** JSON is YAML. */
function yaml(objects: readonly unknown[]): string {
  return objects.map((object) => `---\n${JSON.stringify(object)}\n`).join('');
}

function dist(image: string): string {
  return folder({ 'a/orders.k8s.yaml': yaml(synthesize({ image })), 'README.md': 'no manifest' });
}

async function diff(...args: readonly string[]): Promise<Outcome> {
  return fairlead('diff', ...args).finally(() => {
    process.exitCode = undefined;
  });
}

describe('two folders', () => {
  test('that say the same differ in nothing', async () => {
    const [one, other] = [dist('api:1'), dist('api:1')];
    expect(await diff(one, other, '--exit-code')).toEqual({
      code: 0,
      stdout: `${one} → ${other}\n\nNothing differs.\n`,
      stderr: '',
    });
  });

  test('may have anchors, lists of objects, and folders that are called as files are', async () => {
    const of = (name: string): string =>
      `{ apiVersion: v1, kind: Service, metadata: { name: ${name} }, spec: { ports: *ports } }`;
    const list = (port: number): string =>
      folder({
        'all.yaml/a.yaml': `kind: List\nports: &ports [{ port: ${port} }]\nitems: [${of('one')}, ${of('other')}]`,
      });
    const { code, stdout } = await diff(list(80), list(81));
    expect([code, stdout.match(/^ {2}Service .*\n {4}spec\.ports\[0\]\.port: 80, now 81$/gm)]).toEqual([
      0,
      ['  Service one\n    spec.ports[0].port: 80, now 81', '  Service other\n    spec.ports[0].port: 80, now 81'],
    ]);
  });

  test('may have files of other programs, links that lead nowhere, and what is installed', async () => {
    const [one, other] = ['api:1', 'api:2'].map((image) => {
      const directory = folder({
        'dist/orders.k8s.yaml': yaml(synthesize({ image })),
        'tsconfig.json': '{\n  // for main.ts\n  "compilerOptions": {}\n}\n',
        'values.yaml': 'host: *.example.com\n',
        'node_modules/a/crds.yaml': 'apiVersion: v1\nkind: "Service',
      });
      symlinkSync('none', join(directory, '.#orders.k8s.yaml'));
      return directory;
    });
    const { code, stdout, stderr } = await diff(one ?? '', other ?? '');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('because containers[api].image: api:1, now api:2\n');
  });

  test('that differ are exit code 0, and 1 if that is asked for', async () => {
    const [one, other] = [dist('api:1'), dist('api:2')];
    const outcome = await diff(one, other);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toContain('\nPods that are replaced\n  Deployment orders/orders, a backend\n');
    expect(await diff(one, other, '--exit-code')).toEqual({ ...outcome, code: 1 });
  });

  test('are a comment with --format markdown', async () => {
    const { code, stdout } = await diff(dist('api:1'), dist('api:2'), '--format', 'markdown');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<!-- fairlead diff -->\n\n## fairlead diff: /);
  });
});

describe('what cannot be compared is one line with what to do', () => {
  test.each<[string[], string]>([
    [
      ['no-such-thing'],
      'diff: "no-such-thing" is neither a folder here nor a commit: give a folder of manifests, such as dist.before, or a commit, such as main',
    ],
    [['docs', 'docs', '--format', 'html'], '--format: "html" is unknown: give one of text, markdown'],
    [
      ['docs', 'docs', '--context', 'kind'],
      'diff: --context is of a cluster, which is BEFORE, and "docs" is too: take one of them out',
    ],
    [['docs', '--context', ''], '--context: "" is not the name of a context: give one, or leave it out'],
    [['docs', 'docs', 'docs'], 'diff: "docs" is not an option: take it out. fairlead diff --help shows the options'],
  ])('%j was typed wrong', async (args, line) => {
    expect(await diff(...args)).toEqual({ code: 2, stdout: '', stderr: `fairlead: ${line}\n` });
  });

  test('a folder without manifests, and one that is not YAML, fail', async () => {
    const empty = folder({ 'README.md': '' });
    expect(await diff(empty, empty)).toEqual({
      code: 1,
      stdout: '',
      stderr: `fairlead: ${empty}: has no manifests: give a folder that cdk8s synth has written, such as dist\n`,
    });
    const broken = folder({ 'a.yaml': 'apiVersion: "v1' });
    const { code, stderr } = await diff(broken, broken);
    expect(code).toBe(1);
    expect(stderr).toContain(`fairlead: ${join(broken, 'a.yaml')}: is not YAML: `);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    const alias = folder({ 'a.yaml': 'apiVersion: v1\nhost: *.example.com\n' });
    expect(await diff(alias, alias)).toEqual({
      code: 1,
      stdout: '',
      stderr: `fairlead: ${join(alias, 'a.yaml')}: is not YAML: Unresolved alias (the anchor must be set before the alias): .example.com: mend it, or synthesize again\n`,
    });
  });
});

/** A PATH with a kubectl that answers by what it is asked, and fails at all else. */
function pathWith(answers: Readonly<Record<string, string | { readonly fails: string }>>): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const cases = Object.entries(answers).map(([part, answer]) => {
    const says =
      typeof answer === 'string' ? `printf %s ${quoted(answer)}` : `echo ${quoted(answer.fails)} >&2; exit 1`;
    return `  *${quoted(part)}*) ${says} ;;\n`;
  });
  const directory = temporaryDirectory();
  const script = `#!/bin/sh\ncase "$*" in\n${cases.join('')}  *) echo "nobody answers $*" >&2; exit 1 ;;\nesac\n`;
  writeFileSync(join(directory, 'kubectl'), script, { mode: 0o755 });
  return directory;
}

describe('a cluster', () => {
  const serviceOf = (port: number): unknown => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'orders', namespace: 'shop', labels: { 'app.kubernetes.io/managed-by': 'fairlead' } },
    spec: { ports: [{ port }] },
  });
  const monitor = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: 'edge', namespace: 'shop' },
  };
  const left = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'canary', namespace: 'shop', labels: { 'app.kubernetes.io/managed-by': 'fairlead' } },
  };

  async function against(answers: Parameters<typeof pathWith>[0], ...args: readonly string[]): Promise<Outcome> {
    const { PATH } = process.env;
    process.env.PATH = pathWith(answers);
    return fairlead('diff', ...args).finally(() => {
      process.env.PATH = PATH;
      process.exitCode = undefined;
    });
  }

  const byName = 'get service orders --namespace=shop --ignore-not-found --output=json';
  const managed = '--selector=app.kubernetes.io/managed-by=fairlead --namespace=shop';
  const well = {
    'config current-context': 'kind-current\n',
    [byName]: JSON.stringify(serviceOf(80)),
    'get podmonitor.v1.monitoring.coreos.com edge --namespace=shop': {
      fails: `error: the server doesn't have a resource type "podmonitor"`,
    },
    [managed]: JSON.stringify({
      kind: 'List',
      items: [serviceOf(80), left],
    }),
  };

  test('is asked by name, and for what fairlead has left in it', async () => {
    const manifests = folder({ 'a.yaml': yaml([serviceOf(8080), monitor]) });
    const { code, stdout, stderr } = await against(well, manifests, '--context', 'kind-shop', '--exit-code');
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toBe(`the cluster of kind-shop → ${manifests}
note: the cluster does not know PodMonitor of monitoring.coreos.com/v1: edge cannot be applied to it

Changed where they are: no pod is replaced for it
  Service shop/orders
    spec.ports[0].port: 80, now 8080

New
  PodMonitor shop/edge

Gone from the manifests: kubectl apply leaves them in the cluster
  Deployment shop/canary
    once no proxy of before is left that asks for it: kubectl delete deployment/canary --namespace shop
`);
  });

  test('that has all of it, as it is, differs in nothing', async () => {
    const manifests = folder({ 'a.yaml': yaml([serviceOf(80)]) });
    const same = { ...well, [managed]: JSON.stringify({ kind: 'List', items: [serviceOf(80)] }) };
    expect(await against(same, manifests, '--cluster', '--exit-code')).toEqual({
      code: 0,
      stdout: `the cluster of kind-current → ${manifests}\n\nNothing differs.\n`,
      stderr: '',
    });
  });

  test('that refuses to answer is a failure', async () => {
    const manifests = folder({ 'a.yaml': yaml([serviceOf(80)]) });
    const forbidden = { fails: 'Error from server (Forbidden): services "orders" is forbidden' };
    const { code, stderr } = await against({ ...well, [byName]: forbidden }, manifests, '--cluster');
    expect(code).toBe(1);
    expect(stderr).toContain('fairlead: kubectl get service: Error from server (Forbidden)');
  });

  test('is not asked for a name that kubectl would take for an option', async () => {
    const metadata = { name: '--server=https://a.example', namespace: 'shop' };
    const manifests = folder({ 'a.yaml': yaml([{ apiVersion: 'v1', kind: 'Service', metadata }]) });
    expect(await against(well, manifests, '--cluster')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'fairlead: "--server=https://a.example": is no name in Kubernetes, and kubectl would take it for an option: mend its manifest\n',
    });
  });

  test('is not asked as long as there is no dist/', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...typescriptProgram, resolve(root, 'cli.ts'), 'diff'],
      { cwd: temporaryDirectory(), encoding: 'utf8' },
    );
    expect([status, stdout, stderr]).toEqual([
      1,
      '',
      'fairlead: dist is not there: run npx cdk8s synth before, or give a folder of manifests\n',
    ]);
  });
});

describe('two commits', () => {
  const program = [...typescriptProgram, resolve(root, 'cli.ts'), 'diff', 'main~1', 'main'];

  test('are synthesized each in a folder of its own, with what is installed, and nothing of them stays', () => {
    const repository = twoCommits();
    const before = temporaryFolders();
    const { status, stdout, stderr } = spawnSync(process.execPath, program, { cwd: repository, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^main~1 \([0-9a-f]{7}\) → main \([0-9a-f]{7}\)\n/);
    expect(stdout).toContain('note: main~1 has another package-lock.json');
    expect(stdout).toContain('because containers[api].image: api:1, now api:2');
    expectNothingLeft(repository, before);
  });

  test('leave nothing either where nobody reads what is said of them', async () => {
    const repository = twoCommits();
    const before = temporaryFolders();
    const child = spawn(process.execPath, program, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, stderr]).toEqual([0, '']);
    expectNothingLeft(repository, before);
  });

  test('leave nothing either where git was ended while it made the first', () => {
    const repository = twoCommits();
    const before = temporaryFolders();
    const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    // As it stands until a checkout is complete.
    const lock = `case "$*" in *'worktree add'*) '${real}' worktree lock --reason initializing "$6"; exit 1 ;; esac`;
    const path = folder({});
    writeFileSync(join(path, 'git'), `#!/bin/sh\n'${real}' "$@" || exit\n${lock}\n`, { mode: 0o755 });
    const { status, stderr } = spawnSync(process.execPath, program, {
      cwd: repository,
      env: { ...process.env, PATH: `${path}:${process.env.PATH ?? ''}` },
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^fairlead: git .* \(exit code 1\)\n$/) as string]);
    expectNothingLeft(repository, before);
  });

  test('are refused by their names where one writes nothing, or cannot be synthesized', () => {
    const refused = (first: string): string => {
      const repository = twoCommits(first);
      const before = temporaryFolders();
      const { status, stderr } = spawnSync(process.execPath, program, { cwd: repository, encoding: 'utf8' });
      expect(status).toBe(1);
      expectNothingLeft(repository, before);
      return stderr;
    };
    expect(refused("require('node:fs').mkdirSync(process.env.CDK8S_OUTDIR, { recursive: true });")).toBe(
      'fairlead: main~1: cdk8s synth writes no manifests there: give a commit at which it writes some, or a folder of manifests\n',
    );
    const broken = refused("console.error('\\u001b[2Ja mistake'); process.exit(1);");
    expect(broken).toMatch(/^fairlead: main~1: cdk8s synth fails there: .*\. It said:\n\ufffd\[2Ja mistake\n/);
  });

  /** A repository whose two commits differ in an image. */
  function twoCommits(first = app('api:1')): string {
    const repository = folder({
      'package.json': '{}',
      'package-lock.json': '{ "lockfileVersion": 3 }',
      '.gitignore': 'node_modules\ndist\n',
      'cdk8s.yaml': 'language: typescript\napp: node app.js\n',
      'app.js': first,
    });
    symlinkSync(join(root, 'node_modules'), join(repository, 'node_modules'));
    git(repository, 'init', '--initial-branch=main');
    git(repository, 'add', '.');
    git(repository, 'commit', '--message=one');
    writeFileSync(join(repository, 'app.js'), app('api:2'));
    writeFileSync(join(repository, 'package-lock.json'), '{ "lockfileVersion": 3, "packages": {} }');
    git(repository, 'commit', '--all', '--message=other');
    return repository;
  }

  function git(repository: string, ...args: readonly string[]): string {
    return execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  function expectNothingLeft(repository: string, before: readonly string[]): void {
    expect(git(repository, 'status', '--porcelain')).toBe('');
    expect(git(repository, 'worktree', 'list').trim().split('\n')).toHaveLength(1);
    expect(temporaryFolders()).toEqual(before);
  }

  function app(image: string): string {
    const manifest = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'orders', namespace: 'shop' },
      spec: { template: { spec: { containers: [{ name: 'api', image }] } } },
    };
    return `const { mkdirSync, writeFileSync } = require('node:fs');
const { CDK8S_OUTDIR = 'dist' } = process.env;
mkdirSync(CDK8S_OUTDIR, { recursive: true });
writeFileSync(CDK8S_OUTDIR + '/orders.k8s.yaml', ${JSON.stringify(JSON.stringify(manifest))});
`;
  }

  function temporaryFolders(): readonly string[] {
    return readdirSync(tmpdir()).filter((name) => /^fairlead-diff-(?!test-)/.test(name));
  }
});
