import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { foundApp, type FoundApp } from '../../create/src/app/app';
import { dockerfile, imageUser } from '../../create/src/app/dockerfile';
import { startCommand } from '../../create/src/app/start-command';
import { packageJson } from '../../create/src/app/package-json';
import { folderOf } from './created';

const apps = resolve(__dirname, 'apps');

/** What a person who read the app would say of it. */
interface Truth {
  readonly framework: FoundApp['framework'];
  readonly language: FoundApp['language'];
  readonly port: number;
  readonly healthCheck: { readonly path: string; readonly liveness?: string; readonly readiness?: string } | undefined;
  readonly command: string | undefined;
  /** The number of its user that has to be given. */
  readonly user: number | undefined;
  readonly readsPort: boolean;
}

const truths: Readonly<Record<string, Truth>> = {
  'express-generator': {
    framework: 'express',
    language: 'javascript',
    port: 3000,
    healthCheck: undefined,
    command: 'node ./bin/www',
    user: undefined,
    readsPort: true,
  },
  'express-typescript': {
    framework: 'express',
    language: 'typescript',
    port: 8080,
    healthCheck: { path: '/health' },
    command: 'node --enable-source-maps dist/server.js',
    user: 1000,
    readsPort: true,
  },
  'express-modules': {
    framework: 'express',
    language: 'javascript',
    port: 4000,
    healthCheck: { path: '/api/healthz' },
    command: 'node index.js',
    user: 1000,
    readsPort: true,
  },
  'express-legacy': {
    framework: 'express',
    language: 'javascript',
    port: 8085,
    healthCheck: { path: '/healthcheck' },
    command: 'node app.js',
    user: 1000,
    readsPort: false,
  },
  'express-tsx': {
    framework: 'express',
    language: 'typescript',
    port: 5000,
    healthCheck: { path: '/health', liveness: '/health/live', readiness: '/health/ready' },
    command: 'node_modules/.bin/tsx src/main.ts',
    user: undefined,
    readsPort: true,
  },
  'nest-starter': {
    framework: 'nest',
    language: 'typescript',
    port: 3000,
    healthCheck: { path: '/api/health' },
    command: 'node dist/main',
    user: undefined,
    readsPort: true,
  },
  'nest-fastify': {
    framework: 'nest',
    language: 'typescript',
    port: 5005,
    healthCheck: { path: '/readyz', liveness: '/livez' },
    command: 'node dist/src/main.js',
    user: 1001,
    readsPort: true,
  },
  'fastify-cli': {
    framework: 'fastify',
    language: 'javascript',
    port: 3000,
    healthCheck: { path: '/internal/health' },
    command: 'node_modules/.bin/fastify start -l info app.js',
    user: undefined,
    readsPort: true,
  },
  'fastify-plugins': {
    framework: 'fastify',
    language: 'javascript',
    port: 8081,
    healthCheck: { path: '/internal/ready', liveness: '/internal/live' },
    command: 'node src/index.js',
    user: 1000,
    readsPort: false,
  },
  'koa-router': {
    framework: 'koa',
    language: 'javascript',
    port: 7000,
    healthCheck: { path: '/v1/healthcheck' },
    command: 'node server.js',
    user: undefined,
    readsPort: true,
  },
  'plain-http': {
    framework: 'http',
    language: 'javascript',
    port: 8000,
    healthCheck: { path: '/healthz' },
    command: 'node server.mjs',
    user: undefined,
    readsPort: true,
  },
  python: {
    framework: undefined,
    language: undefined,
    port: 8000,
    healthCheck: { path: '/up' },
    command: undefined,
    user: 10_001,
    readsPort: false,
  },
  // Its port and its path are in a file of settings, which no pattern finds.
  configured: {
    framework: 'express',
    language: 'javascript',
    port: 6543,
    healthCheck: { path: '/internal/health' },
    command: 'node index.js',
    user: undefined,
    readsPort: false,
  },
};

function found(name: string): Truth {
  const { framework, language, port, healthCheck, start, user } = foundApp(join(apps, name), join(apps, name));
  return {
    framework,
    language,
    port: port.port ?? 3000,
    healthCheck: healthCheck && {
      path: healthCheck.path,
      ...(healthCheck.liveness === undefined ? {} : { liveness: healthCheck.liveness }),
      ...(healthCheck.readiness === undefined ? {} : { readiness: healthCheck.readiness }),
    },
    command: start?.words.join(' '),
    user: user?.kind === 'given' ? user.id : undefined,
    readsPort: port.readsPort,
  };
}

test('every sample app has its truth', () => {
  expect(readdirSync(apps).sort()).toEqual(Object.keys(truths).sort());
});

test('everything is found out right of nine sample apps in ten', () => {
  const wrong = Object.entries(truths).filter(([name, truth]) => {
    try {
      expect(found(name)).toEqual(truth);
      return false;
    } catch {
      return true;
    }
  });
  expect(wrong.map(([name]) => name)).toEqual(['configured']);
  expect(1 - wrong.length / Object.keys(truths).length).toBeGreaterThanOrEqual(0.9);
});

test('what is in no source is not made up', () => {
  expect(found('configured')).toMatchObject({ port: 3000, healthCheck: undefined });
});

test.each([
  ['process.env.PORT || 4000', 4000],
  ['Number(process.env.PORT) || 4001', 4001],
  ['parseInt(process.env.PORT, 10) || 4002', 4002],
  ["parseInt(process.env.PORT ?? '4003', 10)", 4003],
  ["process.env['PORT'] ?? 4004", 4004],
  ['process.env.PORT ? Number(process.env.PORT) : 4005', 4005],
  ["convict({ port: { format: 'port', default: 4006, env: 'PORT' } })", 4006],
  ['cleanEnv(process.env, { PORT: port({ default: 4007 }) })', 4007],
  ["env.get('PORT').default('4008').asPortNumber()", 4008],
  ['{ port: process.env.PORT, timeout: 5000 }', undefined],
])('the port of `%s` is %p', (source, port) => {
  const directory = folderOf({ 'package.json': '{}', 'config.js': `module.exports = ${source};\n` });
  expect(foundApp(directory, directory).port).toMatchObject({ port, readsPort: true });
});

test('a configuration of the app is read, and one of its tools is not', () => {
  const directory = folderOf({
    'package.json': '{}',
    'vite.config.js': 'export default { server: { port: process.env.PORT ?? 5173 } };\n',
    'src/app.config.ts':
      'export default { port: process.env.APP_PORT ? 1 : process.env.PORT ? Number(process.env.PORT) : 3001 };\n',
  });
  expect(foundApp(directory, directory).port).toMatchObject({ port: 3001, from: 'src/app.config.ts' });
});

test('an app that is told its port by another name is said to be', () => {
  const directory = folderOf({ 'package.json': '{}', 'index.js': 'app.listen(process.env.APP_PORT || 9000);\n' });
  expect(foundApp(directory, directory).port).toMatchObject({
    port: 9000,
    readsPort: false,
    otherVariable: 'APP_PORT',
  });
});

test.each([
  ["app.get(['/ok', '/healthz'], handler);", '/healthz'],
  ["const api = express.Router(); app.use('/api', api); api.get('/health', handler);", '/api/health'],
  ["router.route('/health').get(handler);", '/health'],
  ["if (req.url === '/-/health') res.end();", '/-/health'],
  ["createTerminus(server, { healthChecks: { '/healthz': check } });", '/healthz'],
  ["app.get('/ping', handler);", '/ping'],
  ["app.get('/status', handler); app.get('/health', handler);", '/health'],
  ["app.get('/orders/:id/health', handler);", undefined],
  ["app.get('/orders/latest/status', handler);", undefined],
  ["axios.get('/health');", undefined],
])('the health check of `%s` is %p', (source, path) => {
  const directory = folderOf({ 'package.json': '{}', 'app.js': `${source}\n` });
  expect(foundApp(directory, directory).healthCheck?.path).toBe(path);
});

test('a single path that says whether an app is ready is known to be one', () => {
  const directory = folderOf({ 'package.json': '{}', 'app.js': "app.get('/readyz', handler);\n" });
  expect(foundApp(directory, directory).healthCheck).toMatchObject({ path: '/readyz', isReadinessAlone: true });
});

test('a source of one long word, such as data in hex, keeps nobody waiting', () => {
  const data = `module.exports = '${'0123456789abcdef'.repeat(15_000)}';\n`;
  const sources = Object.fromEntries([1, 2, 3, 4, 5].map((number) => [`data-${number}.js`, data]));
  const directory = folderOf({ 'package.json': '{}', 'app.js': "app.get('/health', handler);\n", ...sources });
  expect(foundApp(directory, directory).healthCheck?.path).toBe('/health');
});

test.each([
  ['node server.js', 'node server.js', {}],
  ['NODE_ENV=production PORT=80 node server.js', 'node server.js', { NODE_ENV: 'production' }],
  [
    'cross-env NODE_ENV=production node --env-file=.env server.js',
    'node --env-file=.env server.js',
    { NODE_ENV: 'production' },
  ],
  ['npm run build && node dist/server.js', 'node dist/server.js', {}],
  ['npm run serve', 'node served.js', {}],
  ['node --watch "with blank.js"', 'node with blank.js', {}],
  ['nodemon server.js', 'node server.js', {}],
  ['ts-node src/index.ts', 'node_modules/.bin/ts-node src/index.ts', {}],
  ['node server.js | pino-pretty', 'npm run --silent start', {}],
  ['npm start', 'npm run --silent start', {}],
  ['rollup -c --watch', 'npm run --silent start', {}],
  ['pm2 start ecosystem.config.json --no-daemon', 'node src/index.js', {}],
])('scripts.start %j runs %j', (start, command, environment) => {
  const directory = folderOf({
    'package.json': JSON.stringify({
      scripts: { start, serve: 'node served.js' },
      devDependencies: { 'ts-node': '10', pm2: '5', rollup: '4' },
    }),
    'src/index.js': '',
  });
  const program = startCommand(directory, directory, packageJson(directory), undefined);
  expect([program?.words.join(' '), program?.environment]).toEqual([command, environment]);
});

test('a program of a workspace is looked for where npm has put it, and no further than in the repository', () => {
  const repository = folderOf({
    'package.json': '{ "workspaces": ["services/*"] }',
    'node_modules/.bin/tsx': '',
    'services/shop/package.json': '{ "scripts": { "start": "tsx main.ts" }, "devDependencies": { "tsx": "4" } }',
  });
  const app = join(repository, 'services/shop');
  expect(foundApp(app, repository).start?.words).toEqual(['../../node_modules/.bin/tsx', 'main.ts']);
  expect(foundApp(app, app).start?.words).toEqual(['node_modules/.bin/tsx', 'main.ts']);
  mkdirSync(join(app, 'node_modules/.bin'), { recursive: true });
  writeFileSync(join(app, 'node_modules/.bin/tsx'), '');
  expect(foundApp(app, repository).start?.words).toEqual(['node_modules/.bin/tsx', 'main.ts']);
});

test.each([
  ['FROM node:22', 1000],
  ['FROM node:22\nUSER 0', 1000],
  ['FROM node:22\nUSER 1000:1000', undefined],
  ['FROM node:22 AS base\nUSER node\nFROM base', 1000],
  ['FROM node:22 AS base\nUSER node\nFROM node:22', 1000],
  ['FROM debian\nRUN useradd -r -u 999 -g app app\nUSER app', 999],
  ['FROM debian\nRUN useradd --uid=4321 \\\n  # a comment between\n  app\nUSER app', 4321],
  ['ARG TAG=nonroot\nFROM gcr.io/distroless/nodejs22:$TAG', undefined],
  ['FROM registry.access.redhat.com/ubi9/nodejs-22-minimal:9.6', undefined],
  ['FROM quay.io/sclorg/nodejs-20-c9s', undefined],
  ['FROM registry.access.redhat.com/ubi9/ubi', 1000],
  ['FROM node:22\nARG UID=1234\nUSER ${UID}', undefined],
])('the image of %j needs the user %p', (text, id) => {
  const file = dockerfile(text);
  const user = file === undefined ? undefined : imageUser(file);
  expect(user).toMatchObject(id === undefined ? { kind: 'number' } : { kind: 'given', id });
});

test('a port that is known while an image is built is where EXPOSE names it, and in no variable of the image', () => {
  const file = dockerfile('FROM node:22\nARG PORT=4100\nEXPOSE $PORT');
  expect([file?.ports, file?.environment]).toEqual([[4100], {}]);
});

test('a user of an image who has no number that is known is said to have none', () => {
  const file = dockerfile('FROM ghcr.io/acme/base\nUSER acme');
  expect(file && imageUser(file)).toEqual({ kind: 'unknown', name: 'acme' });
});

test.each([
  ['"repository": "github:Acme/shop"', 'acme'],
  ['"repository": { "url": "git+https://github.com/acme-co/shop.git" }', 'acme-co'],
  ['"repository": "https://gitlab.com/acme/shop"', undefined],
])('the owner of %s is %p', (repository, owner) => {
  const directory = folderOf({ 'package.json': `{ ${repository} }` });
  expect(foundApp(directory, directory).owner).toBe(owner);
});

test('the owner is that of the remote repository where package.json has none', () => {
  const directory = folderOf({
    'package.json': '{}',
    '.git/config': '[core]\n\tbare = false\n[remote "origin"]\n\turl = git@github.com:acme/shop.git\n',
  });
  expect(foundApp(directory, directory).owner).toBe('acme');
});

test('a package.json that is no JSON is refused by its name', () => {
  const directory = folderOf({ 'package.json': '{ "name": }' });
  expect(() => foundApp(directory, directory)).toThrow(/^".*package\.json" cannot be read: /);
});

test('whatever else a package.json has in the place of texts is passed over', () => {
  const content = { name: 7, scripts: { start: ['node'] }, dependencies: null, main: {}, repository: 1, jest: 'x' };
  const directory = folderOf({ 'package.json': JSON.stringify(content) });
  expect(foundApp(directory, directory).start).toBeUndefined();
});
