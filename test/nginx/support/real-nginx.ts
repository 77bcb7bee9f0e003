import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { OutgoingHttpHeaders } from 'node:http';
import { request, RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { KeyPair } from '../../../certificates/key-pair';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import { findNginx } from '../../../local/find-nginx/find-nginx';
import { Nginx } from '../../../local/find-nginx/nginx';
import { freePort } from '../../../local/ports';
import { childOutput, Command } from '../../../local/processes/child-output';
import { certificatesOf, ProxyModel } from '../../../model/proxy';
import { accessTokensScript } from '../../../nginx/auth/access-tokens-section';
import { authVariablesScript } from '../../../nginx/auth/auth-variables-section';
import { lastGoodCertificateScript } from '../../../nginx/tls/last-good-certificate-section';
import { lastMetricsConf, lastMetricsConfName } from '../../../nginx/metrics/last-metrics';
import { metricsScriptNames, metricsScripts } from '../../../nginx/metrics/metrics-section';
import { tracingScript, tracingScriptName } from '../../../nginx/tracing/tracing-section';
import { awaitedBackendsScript } from '../../../nginx/backends/awaited-backends-section';
import { liveWeightsScript } from '../../../nginx/backends/live-weights-section';
import { staleAnswersScript } from '../../../nginx/routes/cache-section';
import { nginxConf } from '../../../nginx/nginx-conf';
import { Place } from '../../../nginx/place';
import { onFileFinished } from '../../afterwards';
import { pause } from '../../until';
import { proxyModel, somePlace } from './models';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** What nginx warns of when it tests a configuration; rejects with what it says against it. */
export async function testConfiguration(conf: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-conf-'));
  try {
    const nginx = await findNginx();
    const file = join(directory, 'nginx.conf');
    writeScript(directory);
    // Names in `resolver` and of the fallback are looked up at start: the cluster's are not known on this machine, nor are
    // its directories.
    writeFileSync(
      file,
      conf
        .replaceAll(/(kube-dns|[a-z0-9-]+-cluster-ip)\.[a-z0-9.-]+/g, '127.0.0.1')
        .replaceAll(/(?<="|="?)\/(tmp|run\/certificates|run\/metrics|run\/spans|var\/cache\/nginx)\//g, `${directory}/`)
        .replaceAll('"/usr/lib/nginx/modules/', `"${nginx.modulesDirectory}/`)
        .replaceAll(/(?<=(?:proxy_ssl_trusted|ssl_client)_certificate )"[^"]*"/g, () => `"${authority(directory)}"`),
    );
    return await testFile(nginx, file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same of a file, all that it names being there. */
export async function testFile(nginx: Nginx, path: string): Promise<string> {
  const { file, args } = nginx.command(path);
  // It opens `access_log /dev/stdout` even to test it.
  const { stderr } = await childOutput({ file, args: [...args, '-t', '-q'] }, { ignoreStdout: true });
  return stderr;
}

/** Stands for CAs that are not on this machine. */
function authority(directory: string): string {
  const file = join(directory, 'ca.crt');
  writeFileSync(file, selfSignedKeyPair(['localhost'], resolve('.fairlead/test-certificates')).certificate);
  return file;
}

function writeScript(directory: string): void {
  const scripts = [
    lastGoodCertificateScript,
    awaitedBackendsScript,
    liveWeightsScript,
    staleAnswersScript,
    accessTokensScript,
  ];
  for (const { name, text } of [...scripts, authVariablesScript]) writeFileSync(join(directory, name), text);
  // As it is before it is told of a proxy.
  for (const name of metricsScriptNames) copyFileSync(resolve('nginx/metrics', name), join(directory, name));
  copyFileSync(resolve('nginx/tracing', tracingScriptName), join(directory, tracingScriptName));
}

/** What a test may want otherwise. */
export interface RealNginxStart {
  /** What the Secret holds. @default - a good pair */
  readonly pair?: KeyPair;
  /** The same of certificates of hosts, by name; undefined where there is none. @default - good pairs */
  readonly hostPairs?: Readonly<Record<string, KeyPair | undefined>>;
  /** Edits the configuration. */
  readonly change?: (conf: string) => string;
  /** How it is started, given how nginx is with each configuration of a directory. @default - with nginx.conf */
  readonly command?: ((directory: string, nginx: (conf: string) => Command) => Command) | undefined;
  /** Rejects until nginx runs. @default - its probe is answered 200, and every certificate has been looked at */
  readonly ready?: (nginx: RealNginx) => Promise<void>;
}

/**
 * The configuration of a proxy that looks at its Secrets several times a second: its options know whole seconds. Longer than a check may
 * take, which waits up to 250 ms for what nginx logs: nginx ends one that is still running.
 */
export function oftenLooking(conf: string): string {
  return conf.replace(/(js_periodic last_good_certificate\.check interval=)\d+s/, '$1300ms');
}

/** Rejects unless the probe of readiness is answered 200. */
export async function isHealthy(nginx: RealNginx): Promise<void> {
  const { status } = await nginx.get({ port: nginx.place.probePort, path: '/healthz' });
  if (status !== 200) throw new Error(`/healthz: ${status}`);
}

/** Rejects until the certificates of hosts have been looked at too. */
async function isReady(nginx: RealNginx): Promise<void> {
  await isHealthy(nginx);
  if (nginx.place.certificateStore === undefined) return;
  const { body } = await nginx.get({ port: nginx.place.probePort, path: '/certificate' });
  const { hosts = {} } = JSON.parse(body) as {
    readonly hosts?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  const unknown = Object.entries(hosts).filter(([, { served, refused }]) => served === null && refused === null);
  if (unknown.length > 0) throw new Error(`the certificates of ${unknown.map(([name]) => name).join(', ')}`);
}

/** A real nginx with a rendered configuration, on free ports and in a directory of its own. */
export class RealNginx {
  private constructor(
    readonly directory: string,
    readonly proxy: ProxyModel,
    readonly place: Place,
    private readonly child: ChildProcess,
    private readonly errorLog: { text: string },
  ) {}

  static async start(
    proxy: ProxyModel = proxyModel(),
    place: Partial<Place> = {},
    start: RealNginxStart = {},
  ): Promise<RealNginx> {
    const directory = mkdtempSync(join(tmpdir(), 'fairlead-nginx-'));
    const httpsPort = await freePort();
    const nginx = await findNginx();
    const whole = somePlace({
      listenAddress: nginx.listenAddress,
      httpPort: await freePort(),
      httpsPort,
      probePort: await freePort(),
      externalHttpsPort: httpsPort,
      certificateDirectory: join(directory, 'tls'),
      hostCertificatesDirectory: join(directory, 'tls-of-hosts'),
      certificateCheckPort: await freePort(),
      connectionCount: { httpPort: await freePort(), httpsPort: await freePort() },
      modulesDirectory: nginx.modulesDirectory,
      runtimeDirectory: directory,
      accessLog: join(directory, 'access.log'),
      ...place,
    });
    const { pair, hostPairs = {} } = start;
    for (const { name, hosts } of certificatesOf(proxy.hosts)) {
      const given = name === undefined ? pair : hostPairs[name];
      if (name !== undefined && name in hostPairs && given === undefined) continue;
      layOutSecret(secretOf(whole, name), given ?? selfSignedKeyPair(hosts, resolve('.fairlead/test-certificates')));
    }
    const file = join(directory, 'nginx.conf');
    writeScript(directory);
    const conf = nginxConf(proxy, whole);
    if (whole.metricsPort !== undefined) {
      for (const { name, text } of metricsScripts(proxy, whole, conf)) writeFileSync(join(directory, name), text);
      writeFileSync(join(directory, lastMetricsConfName), lastMetricsConf(proxy, whole));
    }
    if (proxy.tracing !== undefined) {
      const { name, text } = tracingScript(proxy.tracing, proxy, whole);
      writeFileSync(join(directory, name), text);
    }
    writeFileSync(file, (start.change ?? String)(conf));

    const { httpPort: http, httpsPort: https, probePort: probe, metricsPort } = whole;
    const ports = [http, https, probe, ...(metricsPort === undefined ? [] : [metricsPort])];
    const withConf = (conf: string): Command => nginx.command(join(directory, conf), ports);
    const command = start.command?.(directory, withConf) ?? withConf('nginx.conf');
    const detached = start.command !== undefined;
    const child = spawn(command.file, command.args, { stdio: ['ignore', 'ignore', 'pipe'], detached });
    const errorLog = { text: '' };
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errorLog.text += text));
    const running = new RealNginx(directory, proxy, whole, child, errorLog);
    onFileFinished(() => {
      if (detached) running.killAll();
      return running.stop();
    });
    try {
      await running.until(() => (start.ready ?? isReady)(running), 'nginx to answer');
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  get host(): string {
    return this.proxy.hosts[0].names[0];
  }

  get errors(): string {
    return this.errorLog.text;
  }

  /** Exchanges the certificate while nginx runs, as the kubelet does when a Secret changes. */
  renewCertificate(pair: KeyPair, name?: string): void {
    layOutSecret(secretOf(this.place, name), pair);
  }

  /** The processes that serve clients. */
  get workers(): number[] {
    const { pid } = this.child;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => {
        try {
          const [, parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
            .replace(/^.*\) /s, '')
            .split(' ');
          return Number(parent) === pid;
        } catch {
          return false;
        }
      })
      .map(Number);
  }

  /** All of them, with the one that began. */
  get processes(): number[] {
    return [...(this.child.pid === undefined ? [] : [this.child.pid]), ...this.workers];
  }

  /** Waits until an instance answers through nginx, as after a change in DNS. */
  async untilAnswered(accept: (answer: Answer) => boolean, options: RequestOptions = {}): Promise<Answer> {
    return this.until(async () => {
      const answer = await this.get(options);
      if (!accept(answer)) throw new Error(`${answer.status} ${answer.body}`);
      return answer;
    }, 'an answer that is accepted');
  }

  /** One request over TLS on a connection of its own; the certificate has to be valid. */
  get(options: RequestOptions & { readonly body?: string | Buffer }): Promise<Answer> {
    const { body, headers, ...rest } = options;
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.place.httpsPort,
          servername: this.host,
          rejectUnauthorized: false,
          agent: false,
          headers: { host: this.host, ...(headers as OutgoingHttpHeaders) },
          ...rest,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              rawHeaders: response.rawHeaders,
              body: Buffer.concat(chunks).toString(),
            });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** The access log's objects, once it has this many. */
  async accessLog(entries: number): Promise<Record<string, unknown>[]> {
    return this.until(() => {
      const lines = readFileSync(join(this.directory, 'access.log'), 'utf8').split('\n').slice(0, -1);
      if (lines.length < entries) throw new Error(`${lines.length} of ${entries} lines`);
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    }, 'the access log');
  }

  /** Resolves when it has ended, to its exit code. */
  get ended(): Promise<number | null> {
    const { exitCode } = this.child;
    return exitCode === null
      ? once(this.child, 'exit').then(([code]) => code as number | null)
      : Promise.resolve(exitCode);
  }

  kill(signal: 'SIGTERM' | 'SIGQUIT' | 'SIGKILL'): void {
    this.child.kill(signal);
  }

  /** What was started otherwise may wait before it ends, and leaves workers behind if it is killed. */
  private killAll(): void {
    try {
      process.kill(-Number(this.child.pid), 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  }

  /** Ends it at once, or with SIGQUIT once what it holds is answered. */
  async stop(signal: 'SIGTERM' | 'SIGQUIT' = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async until<T>(attempt: () => T | Promise<T>, what: string): Promise<T> {
    const begin = Date.now();
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (this.child.exitCode !== null) throw new Error(`nginx ended:\n${this.errors}`, { cause: error });
        const waited = Date.now() - begin;
        if (waited > 15_000)
          throw new Error(`waited in vain for ${what}: ${String(error)}\n${this.errors.slice(-1000)}`, {
            cause: error,
          });
        await pause(waited);
      }
    }
  }
}

/** Where what it holds is mounted. */
function secretOf({ certificateDirectory, hostCertificatesDirectory }: Place, name: string | undefined): string {
  return name === undefined ? certificateDirectory : join(hostCertificatesDirectory, name);
}

/** The kubelet's way: files are links into a directory, which is exchanged for another in one step. */
function layOutSecret(directory: string, { certificate, privateKey }: KeyPair): void {
  mkdirSync(directory, { recursive: true });
  const version = mkdtempSync(`${directory}/..`);
  writeFileSync(join(version, 'tls.crt'), certificate);
  writeFileSync(join(version, 'tls.key'), privateKey);
  const first = !existsSync(join(directory, '..data'));
  symlinkSync(basename(version), join(directory, '..data_new'));
  renameSync(join(directory, '..data_new'), join(directory, '..data'));
  if (first) for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(directory, name));
}
