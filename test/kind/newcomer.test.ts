import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ExternalCommandOptions, run } from '../../cluster/external-command';
import { nodePorts } from '../../cluster/kind-config';
import { loadImage } from '../../cluster/node-images';
import { isReady, podsUntil } from '../../cluster/pods';
import { Load, type LoadOptions } from '../../load/load';
import { freePort } from '../../local/ports';
import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { figure, loadFigure } from './support/figures';
import { expectNoneLost, scenario } from './support/scenario';
import { cluster, kubectl, suite } from './support/suite';

const root = resolve(__dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
type Language = 'typescript' | 'javascript';

/** An app as one finds it: nothing of fairlead but serve(), which its image has without what only its build needs. */
const sources: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  typescript: {
    'server.ts': `import express from 'express';
import { serve } from 'fairlead-serve';

const app = express();
const { HOSTNAME: hostname, VERSION: version, START_SECONDS: seconds } = process.env;
app.get(['/healthcheck', '/catalog'], (_request, response) => {
  response.json({ hostname, version });
});
app.post(['/echo', '/catalog/echo'], express.json(), (request, response) => {
  response.json({ hostname, body: request.body as unknown });
});
setTimeout(() => serve(app), 1000 * Number(seconds ?? 0));
`,
    'tsconfig.json': `{ "compilerOptions": { "target": "es2022", "module": "node16", "strict": true, "esModuleInterop": true, "skipLibCheck": true, "types": ["node"] }, "files": ["server.ts"] }
`,
  },
  javascript: {
    'server.js': `const express = require('express');
const { serve } = require('fairlead-serve');

const app = express();
const { HOSTNAME: hostname, VERSION: version, START_SECONDS: seconds } = process.env;
app.get(['/healthcheck', '/catalog'], (_request, response) => {
  response.json({ hostname, version });
});
app.post(['/echo', '/catalog/echo'], express.json(), (request, response) => {
  response.json({ hostname, body: request.body });
});
setTimeout(() => serve(app), 1000 * Number(seconds ?? 0));
`,
  },
};

const dockerfile = `FROM node:26-slim AS build
WORKDIR /app
COPY package.json package-lock.json *.tgz ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build --if-present

FROM node:26-slim
ARG VERSION
ENV NODE_ENV=production VERSION=$VERSION
WORKDIR /app
COPY package.json package-lock.json *.tgz ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY --from=build /app/server.js ./
USER 1000
EXPOSE 3000
CMD ["node", "server.js"]
`;

/** What a laptop has room for, beside what else this suite's cluster runs. */
const small = "resources: { cpu: { request: '20m' } }";

let packed: string;

beforeAll(async () => {
  packed = mkdtempSync(join(tmpdir(), 'fairlead-packed-'));
  for (const directory of ['.', 'create', 'serve']) {
    await npm(['pack', '--pack-destination', packed], join(root, directory));
  }
});

afterAll(() => {
  rmSync(packed, { recursive: true, force: true });
});

function npm(args: readonly string[], cwd: string, options: ExternalCommandOptions = {}): Promise<string> {
  const shared = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  return run('npm', [...args.slice(0, 1), ...shared, ...args.slice(1)], { ...options, cwd });
}

/** Someone's app and what is deployed of it, from an empty folder on. */
class Newcomer {
  readonly app = mkdtempSync(join(tmpdir(), 'fairlead-newcomer-'));
  private readonly deployment = join(this.app, 'deploy');
  private readonly main: string;
  private readonly built: string[] = [];

  constructor(
    private readonly language: Language,
    /** Of the app, its namespace and its Deployment. */
    readonly name: string,
  ) {
    this.main = join(this.deployment, language === 'typescript' ? 'main.ts' : 'main.js');
  }

  async writeApp(): Promise<void> {
    const serve = `fairlead-serve-${version}.tgz`;
    cpSync(join(packed, serve), join(this.app, serve));
    for (const [file, text] of Object.entries(sources[this.language])) writeFileSync(join(this.app, file), text);
    writeFileSync(join(this.app, 'Dockerfile'), dockerfile);
    writeFileSync(join(this.app, '.dockerignore'), 'deploy\nnode_modules\n');
    const isTyped = this.language === 'typescript';
    const content = {
      name: this.name,
      version: '1.0.0',
      private: true,
      scripts: { ...(isTyped ? { build: 'tsc' } : {}), start: 'node server.js' },
      dependencies: { express: '^5.1.0', 'fairlead-serve': `file:${serve}` },
      ...(isTyped
        ? { devDependencies: { '@types/express': '^5.0.0', '@types/node': '^22.0.0', typescript: '~6.0.0' } }
        : {}),
    };
    writeFileSync(join(this.app, 'package.json'), JSON.stringify(content, undefined, 2));
    await npm(['install', '--package-lock-only'], this.app);
  }

  /** As README says it for packages that are on no registry. */
  async create(): Promise<void> {
    const create = ['exec', '--yes', `--package=${join(packed, `create-fairlead-${version}.tgz`)}`, '--'];
    const cache = join(this.app, '.npm');
    await npm([...create, 'create-fairlead', '--fairlead', join(packed, `fairlead-${version}.tgz`)], this.app, {
      // npm keeps what it executes once.
      env: { ...process.env, npm_config_cache: cache },
    });
    rmSync(cache, { recursive: true, force: true });
    await npm(['install'], this.deployment);
    this.change(/LoadBalancedApi \}/, 'LoadBalancedApi, Exposure }');
    const exposure = `exposure: Exposure.nodePort({ httpsNodePort: ${nodePorts.otherHttps} })`;
    this.change(
      /replicas: \{ min: 3, max: 12 \},/,
      `replicas: 2,\n  ${small},\n  ${exposure},\n  proxy: { ${small} },`,
    );
  }

  change(pattern: RegExp, by: string): void {
    const text = readFileSync(this.main, 'utf8');
    expect(text).toMatch(pattern);
    writeFileSync(this.main, text.replace(pattern, by));
  }

  /** A service of its own for a path that the app has answered so far: of the same image, and slower to start than proxies. Gives main.ts as it was. */
  addService(): string {
    const before = readFileSync(this.main, 'utf8');
    this.change(/new LoadBalancedApi\(/, 'const api = new LoadBalancedApi(');
    this.change(/LoadBalancedApi,/, 'LoadBalancedApi, Backend,');
    this.change(
      /app\.synth\(\);/,
      `const catalog = new Backend(api.namespace, 'catalog', { image: ${JSON.stringify(this.image('1.0.0'))}, replicas: 2, environment: { START_SECONDS: '15' }, ${small} });
api.proxy.addRoute('/catalog', catalog);
app.synth();`,
    );
    return before;
  }

  /** The commit that added the service, taken back. */
  revert(main: string): void {
    writeFileSync(this.main, main);
  }

  image(tag: string): string {
    const [, repository = ''] = /image: '(.+):[^:']+'/.exec(readFileSync(this.main, 'utf8')) ?? [];
    return `${repository}:${tag}`;
  }

  async build(tag: string): Promise<void> {
    await run('docker', ['build', '--quiet', `--tag=${this.image(tag)}`, `--build-arg=VERSION=${tag}`, '.'], {
      cwd: this.app,
    });
    this.built.push(this.image(tag));
    await loadImage(cluster, this.image(tag));
  }

  async test(): Promise<void> {
    await npm(['test'], this.deployment);
  }

  async deploy(): Promise<void> {
    await npm(['run', 'synth'], this.deployment);
    await kubectl.run(['apply', `--filename=${join(this.deployment, 'dist')}`]);
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl.run([...args, `--namespace=${this.name}`]);
  }

  async rolledOut(...deployments: readonly string[]): Promise<void> {
    for (const name of deployments) await this.kubectl('rollout', 'status', `deployment/${name}`, '--timeout=5m');
  }

  /** One of the proxies by `kubectl port-forward`: to look, as that ends with the first connection that is reset. */
  async forward(): Promise<Door> {
    const selected = ['pods', '--selector=app.kubernetes.io/name=nginx', `--namespace=${this.name}`];
    const pod = await podsUntil(kubectl, selected, 'a proxy', (pods) => pods.find(isReady));
    const [port, end] = [await freePort(), new AbortController()];
    const args = ['port-forward', '--address=127.0.0.1', `pod/${pod.metadata.name}`, `${port}:8443`];
    const forwarding = kubectl
      .run([...args, `--namespace=${this.name}`], { signal: end.signal })
      .catch(() => undefined);
    onTestFinished(async () => {
      end.abort();
      await forwarding;
    });
    return this.door(port);
  }

  /** All proxies, as clients reach them. */
  async door(port = suite().ports.otherHttpsPort): Promise<Door> {
    const [secret] = await kubectl.list<TlsSecret>(['secret', 'nginx-tls', `--namespace=${this.name}`]);
    const certificate = Buffer.from(secret?.data['tls.crt'] ?? '', 'base64').toString();
    const door = new Door(port, `${this.name}.example.com`, certificate);
    await until(() => door.get('/healthcheck').catch(() => undefined), 'an answer of the proxies');
    return door;
  }

  async remove(): Promise<void> {
    // The next one has the same node port.
    await this.kubectl('delete', 'service', '--all');
    await kubectl.run(['delete', 'namespace', this.name, '--ignore-not-found', '--wait=false']);
    if (this.built.length > 0) await run('docker', ['image', 'rm', '--force', ...this.built]);
    rmSync(this.app, { recursive: true, force: true });
  }
}

interface TlsSecret {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

/** What the app says of itself. */
interface Said {
  readonly hostname: string;
  readonly version: string;
}

class Door {
  constructor(
    private readonly port: number,
    private readonly host: string,
    private readonly certificate: string,
  ) {}

  get(path: string): Promise<Said> {
    const { port, host, certificate } = this;
    return new Promise((answered, failed) => {
      const options = { host: '127.0.0.1', port, path, servername: host, headers: { host }, ca: certificate };
      request({ ...options, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.on('end', () => {
          if (response.statusCode === 200) answered(JSON.parse(text) as Said);
          else failed(new Error(`${path}: ${String(response.statusCode)} ${text}`));
        });
      })
        .on('error', failed)
        .end();
    });
  }

  load(paths: Pick<LoadOptions, 'getPath' | 'postPath'> = {}): Load {
    const load = new Load({
      ...paths,
      url: `https://localhost:${this.port}`,
      host: this.host,
      rate: 40,
      certificates: [this.certificate],
    });
    onTestFinished(() => load.stop());
    return load;
  }
}

/** An app that is deployed, and how long it took to be. */
async function deployed(language: Language): Promise<Newcomer> {
  const newcomer = new Newcomer(language, `newcomer-${language}`);
  onTestFinished(() => newcomer.remove());
  const begin = Date.now();
  await newcomer.writeApp();
  await newcomer.create();
  await newcomer.test();
  await newcomer.build('1.0.0');
  await newcomer.deploy();
  await newcomer.rolledOut(newcomer.name, 'nginx');
  expect(await (await newcomer.forward()).get('/healthcheck')).toMatchObject({ version: '1.0.0' });
  figure(`from an empty folder to an answer, ${language}`, `${String(Math.round((Date.now() - begin) / 1000))} s`);
  return newcomer;
}

scenario(
  'an app in typescript comes from an empty folder to a cluster, and a path to a service of its own and back',
  async () => {
    const newcomer = await deployed('typescript');
    const door = await newcomer.door();
    const load = door.load({ getPath: '/catalog', postPath: '/catalog/echo' });
    const before = newcomer.addService();
    await newcomer.deploy();
    await newcomer.rolledOut('catalog', 'nginx');
    await until(async () => (await door.get('/catalog')).hostname.startsWith('catalog-'), 'an answer of the service');
    const ofTheApp = new RegExp(`^${newcomer.name}-`);
    expect((await door.get('/healthcheck')).hostname).toMatch(ofTheApp);
    newcomer.revert(before);
    await newcomer.deploy();
    await newcomer.rolledOut('nginx');
    await until(async () => ofTheApp.test((await door.get('/catalog')).hostname), 'an answer of the app');
    const result = await load.stop();
    await expectNoneLost(result);
    loadFigure('a path that moves to a new service and back', result);
  },
);

scenario('an app in javascript comes from an empty folder to a cluster, and goes back a version', async () => {
  const newcomer = await deployed('javascript');
  const door = await newcomer.door();
  await newcomer.build('1.0.1');
  const load = door.load();
  newcomer.change(/(image: '.+):1\.0\.0'/, "$1:1.0.1'");
  await newcomer.deploy();
  await newcomer.rolledOut(newcomer.name);
  await until(async () => (await door.get('/healthcheck')).version === '1.0.1', 'the new version');
  await newcomer.kubectl('rollout', 'undo', `deployment/${newcomer.name}`);
  await newcomer.rolledOut(newcomer.name);
  await until(async () => (await door.get('/healthcheck')).version === '1.0.0', 'the version of before');
  const result = await load.stop();
  await expectNoneLost(result);
  loadFigure('rollout and rollback of an app', result);
});
