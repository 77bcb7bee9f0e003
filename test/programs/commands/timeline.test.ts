import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { ProjectCopy } from '../../timeline/project-copy';
import { runResults } from '../../timeline/run-results';

let project: ProjectCopy;

beforeEach(() => {
  project = new ProjectCopy();
});

afterEach(() => {
  project.remove();
});

const timeline = (args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) =>
  project.run('cli.ts', ['timeline', ...args], environment);

test('The timeline of main.ts is printed, in the environment that is named, and nothing is written', async () => {
  const production = await timeline();
  expect(production).toMatchObject({ code: 0, stderr: '' });
  expect(production.stdout).toMatch(/^nginx, namespace api, environment production\n\nA pod of the API starts\n/);
  expect(production.stdout).toContain('0 to 37 s  Its first request');
  expect(production.stdout).not.toContain('\u001b');
  expect(Math.max(...production.stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);

  const kind = await timeline([], { FAIRLEAD_ENVIRONMENT: 'kind' });
  expect(kind.stdout).toContain('nginx, namespace api, environment kind\n');
  expect(kind.stdout).toContain(' 0 to 7 s  Its first request');
  expect(existsSync(project.path('dist'))).toBe(false);
});

test('Each proxy of main.ts has its own', async () => {
  writeFileSync(
    project.path('main.ts'),
    `import { App } from 'cdk8s';
import { LoadBalancedApi } from './charts/load-balanced-api';
const app = new App();
for (const [name, resolverValid] of [['orders', '2s'], ['users', '9s']] as const) {
  new LoadBalancedApi(app, name, { image: 'api:1', namespace: { dnsCacheTtl: '0s', resolverValid } });
}
app.synth();
`,
  );
  const { code, stdout } = await timeline();
  expect(code).toBe(0);
  const [orders = '', users = ''] = stdout.split(/\n(?=nginx, namespace )/);
  expect(orders).toMatch(/^nginx, namespace orders, environment production\n/);
  expect(orders).toContain('resolverValid 2s');
  expect(users).toMatch(/^nginx, namespace users, environment production\n/);
  expect(users).toContain('resolverValid 9s');
});

test('A proxy in front of several backends is printed, and each of their times once', async () => {
  writeFileSync(
    project.path('main.ts'),
    `import { App } from 'cdk8s';
import { Backend } from './charts/backend';
import { RestrictedNamespace } from './charts/namespace';
import { NginxProxy } from './charts/proxy/nginx-proxy';
const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const edge = new NginxProxy(shop, 'edge');
for (const [name, requestTimeout] of [['orders', '20s'], ['catalog', '40s']] as const) {
  edge.addRoute('/' + name, new Backend(shop, name, { image: 'api:1', requestTimeout }));
}
app.synth();
`,
  );
  const { code, stdout } = await timeline();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^edge, namespace shop, environment production\n\nA pod of the API starts\n/);
  expect(stdout).toContain('\nA pod of the API ends: /orders\n');
  expect(stdout).toContain('\nA pod of the API ends: /catalog\n');
  expect(stdout.match(/^A proxy ends$/gm)).toHaveLength(1);
});

test('--measured prints measured times beside the computed ones of the deployment that was measured', async () => {
  writeFileSync(
    project.path('docs/reliability.json'),
    runResults({ 'api-pod-starts.first-request': [1.7, 2.7], 'node-dies.not-ready': [75] }),
  );
  const { code, stdout } = await timeline(['--measured']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^nginx, namespace api, as npm run reliability deploys it\n/);
  expect(stdout).toContain('requestTimeout 20s');
  expect(stdout).toContain(' measured 1.7 to 2.7 s (2 times)\n');
  expect(stdout).toContain(' ! measured 75 s (once): outside\n');
  expect((await timeline([], { FAIRLEAD_ENVIRONMENT: 'kind' })).stdout).not.toContain('measured');
});

test('The budget of main.ts is printed by itself, as it ends the timeline', async () => {
  const budget = await project.run('cli.ts', ['budget']);
  expect(budget).toMatchObject({ code: 0, stderr: '' });
  const [heading, ...rest] = budget.stdout.split('\n\n');
  expect(heading).toBe('nginx, namespace api, environment production');
  expect(rest.join('\n\n')).toMatch(/^What one proxy takes on at a time/);
  expect((await timeline()).stdout).toContain(rest.join('\n\n'));
});

test('Another file than main.ts is read where it is named', async () => {
  renameSync(project.path('main.ts'), project.path('shop.ts'));
  const { code, stdout } = await timeline(['--main', 'shop.ts']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^nginx, namespace api, environment production\n/);
});

test('--measured is refused where there is no suite that measures', async () => {
  rmSync(project.path('reliability/report/measured-timeline.ts'));
  expect(await timeline(['--measured'])).toEqual({
    code: 2,
    stdout: '',
    stderr: "fairlead: timeline: --measured is of fairlead's own repository: take it out\n",
  });
});

describe('What cannot be printed ends in one line and exit code 1', () => {
  const ends = async (
    line: string,
    environment: Readonly<Record<string, string>> = {},
    args: readonly string[] = [],
  ): Promise<void> => {
    expect(await timeline(args, environment)).toEqual({ code: 1, stdout: '', stderr: `fairlead: ${line}\n` });
  };

  test('an environment that is not there', async () => {
    await ends('FAIRLEAD_ENVIRONMENT: "prodution" is unknown: give one of production, kind', {
      FAIRLEAD_ENVIRONMENT: 'prodution',
    });
  });

  test('an option that cannot work', async () => {
    writeFileSync(
      project.path('main.ts'),
      `import { App } from 'cdk8s';
import { LoadBalancedApi } from './charts/load-balanced-api';
new LoadBalancedApi(new App(), 'api', { image: 'api:1', namespace: { resolverValid: '0s' } });
`,
    );
    await ends('api namespace.resolverValid: "0s" is too short: give 1s or more');
  });

  test('an app without a proxy, or one that is not synthesized', async () => {
    writeFileSync(project.path('main.ts'), "import { App } from 'cdk8s';\nnew App().synth();\n");
    await ends('main.ts synthesizes no NginxProxy: add one, or a LoadBalancedApi, and end with app.synth()');
  });

  test('no main.ts', async () => {
    rmSync(project.path('main.ts'));
    await ends(`main.ts is not in ${project.directory}: put it there, or name the file that is: --main main.js`);
  });

  test("a run's file that is not one", async () => {
    writeFileSync(project.path('docs/reliability.json'), '[');
    const line = `${project.path('docs/reliability.json')}: is not what the reliability run writes: run it again`;
    await ends(line, {}, ['--measured']);
  });
});

test('A mistake in main.ts itself is shown whole', async () => {
  writeFileSync(project.path('main.ts'), "throw new TypeError('a mistake');\n");
  const { code, stderr } = await timeline();
  expect(code).toBe(1);
  expect(stderr).toMatch(/TypeError: a mistake\n +at .*main\.ts/);
});
