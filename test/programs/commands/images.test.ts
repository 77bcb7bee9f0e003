import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { withCurrentDigest } from '../../../cli/images/registry';
import { freePort } from '../../../local/ports';
import { onTestFinished } from '../../afterwards';
import { typescriptProgram } from '../../typescript-program';
import type { Outcome } from '../../cli/fairlead';

const root = resolve(__dirname, '../../..');
const digests = {
  orders: `sha256:${'a'.repeat(64)}`,
  nginx: `sha256:${'b'.repeat(64)}`,
  old: `sha256:${'0'.repeat(64)}`,
};
/** What the registry has. */
const images: Readonly<Record<string, string>> = {
  'acme/orders:1.4.2': digests.orders,
  'library/nginx:1.30': digests.nginx,
};

/** A registry that shows its images to whoever has asked for a token. */
class StubRegistry {
  /** Methods and paths, in order. */
  readonly requests: string[] = [];
  private port = 0;

  static async start(): Promise<StubRegistry> {
    const registry = new StubRegistry();
    const server = createServer((request, response) => {
      registry.answer(request, response);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    await once(server, 'listening');
    registry.port = (server.address() as AddressInfo).port;
    return registry;
  }

  /** As it stands in names of images. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  private answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, `http://${this.host}`);
    this.requests.push(`${method ?? ''} ${pathname}`);
    const [, repository = '', tag = ''] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(pathname) ?? [];
    if (pathname === '/token') {
      const token = `${searchParams.get('service') ?? ''} ${searchParams.get('scope') ?? ''}`;
      response.end(JSON.stringify({ token: Buffer.from(token).toString('base64') }));
      return;
    }
    const token = Buffer.from(`stub repository:${repository}:pull`).toString('base64');
    if (headers.authorization !== `Bearer ${token}`) {
      const challenge = `Bearer realm="http://${this.host}/token",service="stub",scope="repository:${repository}:pull"`;
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
      return;
    }
    const found = images[`${repository}:${tag}`];
    const isIndexTaken = headers.accept?.includes('application/vnd.oci.image.index.v1+json') === true;
    if (found === undefined || !isIndexTaken) response.writeHead(404).end();
    else response.writeHead(200, { 'Docker-Content-Digest': found }).end();
  }
}

/** A folder with a main.ts of one API, which finds what the repository has. */
class Project {
  readonly directory = mkdtempSync(join(tmpdir(), 'fairlead-images-'));

  constructor(orders: string, nginx: string, imported = '') {
    onTestFinished(() => {
      rmSync(this.directory, { recursive: true });
    });
    symlinkSync(join(root, 'node_modules'), join(this.directory, 'node_modules'));
    this.write(
      'main.ts',
      `import { App } from 'cdk8s';
import { Certificate, LoadBalancedApi } from ${JSON.stringify(join(root, 'index'))};
${imported}
const app = new App();
new LoadBalancedApi(app, 'orders', {
  image: ${orders},
  host: 'orders.example.com',
  certificate: Certificate.fromSecret('orders-tls'),
  proxy: { image: ${nginx} },
});
app.synth();
`,
    );
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.directory, file), text);
  }

  read(file: string): string {
    return readFileSync(join(this.directory, file), 'utf8');
  }

  async images(...args: readonly string[]): Promise<Outcome> {
    const child = spawn(process.execPath, [...typescriptProgram, join(root, 'cli.ts'), 'images', ...args], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    const [code] = (await once(child, 'close')) as [number];
    return { code, ...output };
  }
}

test('each image is said with the digest that its tag has, as anybody is shown it', async () => {
  const registry = await StubRegistry.start();
  const { host } = registry;
  const project = new Project(`'${host}/acme/orders:1.4.2'`, `'${host}/library/nginx:1.30@${digests.nginx}'`);
  const { code, stdout, stderr } = await project.images();
  expect(stdout.trimEnd().split('\n').sort()).toEqual(
    [
      `${host}/acme/orders:1.4.2  (Deployment orders/orders)`,
      `  image: '${host}/acme/orders:1.4.2@${digests.orders}'`,
      `${host}/library/nginx:1.30@${digests.nginx}  (Deployment orders/nginx)`,
      '  is what its tag has',
    ].sort(),
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(registry.requests.filter((request) => request.includes('/acme/'))).toEqual([
    'HEAD /v2/acme/orders/manifests/1.4.2',
    'HEAD /v2/acme/orders/manifests/1.4.2',
  ]);
  expect(registry.requests).toContain('GET /token');
});

test('--write renews digests in main.ts and in what it loads, and touches nothing else', async () => {
  const { host } = await StubRegistry.start();
  const old = `${host}/library/nginx:1.30@${digests.old}`;
  const project = new Project(`'${host}/acme/orders:1.4.2'`, 'nginx', `import { nginx } from './own';`);
  const own = (image: string): string => `// Not registry.example.com/${old}\nexport const nginx = '${image}';\n`;
  project.write('own.ts', own(old));
  project.write('other.ts', own(old));
  const main = project.read('main.ts');
  const { code, stdout } = await project.images('--write');
  expect(stdout).toContain(`\n${old} is renewed in own.ts\n`);
  expect(project.read('own.ts')).toBe(own(`${host}/library/nginx:1.30@${digests.nginx}`));
  expect(project.read('other.ts')).toBe(own(old));
  expect(project.read('main.ts')).toBe(main);
  expect(code).toBe(0);
  expect((await project.images('--write')).stdout).toMatch(/\nNo digest had to be renewed\n$/);
});

test('--write says which digest it does not find', async () => {
  const { host } = await StubRegistry.start();
  const project = new Project(
    `'${host}/acme/orders:1.4.2'`,
    `['${host}/library/nginx:1.30', '${digests.old}'].join('@')`,
  );
  const { stdout } = await project.images('--write');
  expect(stdout).toContain(
    `\n${host}/library/nginx:1.30@${digests.old} stands in no file as a whole: renew it where it is put together\n`,
  );
});

test('what a registry does not show is said, and the others all the same', async () => {
  const { host } = await StubRegistry.start();
  const project = new Project(`'${host}/acme/secret:1'`, `'${host}/library/nginx:1.30'`);
  const { code, stdout } = await project.images();
  expect(stdout).toContain(
    `\n  ${host} does not show it without a login, or has none (HTTP 404): docker buildx imagetools inspect ${host}/acme/secret:1 says its digest\n`,
  );
  expect(stdout).toContain(`\n  image: '${host}/library/nginx:1.30@${digests.nginx}'\n`);
  expect(code).toBe(1);
});

test('a registry that is away, and a digest without a tag, are said', async () => {
  const host = `127.0.0.1:${await freePort()}`;
  const project = new Project(`'${host}/acme/orders:1.4.2'`, `'${host}/library/nginx@${digests.old}'`);
  const { code, stdout } = await project.images();
  expect(stdout).toContain(`\n  ${host} does not answer (ECONNREFUSED): try again when it can be reached\n`);
  expect(stdout).toContain('\n  has a digest and no tag, by which another would be found: write both\n');
  expect(code).toBe(1);
});

test('a main.ts that is not there is one line', async () => {
  const project = new Project(`'a'`, `'b'`);
  const { code, stdout, stderr } = await project.images('--main', 'none.ts');
  expect(stderr).toBe(
    `fairlead: none.ts is not in ${project.directory}: put it there, or name the file that is: --main main.js\n`,
  );
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
});

test('a name of one word is of the library of Docker Hub, whether that is named or not', async () => {
  const asked: string[] = [];
  const fetched = jest.spyOn(globalThis, 'fetch').mockImplementation((url) => {
    asked.push((url as URL).href);
    return Promise.resolve(new Response(null, { headers: { 'Docker-Content-Digest': digests.nginx } }));
  });
  onTestFinished(() => {
    fetched.mockRestore();
  });
  const names = ['nginx', 'docker.io/nginx', 'docker.io/library/nginx', 'docker.io/acme/nginx', 'acme/nginx'];
  for (const name of names) {
    const image = await withCurrentDigest(`${name}:1.30`, new AbortController().signal);
    expect(image).toBe(`${name}:1.30@${digests.nginx}`);
  }
  const at = (repository: string): string => `https://registry-1.docker.io/v2/${repository}/manifests/1.30`;
  expect(asked).toEqual([
    ...[at('library/nginx'), at('library/nginx'), at('library/nginx')],
    ...[at('acme/nginx'), at('acme/nginx')],
  ]);
});
