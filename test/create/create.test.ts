import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App } from 'cdk8s';
import { runInNewContext } from 'node:vm';
import { transformSync } from '@swc/core';
import { parse } from 'yaml';
import { imageReference } from '../../validation/names';
import { LoadBalancedApi, type LoadBalancedApiProps } from '../../index';
import { ownRunOptions } from '../../reliability/own-app/options';
import { typescriptProgram } from '../typescript-program';
import { created, filesOf, folderOf, type Texts } from './created';

const root = resolve(__dirname, '../..');

/** What a main file gives to fairlead, which takes it. */
function optionsOf(source: string): { readonly id: string; readonly options: LoadBalancedApiProps } {
  let given: [string, LoadBalancedApiProps] | undefined;
  function Api(_scope: unknown, id: string, options: LoadBalancedApiProps): void {
    given = [id, options];
  }
  const { code } = transformSync(source, { module: { type: 'commonjs' }, jsc: { parser: { syntax: 'typescript' } } });
  const modules: Readonly<Record<string, unknown>> = {
    cdk8s: {
      App: class {
        synth(): void {
          /* writes nothing */
        }
      },
    },
    fairlead: { LoadBalancedApi: Api },
  };
  runInNewContext(code, { exports: {}, require: (name: string) => modules[name] });
  if (given === undefined) throw new Error(`makes nothing:\n${source}`);
  // Of this realm, as fairlead asks what an object is made by.
  const [id, options] = JSON.parse(JSON.stringify(given)) as [string, LoadBalancedApiProps];
  new LoadBalancedApi(new App(), id, options);
  return { id, options };
}

function sampleApp(name: string): string {
  return folderOf(filesOf(join(root, 'test/create/apps', name)));
}

describe('in an empty folder', () => {
  test('everything that a deployment needs is written', async () => {
    const directory = folderOf();
    const said = await created(directory, '--name', 'orders');
    const files = filesOf(directory);
    expect(Object.keys(files)).toEqual([
      '.github/workflows/fairlead.yml',
      '.gitignore',
      'README.md',
      'cdk8s.yaml',
      'main.test.ts',
      'main.ts',
      'package.json',
      'stand-in.js',
      'tsconfig.json',
    ]);
    expect(optionsOf(files['main.ts'] ?? '')).toEqual({
      id: 'orders',
      options: {
        image: 'ghcr.io/acme/orders:1.0.0',
        host: 'orders.example.com',
        replicas: { min: 3, max: 12 },
        local: { command: ['node', 'stand-in.js'] },
      },
    });
    for (const path of Object.keys(files)) expect(said).toContain(`  ${path}\n`);
    expect(said).toContain(
      'Next:\n  npm install\n  npm start\n  npm test && npm run synth\n  kubectl apply -f dist/\n',
    );
  });

  test('what is typed is what is written', async () => {
    const directory = folderOf();
    const said = await created(
      directory,
      ...['shop/deploy', '--host', 'shop.example.net', '--image', 'registry.local:5000/shop@sha256:' + 'a'.repeat(64)],
      ...[
        '--port',
        '8080',
        '--health-check-path',
        "/it's/ok",
        '--command',
        'node "a b.js"',
        '--language',
        'javascript',
      ],
    );
    const files = filesOf(join(directory, 'shop/deploy'));
    expect(Object.keys(files)).toEqual([
      '.github/workflows/fairlead.yml',
      '.gitignore',
      'README.md',
      'cdk8s.yaml',
      'main.js',
      'main.test.js',
      'package.json',
    ]);
    expect(optionsOf(files['main.js'] ?? '')).toEqual({
      id: 'shop',
      options: {
        image: `registry.local:5000/shop@sha256:${'a'.repeat(64)}`,
        host: 'shop.example.net',
        port: 8080,
        healthCheck: "/it's/ok",
        replicas: { min: 3, max: 12 },
        local: { command: ['node', 'a b.js'] },
      },
    });
    expect(said).toContain('  cd shop/deploy\n');
  });

  test('versions are those that fairlead is tried with, and fairlead is of this version', async () => {
    const directory = folderOf();
    await created(directory);
    const { version, devDependencies: tried } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      version: string;
      devDependencies: Texts;
    };
    const { devDependencies } = JSON.parse(filesOf(directory)['package.json'] ?? '') as { devDependencies: Texts };
    const names = Object.keys(devDependencies).filter((name) => name !== 'fairlead');
    expect(names).toHaveLength(11);
    expect(devDependencies).toEqual({
      ...Object.fromEntries(names.map((name) => [name, tried[name]])),
      fairlead: version,
    });
  });

  test('fairlead is installed from a file by its way from the folder, and from whatever else as it is given', async () => {
    const directory = folderOf({ 'packages/fairlead-0.1.0.tgz': '' });
    await created(directory, 'one', '--fairlead', 'packages/fairlead-0.1.0.tgz');
    await created(directory, 'two', '--fairlead', 'file:packages/fairlead-0.1.0.tgz');
    await created(directory, 'three', '--fairlead', 'git+ssh://git@example.com/fairlead.git#v0.1.0');
    const spec = (folder: string): string | undefined =>
      (JSON.parse(readFileSync(join(directory, folder, 'package.json'), 'utf8')) as { devDependencies: Texts })
        .devDependencies.fairlead;
    expect(['one', 'two', 'three'].map(spec)).toEqual([
      'file:../packages/fairlead-0.1.0.tgz',
      'file:../packages/fairlead-0.1.0.tgz',
      'git+ssh://git@example.com/fairlead.git#v0.1.0',
    ]);
  });
});

describe("in an app's folder", () => {
  test('everything is written beside the app, which is not changed', async () => {
    const directory = sampleApp('express-typescript');
    const before = filesOf(directory);
    const said = await created(directory, '--fairlead', '0.1.0');
    const after = filesOf(directory);
    expect(after).toMatchObject(before);
    const written = Object.keys(after).filter((path) => !(path in before));
    expect(written).toEqual([
      '.github/workflows/fairlead.yml',
      ...['.gitignore', 'README.md', 'cdk8s.yaml', 'main.test.ts', 'main.ts', 'package.json', 'tsconfig.json'].map(
        (name) => `deploy/${name}`,
      ),
    ]);
    expect(optionsOf(after['deploy/main.ts'] ?? '')).toEqual({
      id: 'billing-api',
      options: {
        image: 'ghcr.io/acme/billing-api:2.3.1',
        host: 'billing-api.example.com',
        port: 8080,
        healthCheck: '/health',
        replicas: { min: 3, max: 12 },
        pods: { user: 1000 },
        local: {
          command: ['node', '--enable-source-maps', 'dist/server.js'],
          directory: '..',
          environment: { NODE_ENV: 'production' },
        },
      },
    });
    expect(said).toBe(`Found @acme/billing-api: Express, TypeScript
  port          8080  (Dockerfile: EXPOSE)
  health check  /health  (src/app.ts)
  start         node --enable-source-maps dist/server.js  (package.json: scripts.start)
  user          1000  (Dockerfile: USER node)

billing-api: ghcr.io/acme/billing-api:2.3.1, for https://billing-api.example.com
Written:
  deploy/main.ts
  deploy/main.test.ts
  deploy/package.json
  deploy/cdk8s.yaml
  deploy/tsconfig.json
  deploy/.gitignore
  deploy/README.md
  .github/workflows/fairlead.yml

Left to you:
  keep deploy/ out of what looks into every folder:
    tsconfig.json: "exclude": ["node_modules", "dist", "deploy"]
    vitest: exclude: [...configDefaults.exclude, "deploy/**"]
    .dockerignore: deploy, as there will be a private key in it

Next:
  npm run build
  cd deploy
  npm install
  npm start
  npm test && npm run synth
  kubectl apply -f dist/
`);
  });

  test('the folder may have another name, and be as deep as it likes', async () => {
    const directory = sampleApp('koa-router');
    await created(directory, 'infra/cluster');
    const { options } = optionsOf(filesOf(directory)['infra/cluster/main.js'] ?? '');
    expect(options.local).toEqual({ command: ['node', 'server.js'], directory: '../..' });
    expect(options.healthCheck).toBe('/v1/healthcheck');
  });

  test.each(readdirSync(join(root, 'test/create/apps')))(
    'what is written for %s is what fairlead takes',
    async (name) => {
      const directory = sampleApp(name);
      await created(directory);
      const files = filesOf(directory);
      const { options } = optionsOf(files['deploy/main.ts'] ?? files['deploy/main.js'] ?? '');
      expect(imageReference('image', options.image)).toBe(options.image);
    },
  );

  test('what fairlead would refuse is not written, whatever an app says', async () => {
    const directory = folderOf({
      'package.json': '{ "version": "1.0.0+build 7", "repository": "github:-/x" }',
      'app.js': "app.get('/é/health', handler); app.get('/a%zz/healthz', handler); app.listen(99999);",
    });
    await created(directory);
    const { options } = optionsOf(filesOf(directory)['deploy/main.js'] ?? '');
    expect(options).toMatchObject({
      image: expect.stringMatching(/^ghcr\.io\/acme\/create-[a-z0-9-]+:1\.0\.0$/) as string,
    });
    expect([options.port, options.healthCheck]).toEqual([undefined, undefined]);
  });

  test('an app that uses fairlead-serve keeps connections for as long as that does', async () => {
    const directory = sampleApp('express-tsx');
    await created(directory);
    expect(optionsOf(filesOf(directory)['deploy/main.ts'] ?? '').options.keepAliveTimeout).toBe('65s');
  });

  test('what was not found is said, with what to do', async () => {
    const directory = folderOf({ 'package.json': '{ "name": "x", "devDependencies": { "jest": "30.0.0" } }' });
    const said = await created(directory, '--fairlead', '0.1.0');
    expect(said).toContain('no health check was found: the app has to answer /healthcheck with 2xx');
    expect(said).toContain('several of it on one machine need process.env.PORT');
    expect(said).toContain('what starts the app was not found: give it in main.js');
    expect(said).toContain('the app has no Dockerfile');
    expect(said).toContain('    jest: "testPathIgnorePatterns": ["/node_modules/", "<rootDir>/deploy/"]\n');
  });

  test("nothing is said of an app's tools that leave the folder out", async () => {
    const directory = folderOf({
      'package.json':
        '{ "scripts": { "start": "node a.js" }, "devDependencies": { "jest": "1" }, "jest": { "roots": ["src"] } }',
      'a.ts': "app.get('/healthz', handler); app.listen(process.env.PORT || 3000);",
      'tsconfig.json': '{ "include": ["src", "a.ts"] }',
      Dockerfile: 'FROM node\nUSER 1000',
      '.dockerignore': 'node_modules\n/deploy/\n',
    });
    expect(await created(directory, '--fairlead', '0.1.0')).not.toContain('Left to you');
  });
});

describe('in a repository', () => {
  test('the workflow is where GitHub looks for it, and goes to the folder', async () => {
    const directory = folderOf({ '.git/HEAD': 'ref: refs/heads/main\n', 'services/shop/package.json': '{}' });
    await created(join(directory, 'services/shop'));
    const workflow = parse(filesOf(directory)['.github/workflows/fairlead-services-shop.yml'] ?? '') as {
      jobs: { manifests: { defaults: object; steps: readonly { readonly with?: object; readonly run?: string }[] } };
    };
    expect(workflow).toMatchObject({ permissions: { contents: 'read' } });
    const { defaults, steps } = workflow.jobs.manifests;
    expect(defaults).toEqual({ run: { 'working-directory': 'services/shop/deploy' } });
    expect(steps[1]?.with).toMatchObject({ 'cache-dependency-path': 'services/shop/deploy/package-lock.json' });
    expect(steps.flatMap(({ run = [] }) => run)).toEqual(['npm ci', 'npm run synth', 'npm test']);
  });

  const rolloutOf = (files: Texts): string | undefined => {
    const [path = ''] = Object.keys(files).filter((name) => name.startsWith('.github/'));
    const { jobs } = parse(files[path] ?? '') as {
      jobs: { rollout?: { defaults?: object; steps: readonly { readonly run?: string }[] } };
    };
    return jobs.rollout?.steps.at(-1)?.run;
  };

  test('the workflow rolls out the API of each pull request, of the image that it has', async () => {
    const directory = folderOf({
      '.git/HEAD': '',
      'services/shop/package.json': '{}',
      'services/shop/Dockerfile': 'FROM node\nUSER 1000\nHEALTHCHECK CMD curl http://localhost:3000/ok\n',
    });
    await created(join(directory, 'services/shop'), '--fairlead', '0.1.0', '--language', 'javascript');
    const files = filesOf(directory);
    const { version } = JSON.parse(readFileSync(join(root, 'reliability/package.json'), 'utf8')) as { version: string };
    expect(rolloutOf(files)).toBe(
      `npx --yes fairlead-reliability@${version} --get /ok --only rollout-api --build .. --main main.js`,
    );
    const text = files['.github/workflows/fairlead-services-shop.yml'] ?? '';
    const { jobs } = parse(text) as { jobs: Readonly<Record<string, { defaults: object; if?: string }>> };
    expect(jobs.rollout).toMatchObject({
      if: "github.event_name == 'pull_request'",
      defaults: { run: { 'working-directory': 'services/shop/deploy' } },
    });
    // From the folder of the deployment.
    const args = rolloutOf(files)
      ?.split(' ')
      .slice(3)
      .map((arg) => (arg === '..' ? join(directory, 'services/shop') : arg));
    expect(ownRunOptions(args ?? [], ['rollout-api'], {})).toMatchObject({ only: ['rollout-api'] });
  });

  test('the workflow finds the file of fairlead-reliability beside that of fairlead, and it is said if none is there', async () => {
    const directory = folderOf({
      'fairlead-0.1.0.tgz': '',
      'shop/package.json': '{}',
      'shop/Dockerfile': 'FROM node\nUSER 1000',
    });
    const said = await created(join(directory, 'shop'), '--fairlead', '../fairlead-0.1.0.tgz');
    expect(rolloutOf(filesOf(join(directory, 'shop')))).toMatch(
      /^npx --yes --package=\.\.\/\.\.\/fairlead-reliability-[\d.]+\.tgz fairlead-reliability --get \/healthcheck /,
    );
    expect(said).toMatch(
      /the rollout in the workflow needs fairlead-reliability-[\d.]+\.tgz beside the file of fairlead/,
    );
  });

  test('the workflow tries no rollout without a Dockerfile, which is said', async () => {
    const directory = folderOf({ 'package.json': '{}' });
    const said = await created(directory, '--fairlead', '0.1.0');
    expect(rolloutOf(filesOf(directory))).toBeUndefined();
    expect(said).toContain('the workflow tries no rollout, as there is no Dockerfile to build the image');
  });

  test('a folder of any name is a text in the workflow, and no expression of GitHub', async () => {
    const name = 'a "b" \\ #: ${{ secrets.KEY }} é';
    const directory = folderOf({ '.git/HEAD': '' });
    mkdirSync(join(directory, name));
    await created(join(directory, name));
    const [workflow = ''] = readdirSync(join(directory, '.github/workflows'));
    expect(workflow).toBe('fairlead-a-b-secrets-key.yml');
    const text = readFileSync(join(directory, '.github/workflows', workflow), 'utf8');
    const { jobs } = parse(text) as { jobs: { manifests: { defaults: { run: Texts } } } };
    expect(jobs.manifests.defaults.run['working-directory']).toBe('a "b" \\ #: ${{ \'${{\' }} secrets.KEY }} é');
  });
});

describe('files that are there', () => {
  test('are never overwritten: they are listed, and nothing is written', async () => {
    const directory = folderOf({ 'README.md': '# mine\n', 'main.ts': '// mine\n' });
    const before = filesOf(directory);
    await expect(created(directory)).rejects.toThrow(
      'nothing was written, as these are there already:\n  main.ts\n  README.md\nMove them away, or give another folder: --directory FOLDER',
    );
    expect(filesOf(directory)).toEqual(before);
  });

  test('are as little written through when they are links to nowhere', async () => {
    const directory = folderOf();
    symlinkSync(join(directory, 'nowhere'), join(directory, 'main.ts'));
    await expect(created(directory)).rejects.toThrow('\n  main.ts\n');
    expect(existsSync(join(directory, 'nowhere'))).toBe(false);
  });

  test('a second run is refused in the app and in its folder', async () => {
    const directory = sampleApp('plain-http');
    await created(directory);
    const before = filesOf(directory);
    await expect(created(directory)).rejects.toThrow('\n  deploy/main.js\n');
    await expect(created(join(directory, 'deploy'))).rejects.toThrow('\n  package.json\n');
    expect(filesOf(directory)).toEqual(before);
  });

  test('are named where a folder would have to be', async () => {
    const directory = folderOf({ '.git/HEAD': '', '.github': 'a file' });
    await expect(created(directory, 'shop')).rejects.toThrow('these are there already:\n  .github\n');
    expect(readdirSync(directory).sort()).toEqual(['.git', '.github']);
  });

  test('what cannot be written to the end is taken back', async () => {
    const directory = folderOf({ '.git/HEAD': '' });
    // Found out when everything but the workflow is written.
    symlinkSync('nowhere', join(directory, '.github'));
    await expect(created(directory, 'shop')).rejects.toThrow(/EEXIST|ENOENT/);
    expect(readdirSync(directory).sort()).toEqual(['.git', '.github']);
  });
});

test('Ctrl-C while it writes leaves no half of it', () => {
  const directory = folderOf();
  // A signal between two files, which would end the process at once.
  const program = `const { writeFiles } = require(${JSON.stringify(join(root, 'create/src/write-files.ts'))});
class Interrupted extends Map {
  *[Symbol.iterator]() {
    for (const entry of this.entries()) {
      yield entry;
      process.kill(process.pid, 'SIGINT');
    }
  }
}
writeFiles(new Interrupted(['one', 'two', 'three'].map((name) => [process.cwd() + '/' + name, name])), process.cwd());`;
  const { stderr } = spawnSync(process.execPath, [...typescriptProgram, '-e', program], {
    cwd: directory,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(filesOf(directory)).toEqual({ one: 'one', two: 'two', three: 'three' });
});

describe('what users call things', () => {
  test.each([
    ['@acme/Orders_API', 'orders-api'],
    ['nginx', 'api-nginx'],
    ['kube-tools', 'api-kube-tools'],
    ["it's ${x} `y`", 'it-s-x-y'],
    ['日本', 'api'],
    ['a'.repeat(80), 'a'.repeat(48)],
  ])('package.json may say %j, which becomes %s', async (name, id) => {
    const directory = folderOf({ 'package.json': JSON.stringify({ name, scripts: { start: 'node x.js' } }) });
    await created(directory);
    expect(optionsOf(filesOf(directory)['deploy/main.js'] ?? '').id).toBe(id);
  });

  test('a command with any characters is written as it is, and changes no terminal', async () => {
    const script = `node '\`\${process.exit(1)}\`' "it's" '\\u001b' '\u001b[2J' "new
line"`;
    const directory = folderOf({ 'package.json': JSON.stringify({ scripts: { start: script } }) });
    const said = await created(directory);
    expect(optionsOf(filesOf(directory)['deploy/main.js'] ?? '').options.local?.command).toEqual([
      'node',
      '`${process.exit(1)}`',
      "it's",
      '\\u001b',
      '\u001b[2J',
      'new\nline',
    ]);
    expect(said).not.toContain('\u001b');
  });

  test('a folder with blanks is quoted in the commands that come next', async () => {
    expect(await created(folderOf(), "my shop's")).toContain(`  cd 'my shop'\\''s'\n`);
  });
});

describe('a command line that cannot be', () => {
  test.each([
    [['--prot', '80'], "Unknown option '--prot'"],
    [['--port', 'http'], '--port: "http" is out of range: give a whole number from 1 to 65535'],
    [['--host', 'Shop'], '--host: "Shop" is not a DNS name'],
    [['--image', 'a b'], '--image: "a b" is not the name of an image'],
    [['--name', 'nginx'], '--name: "nginx" is the name of the proxy or of a namespace of the cluster'],
    [['--name', 'a'.repeat(60)], 'is too long: give at most 52 letters'],
    [['--health-check-path', 'health'], '--health-check-path: "health" is not a URL path'],
    [['--command', 'a | b'], '--command: "a | b" has "|", which needs a shell'],
    [['--language', 'rust'], '--language: "rust" is unknown: give one of typescript, javascript'],
    [['--fairlead', './nowhere.tgz'], 'is not there: '],
    [['--fairlead', 'a b'], '--fairlead: "a b" is nothing that npm installs'],
    [['one', 'two'], '"two" is one folder too many'],
    [['one', '--directory', 'two'], '"one" is one folder too many'],
    [['--directory', ''], '--directory: "" is not a folder'],
    [['file'], 'is a file: give a folder'],
  ])('%j is refused, and nothing is written', async (args, message) => {
    const directory = folderOf({ file: '' });
    await expect(created(directory, ...args)).rejects.toThrow(message);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  test('help and the version are said, and nothing is written', async () => {
    const directory = folderOf();
    expect(await created(directory, '--help')).toContain('Usage: npm create fairlead');
    expect(await created(directory, '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(readdirSync(directory)).toEqual([]);
  });
});

test('a deployment is no app: what is written is not read again', async () => {
  const directory = folderOf();
  await created(directory, '--language', 'javascript');
  writeFileSync(join(directory, 'main.js'), '');
  await expect(created(directory)).rejects.toThrow('\n  package.json\n');
});

test.each([
  [
    'a folder that has such files',
    ['.'],
    'create-fairlead: nothing was written, as these are there already:\n  main.ts\n',
  ],
  ['an option that does not exist', ['--prot=80'], "create-fairlead: Unknown option '--prot'"],
  ['an option that cannot be', ['--port=0'], 'create-fairlead: --port: 0 is out of range'],
])('%s ends with exit code 2 and says why', (_what, args, message) => {
  const directory = folderOf({ 'main.ts': '' });
  const program = [...typescriptProgram, join(root, 'create/src/create-fairlead.ts')];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], {
    cwd: directory,
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
  expect(readdirSync(directory)).toEqual(['main.ts']);
});
