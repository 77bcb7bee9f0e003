import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { answer } from '../../api/support/answer';
import { NodeProcess } from '../../api/support/node-process';
import { RawConnection } from '../../api/support/raw-connection';
import { onTestFinished } from '../../afterwards';
import { until } from '../../until';

const root = resolve(__dirname, '../../..');
const typescript = resolve(root, 'node_modules/typescript/bin/tsc');
const { version } = JSON.parse(readFileSync(join(root, 'serve/package.json'), 'utf8')) as { version: string };
/** What the budget of the package is, packed and unpacked. */
const mostBytes = 100_000;

let app: string;
let installed: string;
let packages: string[];

function npm(args: readonly string[], cwd: string): void {
  const shared = ['--no-audit', '--no-fund', '--offline', '--loglevel=error'];
  execFileSync('npm', [...args, ...shared], { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

beforeAll(() => {
  app = mkdtempSync(join(tmpdir(), 'fairlead-serve-package-'));
  installed = join(app, 'node_modules/fairlead-serve');
  npm(['pack', '--pack-destination', app], join(root, 'serve'));
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true }));
  npm(['install', `fairlead-serve-${version}.tgz`], app);
  packages = readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.'));
  // What the app brings itself.
  for (const name of ['express', 'express4', 'fastify', 'koa', 'prom-client', '@opentelemetry', '@types']) {
    symlinkSync(join(root, 'node_modules', name), join(app, 'node_modules', name));
  }
}, 60_000);

afterAll(() => {
  rmSync(app, { recursive: true, force: true });
});

test('the package is one without dependencies, of less than 100 kB', () => {
  expect(packages).toEqual(['fairlead-serve']);
  expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'lib', 'package.json']);
  expect(statSync(join(app, `fairlead-serve-${version}.tgz`)).size).toBeLessThan(mostBytes);
  const bytes = filesOf(installed).reduce((sum, file) => sum + statSync(file).size, 0);
  expect(bytes).toBeLessThan(mostBytes);
});

test('it loads as one file, its metrics and its tracing as one more each, and all say nothing', () => {
  const load = (...names: string[]): string => {
    const requires = names.map((name) => `require('${name}');`).join(' ');
    const count = `${requires} console.log(Object.keys(require.cache).length)`;
    return execFileSync(process.execPath, ['-e', count], { cwd: app, encoding: 'utf8' });
  };
  expect(load('fairlead-serve')).toBe('1\n');
  expect(load('fairlead-serve', 'fairlead-serve/metrics')).toBe('2\n');
  expect(load('fairlead-serve', 'fairlead-serve/tracing')).toBe('2\n');
});

test('what was built can be read where it fails, and leads to nothing that was left out', () => {
  for (const name of ['serve.js', 'metrics.js', 'tracing.js']) {
    const text = readFileSync(join(installed, 'lib', name), 'utf8');
    expect(text).toMatch(/\nfunction (?:serve|metrics|tracing)\(/);
    expect(text).not.toContain('sourceMappingURL');
  }
  expect(filesOf(installed).filter((file) => file.endsWith('.map'))).toEqual([]);
});

const typed = `import type { RequestListener } from 'node:http';
import { Readiness, requestId, serve, ServeError, type Served, type ServeLogger, type ServeOptions, traceId } from 'fairlead-serve';
import { metrics, type MetricsOptions, setRoute } from 'fairlead-serve/metrics';
import { setRoute as setRouteOfSpan, tracing } from 'fairlead-serve/tracing';

const logger: ServeLogger = console;
const measured: MetricsOptions = { port: 0, maxRoutes: 50 };
const options: ServeOptions = { port: 0, readiness: new Readiness(), logger, metrics: metrics(measured), tracing: tracing() };
const listener: RequestListener = (request, response) => {
  setRoute(request, '/');
  setRouteOfSpan(request, undefined);
  response.end(traceId(request) ?? requestId(request));
};
export const served: Served = serve(listener, options);
served.listening.then(({ port }) => port.toFixed()).catch((error: unknown) => {
  if (error instanceof ServeError) error.code.toUpperCase();
});
// @ts-expect-error: no such option
serve(listener, { prot: 3000 });
// @ts-expect-error: no number
metrics({ port: '9464' });
// @ts-expect-error: no options
tracing({});
// @ts-expect-error: no text
export const closed: string = served.close();
`;

test.each([
  ['node10', ['typed.ts'], ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0']],
  ['node16', ['typed.cts', 'typed.mts'], ['--module', 'node16']],
  ['bundler', ['typed.ts'], ['--module', 'esnext', '--moduleResolution', 'bundler']],
])('its types are right under moduleResolution %s', (_resolution, files, options) => {
  for (const file of files) writeFileSync(join(app, file), typed);
  const shared = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022', '--types', 'node', '--skipLibCheck'];
  const { stdout } = spawnSync(process.execPath, [typescript, ...shared, ...options, ...files], {
    cwd: app,
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
});

/** What answers `/held` when the process has been told to end. */
const held = `
const untilSigterm = () =>
  new Promise((resolve) => {
    process.once('SIGTERM', () => setImmediate(resolve, 'held'));
    console.log('holds');
  });
`;

const programs = {
  'node.mjs': `import { serve } from 'fairlead-serve';
import { metrics, setRoute } from 'fairlead-serve/metrics';
import { tracing } from 'fairlead-serve/tracing';
${held}
const listener = async (request, response) => {
  setRoute(request, request.url === '/held' ? '/held' : '/quick');
  response.end(request.url === '/held' ? await untilSigterm() : 'quick');
};
serve(listener, { metrics: metrics(), tracing: tracing() });
`,
  'express4.cjs': `const express = require('express4');
const { serve } = require('fairlead-serve');
const { metrics } = require('fairlead-serve/metrics');
const { tracing } = require('fairlead-serve/tracing');
${held}
const app = express();
app.get('/quick', (request, response) => response.send('quick'));
app.get('/held', (request, response) => untilSigterm().then((text) => response.send(text)));
serve(app, { metrics: metrics(), tracing: tracing() });
`,
  'express5.mjs': `import express from 'express';
import { serve } from 'fairlead-serve';
import { metrics } from 'fairlead-serve/metrics';
import { tracing } from 'fairlead-serve/tracing';
${held}
const app = express();
app.get('/quick', (request, response) => response.send('quick'));
app.get('/held', async (request, response) => response.send(await untilSigterm()));
await serve(app, { metrics: metrics(), tracing: tracing() }).listening;
`,
  'fastify.mjs': `import fastify from 'fastify';
import { serve } from 'fairlead-serve';
import { metrics, setRoute } from 'fairlead-serve/metrics';
import { tracing } from 'fairlead-serve/tracing';
${held}
const app = fastify({ trustProxy: 1 });
app.addHook('onRequest', async ({ raw, routeOptions }) => setRoute(raw, routeOptions.url));
app.get('/quick', () => 'quick');
app.get('/held', untilSigterm);
await app.ready();
serve(app.routing, { metrics: metrics(), tracing: tracing() });
`,
  'koa.cjs': `const Koa = require('koa');
const { serve } = require('fairlead-serve');
const { metrics, setRoute } = require('fairlead-serve/metrics');
const { tracing } = require('fairlead-serve/tracing');
${held}
const app = new Koa();
app.use(async (context) => {
  setRoute(context.req, context.path === '/held' ? '/held' : '/quick');
  context.body = context.path === '/held' ? await untilSigterm() : 'quick';
});
serve(app.callback(), { metrics: metrics(), tracing: tracing() });
`,
};

describe('an app', () => {
  const running = new Map<string, NodeProcess>();

  beforeAll(() => {
    // All at once: most of the time each waits for the end of another process, or of its own.
    for (const [file, program] of Object.entries(programs)) {
      writeFileSync(join(app, file), program);
      running.set(file, new NodeProcess(join(app, file), { METRICS_PORT: '0' }, []));
    }
  });

  test.each(Object.keys(programs))(
    '%s serves, is measured, keeps its connections, and ends with what it holds answered',
    async (file) => {
      const process = running.get(file);
      if (process === undefined) throw new Error(`${file} does not run`);
      const client = await RawConnection.open(await process.port());
      client.get('/quick');
      expect(await client.until('quick')).toContain('Keep-Alive: timeout=65');
      client.get('/quick');
      await until(() => client.count('quick') === 2, 'a second answer on the connection');
      const { msg } = await process.line('Now serving metrics at ');
      const metricsPort = Number(/:(\d+)\/metrics$/.exec(String(msg))?.[1]);
      const counted = /_count\{[^\n]*http_route="\/quick"[^\n]*\} 2\n/;
      await until(async () => counted.test((await answer(metricsPort, '/metrics')).body), 'both to be counted');
      client.get('/held');
      await until(() => process.text.includes('holds'), 'the request to be held');
      process.kill('SIGTERM');
      await client.closed;
      expect(client.count('200 OK')).toBe(3);
      expect(client.received).toMatch(/Connection: close[^]*held/);
      expect(await process.exited).toEqual({ code: 0, signal: null });
      expect(process.lines.at(-1)).toMatchObject({ level: 30, msg: 'Ended: nothing was cut off' });
      expect(process.text).toEqual(['holds']);
    },
  );
});

test('a route that is said to metrics is that of a span too, which are built apart', async () => {
  const program = `import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { serve } from 'fairlead-serve';
import { setRoute } from 'fairlead-serve/metrics';
import { tracing } from 'fairlead-serve/tracing';

const exporter = {
  export: (spans, done) => {
    for (const { name } of spans) console.log('span', name);
    done({ code: 0 });
  },
  shutdown: async () => undefined,
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
const listener = (request, response) => {
  setRoute(request, '/orders/:id');
  response.end();
};
serve(listener, { tracing: tracing() });
`;
  writeFileSync(join(app, 'traced.mjs'), program);
  const traced = new NodeProcess(join(app, 'traced.mjs'), {}, []);
  await answer(await traced.port(), '/orders/1');
  await until(() => traced.text.includes('span GET /orders/:id'), 'the span');
});

test.each([
  ['metrics', 'prom-client'],
  ['tracing', '@opentelemetry/api'],
])('an app with %s is told in one line to install %s', async (name, missing) => {
  const bare = mkdtempSync(join(tmpdir(), 'fairlead-serve-bare-'));
  onTestFinished(() => {
    rmSync(bare, { recursive: true });
  });
  cpSync(installed, join(bare, 'node_modules/fairlead-serve'), { recursive: true });
  const program = [
    "import { serve } from 'fairlead-serve';",
    `import { ${name} } from 'fairlead-serve/${name}';`,
    `serve(() => undefined, { ${name}: ${name}() });`,
  ];
  writeFileSync(join(bare, 'app.mjs'), program.join('\n'));
  const without = new NodeProcess(join(bare, 'app.mjs'), {}, []);
  expect(await without.exited).toEqual({ code: 1, signal: null });
  expect(without.text).toEqual([]);
  expect(without.lines.map(({ msg }) => msg)).toEqual([
    `${name}() needs ${missing}, which is not installed: npm install ${missing}`,
  ]);
});
