import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Agent, request } from 'undici';
import { freePort } from '../../../local/ports';
import { onTestFinished } from '../../afterwards';
import type { Manifest } from '../../charts/manifests';
import { writeProgram } from '../../dashboard/written-program';
import { until } from '../../until';

const root = resolve(__dirname, '../../..');
const cli = join(root, 'node_modules/cdk8s-cli/bin/cdk8s');
const { devDependencies: versions, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
  version: string;
};

let app: string;

function npm(args: readonly string[], cwd: string): string {
  const shared = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  return execFileSync('npm', [...args, ...shared], { cwd, encoding: 'utf8', stdio: 'pipe' });
}

function node(...args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: app, encoding: 'utf8' });
}

beforeAll(() => {
  app = mkdtempSync(join(tmpdir(), 'fairlead-package-'));
  npm(['pack', '--pack-destination', app], root);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true }));
  const peers = ['cdk8s', 'cdk8s-plus-27', 'constructs'].map((name) => `${name}@${String(versions[name])}`);
  npm(['install', `fairlead-${version}.tgz`, ...peers], app);
}, 180_000);

afterAll(() => {
  rmSync(app, { recursive: true, force: true });
});

test.each(['typescript', 'typescript-7'])(
  'ten lines in an empty app type-check with %s and synthesize',
  (typescript) => {
    writeFileSync(
      join(app, 'main.ts'),
      `import { App } from 'cdk8s';
import { LoadBalancedApi } from 'fairlead';

const app = new App();
new LoadBalancedApi(app, 'orders', {
  image: 'ghcr.io/acme/orders:1.4.2',
  host: 'orders.example.com',
  replicas: { min: 3, max: 12 },
});
app.synth();
`,
    );
    const tsc = join(root, 'node_modules', typescript, 'bin/tsc');
    node(tsc, '--strict', '--module', 'node16', '--target', 'es2022', '--skipLibCheck', 'main.ts');
    node('main.js');
    const files = readdirSync(join(app, 'dist')).sort();
    expect(files[0]).toMatch(/namespace/);
    const manifests = files.map((file) => readFileSync(join(app, 'dist', file), 'utf8')).join('\n---\n');
    expect(manifests).toContain('image: ghcr.io/acme/orders:1.4.2');
    expect(manifests).toContain('server_name orders.example.com;');
  },
);

test('the dashboard of a cluster is made of what the package has', async () => {
  const port = await freePort();
  writeFileSync(
    join(app, 'dashboard.js'),
    `const { App, Testing } = require('cdk8s');
const { LoadBalancedApi } = require('fairlead');
const app = new App();
const api = new LoadBalancedApi(app, 'orders', { image: 'ghcr.io/acme/orders:1.4.2' });
api.proxy.addMonitoring({ dashboard: { port: ${port} } });
console.log(JSON.stringify(app.charts.flatMap((chart) => Testing.synth(chart))));
`,
  );
  const manifests = JSON.parse(node('dashboard.js').split('\n').at(-2) ?? '') as Manifest[];
  const directory = join(app, 'dashboard');
  writeProgram(directory, manifests, 'nginx-dashboard', (given) => given);
  const running = spawn(process.execPath, ['dashboard/cluster/main.js', 'system.json'], { cwd: directory });
  onTestFinished(() => running.kill('SIGKILL'));
  await once(running.stdout, 'data');
  for (const path of ['/', '/app.mjs', '/style.css', '/uPlot.iife.min.js']) {
    const { statusCode, body } = await request(`http://localhost:${String(port)}${path}`);
    await body.dump();
    expect([path, statusCode]).toEqual([path, 200]);
  }
});

test('a refused option is one line for an app that preloads fairlead/one-line-errors', () => {
  writeFileSync(
    join(app, 'refused.js'),
    `const { App } = require('cdk8s');
const { LoadBalancedApi } = require('fairlead');
new LoadBalancedApi(new App(), 'orders', { image: 'x', port: 70000 });
`,
  );
  const refused = (): string => {
    try {
      return execFileSync(process.execPath, ['-r', 'fairlead/one-line-errors', 'refused.js'], {
        cwd: app,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    } catch (error) {
      return (error as { stderr: string }).stderr;
    }
  };
  expect(refused()).toBe('orders port: 70000 is out of range: give a whole number from 1 to 65535\n');
});

test('cdk8s synth is one line an error, and exit code 1, with the cdk8s.yaml of README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [yaml = ''] = /^language: typescript\napp: .*fairlead\/one-line-errors main\.ts$/m.exec(readme) ?? [];
  writeFileSync(join(app, 'cdk8s.yaml'), `${yaml}\n`);
  writeFileSync(join(app, 'tsconfig.json'), '{ "compilerOptions": { "module": "node16", "target": "es2022" } }');
  writeFileSync(
    join(app, 'main.ts'),
    `import { App } from 'cdk8s';
import { NginxProxy, RestrictedNamespace } from 'fairlead';
const app = new App();
new NginxProxy(new RestrictedNamespace(app, 'shop'), 'edge');
new NginxProxy(new RestrictedNamespace(app, 'other'), 'front');
app.synth();
`,
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'synth', '--check-upgrade=false'], {
    cwd: app,
    encoding: 'utf8',
    // What this repository has of it does as well, without a check of types.
    env: { ...process.env, NODE_PATH: join(root, 'node_modules'), TS_NODE_TRANSPILE_ONLY: 'true' },
  });
  const lines = `${stdout}${stderr}`.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([expect.stringMatching(/^shop\/edge /), expect.stringMatching(/^other\/front /)]),
  );
  expect(lines.filter((line) => /^ +at /.test(line))).toEqual([]);
  expect(status).toBe(1);
});

test('an app that has tsx needs no ts-node, for the command nor for cdk8s synth', () => {
  const directory = join(app, 'with-tsx');
  mkdirSync(join(directory, 'node_modules'), { recursive: true });
  symlinkSync(join(root, 'node_modules/tsx'), join(directory, 'node_modules/tsx'));
  writeFileSync(
    join(directory, 'main.ts'),
    `import { App } from 'cdk8s';
import { LoadBalancedApi, type LoadBalancedApiProps } from 'fairlead';

const props: LoadBalancedApiProps = { image: 'ghcr.io/acme/orders:1.4.2', host: 'orders.example.com' };
const app = new App();
new LoadBalancedApi(app, 'orders', props);
app.synth();
`,
  );
  const readme = readFileSync(join(root, 'create/README.md'), 'utf8');
  const [yaml = ''] = /app: node -r tsx\/cjs [^`]*/.exec(readme) ?? [];
  writeFileSync(join(directory, 'cdk8s.yaml'), `language: typescript\n${yaml}\n`);
  const output = { cwd: directory, encoding: 'utf8' } as const;
  const fairlead = join(app, 'node_modules/fairlead/lib/cli.js');
  expect(execFileSync(process.execPath, [fairlead, 'timeline'], output)).toContain('orders');
  execFileSync(process.execPath, [cli, 'synth', '--check-upgrade=false'], output);
  const manifests = readdirSync(join(directory, 'dist')).map((file) =>
    readFileSync(join(directory, 'dist', file), 'utf8'),
  );
  expect(manifests.join('')).toContain('image: ghcr.io/acme/orders:1.4.2');
});

test("the command runs an app of the package's user, and asks for one if none is given", async () => {
  const fairlead = join(app, 'node_modules', 'fairlead', 'lib', 'cli.js');
  const [httpPort, httpsPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const dashboardPort = await freePort();
  const ports = [
    ...['--http-port', httpPort, '--https-port', httpsPort],
    ...['--metrics-port', metricsPort, '--dashboard-port', dashboardPort],
  ].map(String);
  const elsewhere = spawnSync(process.execPath, [fairlead, 'start', ...ports], { cwd: tmpdir(), encoding: 'utf8' });
  expect(elsewhere.stderr).toBe(
    'fairlead: main.ts is not here, which would say what to run: give the program, such as --command "node server.js"\n',
  );
  expect(elsewhere.status).toBe(2);
  writeFileSync(join(app, 'main.ts'), '');
  const without = spawnSync(process.execPath, [fairlead, 'start', ...ports], { cwd: app, encoding: 'utf8' });
  expect(without.stderr).toBe(
    `fairlead: main.ts: ${JSON.stringify(app)} has neither ts-node nor tsx, one of which has to load it: npm install --save-dev ts-node\n`,
  );

  writeFileSync(
    join(app, 'server.js'),
    "require('node:http').createServer((request, response) => response.end(process.env.HOSTNAME)).listen(process.env.PORT);",
  );
  const running = spawn(process.execPath, [fairlead, 'start', ...ports, '--command', 'node server.js'], { cwd: app });
  // Its watchdog ends the rest.
  onTestFinished(() => running.kill('SIGKILL'));
  let output = '';
  running.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await until(() => output.includes(`https://localhost:${String(httpsPort)}`), 'the banner');
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  onTestFinished(() => dispatcher.destroy());
  const answer = await request(`https://localhost:${String(httpsPort)}/`, { dispatcher });
  expect(await answer.body.text()).toMatch(/^api-[12]$/);
  for (const path of ['/', '/app.mjs', '/style.css', '/uPlot.iife.min.js']) {
    const { statusCode, body } = await request(`http://localhost:${String(dashboardPort)}${path}`);
    await body.dump();
    expect([path, statusCode]).toEqual([path, 200]);
  }
  running.kill('SIGINT');
  expect((await once(running, 'exit'))[0]).toBe(0);
});

test('the command says its version', () => {
  expect(node(join('node_modules', 'fairlead', 'lib', 'cli.js'), '--version')).toContain(version);
});

test('an installation from git is built, as one from the registry is', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-git-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'app', private: true }));
  npm(['install', `git+file://${root}`], directory);
  const installed = (name: string): string => join(directory, 'node_modules/fairlead', name);
  expect(readdirSync(installed('.')).sort()).toEqual(readdirSync(join(app, 'node_modules/fairlead')).sort());
  const command = [installed('lib/cli.js'), '--version'];
  expect(execFileSync(process.execPath, command, { encoding: 'utf8' })).toContain(version);
}, 300_000);

describe('create-fairlead', () => {
  const languages = ['typescript', 'javascript'] as const;
  /** An app each, and what is written beside it. */
  let projects: string;
  const deployment = (language: string): string => join(projects, language, 'deploy');

  beforeAll(() => {
    projects = mkdtempSync(join(tmpdir(), 'fairlead-create-'));
    npm(['pack', '--pack-destination', projects], join(root, 'create'));
    for (const language of languages) {
      const directory = join(projects, language);
      mkdirSync(directory);
      const own = { name: 'orders', version: '1.4.2', scripts: { start: 'node server.js' } };
      writeFileSync(join(directory, 'package.json'), JSON.stringify(own));
      writeFileSync(
        join(directory, 'server.js'),
        `const { createServer } = require('node:http');
createServer((request, response) => {
  if (request.url === '/healthz') return response.end('ok');
  response.end(process.env.HOSTNAME + ' of the app');
}).listen(process.env.PORT || 8080);
`,
      );
      const create = ['exec', '--yes', '--offline', `--package=${join(projects, `create-fairlead-${version}.tgz`)}`];
      const options = ['--language', language, '--fairlead', join(app, `fairlead-${version}.tgz`)];
      execFileSync('npm', [...create, '--', 'create-fairlead', ...options], {
        cwd: directory,
        stdio: ['ignore', 'ignore', 'inherit'],
        // npm keeps what it executes once.
        env: { ...process.env, npm_config_cache: join(projects, 'cache') },
      });
    }
    // npm finds all that it names, in versions that fit one another; they are those of the repository, which are not unpacked again.
    npm(['install', '--package-lock-only'], deployment('typescript'));
    linkDependencies(deployment('typescript'));
    // What plain JavaScript needs is some of it.
    symlinkSync(join(deployment('typescript'), 'node_modules'), join(deployment('javascript'), 'node_modules'));
  }, 180_000);

  function linkDependencies(directory: string): void {
    const { devDependencies } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const modules = join(directory, 'node_modules');
    for (const name of [...Object.keys(devDependencies), '.bin']) {
      // fairlead is what was packed and installed, and what it is made of is its own.
      const isOfFairlead = name !== '.bin' && existsSync(join(app, 'node_modules', name));
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(isOfFairlead ? app : root, 'node_modules', name), join(modules, name));
    }
  }

  afterAll(() => {
    rmSync(projects, { recursive: true, force: true });
  });

  test.each(languages)(
    'what it writes in %s type-checks, synthesizes, passes its test and runs the app',
    async (language) => {
      const directory = deployment(language);
      npm(['run', 'synth'], directory);
      const files = readdirSync(join(directory, 'dist'));
      const manifests = files.map((file) => readFileSync(join(directory, 'dist', file), 'utf8')).join('\n---\n');
      expect(manifests).toContain('image: ghcr.io/acme/orders:1.4.2');
      expect(manifests).toContain('path: /healthz');
      expect(manifests).toContain('containerPort: 8080');
      npm(['test'], directory);

      const { scripts } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
        scripts: { start: string };
      };
      const [, ...start] = scripts.start.split(' ');
      const [httpPort, httpsPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
      const ports = ['--http-port', httpPort, '--https-port', httpsPort, '--metrics-port', metricsPort].map(String);
      const running = spawn(process.execPath, [join('node_modules/fairlead/lib/cli.js'), ...start, ...ports], {
        cwd: directory,
      });
      onTestFinished(() => running.kill('SIGKILL'));
      let output = '';
      running.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      running.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
      await until(
        () => output.includes(`https://localhost:${String(httpsPort)}`) || running.exitCode !== null,
        'the banner',
      );
      const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
      onTestFinished(() => dispatcher.destroy());
      const answer = await request(`https://localhost:${String(httpsPort)}/`, { dispatcher });
      expect(await answer.body.text()).toMatch(/^orders-[12] of the app$/);
      running.kill('SIGINT');
      expect((await once(running, 'exit'))[0]).toBe(0);
    },
    180_000,
  );
});
