import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { App } from 'cdk8s';
import { selfSignedKeyPair } from '../certificates/self-signed';
import { LoadBalancedApi } from '../charts/load-balanced-api';
import { Failure } from '../cluster/command-line';
import { DnsServer } from '../local/dns-server';
import { zone } from '../local/deployment/deployment';
import { localHosts, modelElsewhere } from '../local/deployment/elsewhere';
import { findNginx } from '../local/find-nginx/find-nginx';
import type { Nginx } from '../local/find-nginx/nginx';
import { freePort } from '../local/ports';
import type { ProxyModel } from '../model/proxy';
import { metricsFiles } from '../nginx/metrics/metrics-section';
import { nginxConf } from '../nginx/nginx-conf';
import type { Place } from '../nginx/place';
import { scriptsOf } from '../nginx/scripts';
import { haproxyCfg, haproxyCfgOfSameJob } from './haproxy';

export const workers = 2;
export const manyRoutes = 500;
export const manyInstances = 500;

/** Where Linux keeps files in memory, as a pod keeps those of metrics. */
const inMemory = '/dev/shm';

/** What of fairlead is measured. */
interface Variant {
  readonly routes?: number;
  readonly instances?: number;
  readonly hasMetrics?: boolean;
}

const variants = {
  fairlead: {},
  'fairlead with metrics': { hasMetrics: true },
  [`fairlead with ${manyRoutes} routes`]: { routes: manyRoutes },
  [`fairlead with ${manyInstances} instances`]: { instances: manyInstances },
} satisfies Readonly<Record<string, Variant>>;

export const haproxyOfSameJob = 'HAProxy that does the same as fairlead';

/** A proxy that is measured: it listens, and passes everything on to the same API. */
export interface Candidate {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
}

interface ProgramOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** The file to which its standard output goes. @default - nowhere */
  readonly output?: string;
}

/** Proxies in front of one API, all of them idle until they are asked. */
export class Candidates {
  readonly all: Candidate[] = [];
  /** Those that are not installed. */
  readonly missing: string[] = [];
  private readonly started: ChildProcess[] = [];
  private readonly servers: DnsServer[] = [];
  private readonly directories: string[] = [];

  private constructor(
    private readonly directory: string,
    private readonly nginx: Nginx,
    private readonly upstream: number,
    private readonly signal: AbortSignal,
  ) {}

  /** Starts them in a directory; `stop` ends them, even if this fails. */
  static async start(directory: string, signal: AbortSignal, made: (candidates: Candidates) => void): Promise<void> {
    const candidates = new Candidates(directory, await findNginx({ signal }), await freePort(), signal);
    made(candidates);
    const { certificate, privateKey } = selfSignedKeyPair(['localhost'], join('.fairlead', 'bench'));
    mkdirSync(join(directory, 'tls'));
    writeFileSync(join(directory, 'tls', 'tls.crt'), certificate);
    writeFileSync(join(directory, 'tls', 'tls.key'), privateKey, { mode: 0o600 });
    writeFileSync(join(directory, 'both.pem'), `${certificate}\n${privateKey}`, { mode: 0o600 });
    await candidates.startUpstream();
    await candidates.startBareNginx();
    await candidates.startTutorial();
    for (const [name, variant] of Object.entries(variants)) await candidates.startFairlead(name, variant);
    await candidates.startHaproxy();
    await candidates.startCaddy();
  }

  async stop(): Promise<void> {
    for (const child of this.started) child.kill('SIGTERM');
    for (const child of this.started) {
      if (child.exitCode === null && child.signalCode === null) await new Promise((end) => child.once('exit', end));
    }
    for (const server of this.servers) await server.close();
    for (const directory of this.directories) rmSync(directory, { recursive: true, force: true });
  }

  /** Every address of its instances is one of this machine. */
  private get addresses(): readonly string[] {
    return Array.from(
      { length: manyInstances },
      (_, index) => `127.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`,
    );
  }

  private async startUpstream(): Promise<void> {
    const listening = ['127.0.0.1', ...this.addresses]
      .map((address) => `listen ${address}:${this.upstream};`)
      .join(' ');
    const server = `server { ${listening} default_type application/json; return 200 '{"status":"ok"}'; }`;
    await this.startNginx('the API', this.upstream, `access_log off; keepalive_requests 100000000; ${server}`);
  }

  private async startBareNginx(): Promise<void> {
    const port = await freePort();
    const to = `proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";`;
    this.all.push(
      await this.startNginx(
        'nginx with keep-alive, and its own log',
        port,
        `access_log ${this.directory}/bare.log; keepalive_requests 100000000;
upstream api { server 127.0.0.1:${this.upstream}; keepalive 64; }
server { listen 127.0.0.1:${port} ssl; ${this.tls} location / { ${to} } }`,
      ),
    );
  }

  private async startTutorial(): Promise<void> {
    const port = await freePort();
    const headers = `proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;`;
    this.all.push(
      await this.startNginx(
        "a tutorial's nginx.conf",
        port,
        `access_log ${this.directory}/tutorial.log; upstream api { server 127.0.0.1:${this.upstream}; }
server { listen 127.0.0.1:${port} ssl; ${this.tls} location / { proxy_pass http://api; ${headers} } }`,
      ),
    );
  }

  private async startFairlead(name: string, variant: Variant): Promise<void> {
    const { instances = 1, hasMetrics = false } = variant;
    const addresses = instances === 1 ? ['127.0.0.1'] : this.addresses;
    const dns = await DnsServer.start({
      [`api.${zone}`]: () => addresses.map((address) => ({ name: address, address, port: this.upstream })),
    });
    this.servers.push(dns);
    const directory = mkdtempSync(join(existsSync(inMemory) ? inMemory : this.directory, 'fairlead-bench-'));
    this.directories.push(directory);
    const httpsPort = await freePort();
    const model = this.modelOf(variant);
    const place: Place = {
      resolvers: [`127.0.0.1:${dns.port}`],
      workers,
      listenAddress: '127.0.0.1',
      httpPort: await freePort(),
      httpsPort,
      probePort: await freePort(),
      metricsPort: hasMetrics ? await freePort() : undefined,
      connectionCount: { httpPort: await freePort(), httpsPort: await freePort() },
      externalHttpsPort: httpsPort,
      certificateDirectory: join(this.directory, 'tls'),
      hostCertificatesDirectory: join(this.directory, 'tls-of-hosts'),
      modulesDirectory: this.nginx.modulesDirectory,
      runtimeDirectory: directory,
      accessLog: join(this.directory, `${name.replaceAll(' ', '-')}.log`),
    };
    const conf = nginxConf(model, place);
    for (const { name: script, text } of scriptsOf(model, place, conf)) writeFileSync(join(directory, script), text);
    if (hasMetrics) for (const file of metricsFiles(directory)) writeFileSync(file, '');
    const file = join(directory, 'nginx.conf');
    writeFileSync(file, conf);
    const command = this.nginx.command(file, [httpsPort]);
    this.all.push(await this.run(name, httpsPort, command.file, command.args));
  }

  /** The proxy of one API, whose route for everything is asked; others are beside it. */
  private modelOf({ routes = 1, instances = 1 }: Variant): ProxyModel {
    const { proxy, backend } = new LoadBalancedApi(new App(), 'api', { image: 'api:1.0.0' });
    for (let index = 1; index < routes; index += 1) proxy.addRoute(`/route-${index}`, backend);
    const model = modelElsewhere(proxy, {
      hosts: localHosts(proxy, undefined),
      workers,
      backend: (each) => ({ ...each, instances: { host: `api.${zone}`, service: 'http' } }),
    });
    return {
      ...model,
      backends: model.backends.map((each) => ({
        ...each,
        mostInstances: Math.max(instances, 10),
        fallback: `127.0.0.1:${this.upstream}`,
      })),
    };
  }

  private async startHaproxy(): Promise<void> {
    if (!this.isInstalled('haproxy', ['-v'])) return;
    const certificate = join(this.directory, 'both.pem');
    const configurations = { 'HAProxy with its log': haproxyCfg, [haproxyOfSameJob]: haproxyCfgOfSameJob };
    for (const [name, configuration] of Object.entries(configurations)) {
      const port = await freePort();
      const file = join(this.directory, `haproxy-${port}.cfg`);
      writeFileSync(file, configuration({ port, workers, certificate, upstream: this.upstream }));
      const output = join(this.directory, `haproxy-${port}.log`);
      this.all.push(await this.run(name, port, 'haproxy', ['-db', '-f', file], { output }));
    }
  }

  private async startCaddy(): Promise<void> {
    if (!this.isInstalled('caddy', ['version'])) return;
    const port = await freePort();
    const file = join(this.directory, 'Caddyfile');
    writeFileSync(
      file,
      `{
  admin off
  auto_https disable_redirects
}
https://localhost:${port} {
  bind 127.0.0.1
  tls ${this.directory}/tls/tls.crt ${this.directory}/tls/tls.key
  log {
    output file ${this.directory}/caddy.log
  }
  reverse_proxy 127.0.0.1:${this.upstream}
}
`,
    );
    const args = ['run', '--adapter', 'caddyfile', '--config', file];
    this.all.push(
      await this.run('Caddy with its log', port, 'caddy', args, { environment: { GOMAXPROCS: String(workers) } }),
    );
  }

  private isInstalled(program: string, args: readonly string[]): boolean {
    const isInstalled = spawnSync(program, args).error === undefined;
    if (!isInstalled) this.missing.push(program);
    return isInstalled;
  }

  private get tls(): string {
    return `ssl_certificate ${this.directory}/tls/tls.crt; ssl_certificate_key ${this.directory}/tls/tls.key;`;
  }

  /** One that has nothing but what is said of the http block. */
  private async startNginx(name: string, port: number, http: string): Promise<Candidate> {
    const own = join(this.directory, String(port));
    mkdirSync(own);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map((what) => `${what}_temp_path ${own};`);
    const file = join(own, 'nginx.conf');
    writeFileSync(
      file,
      `daemon off; worker_processes ${workers}; pid ${own}/nginx.pid;
events { worker_connections 4096; }
http { ${temporary.join(' ')}
${http} }
`,
    );
    const command = this.nginx.command(file, [port]);
    return this.run(name, port, command.file, command.args);
  }

  private async run(
    name: string,
    port: number,
    file: string,
    args: readonly string[],
    { environment = {}, output = '/dev/null' }: ProgramOptions = {},
  ): Promise<Candidate> {
    const env = { ...process.env, ...environment };
    const standardOutput = openSync(output, 'a');
    const child = spawn(file, args, { stdio: ['ignore', standardOutput, 'pipe'], env });
    closeSync(standardOutput);
    this.started.push(child);
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-2000)));
    for (let attempt = 0; !(await listens(port)); attempt += 1) {
      if (attempt === 100 || child.exitCode !== null) throw new Failure(`${name} does not start:\n${errors}`);
      await delay(100, undefined, { signal: this.signal });
    }
    return { name, port, process: child };
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}
