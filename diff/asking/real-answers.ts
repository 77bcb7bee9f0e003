import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { KeyPair } from '../../certificates/key-pair';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { Failure } from '../../cluster/command-line';
import type { Nginx } from '../../local/find-nginx/nginx';
import { freePort } from '../../local/ports';
import { parsedConf } from '../requests/parsed-conf';
import { type Request, requestUri, sentHeaders } from '../requests/request';
import { standInConf, upstreamsOf } from './stand-in-conf';
import { askedHeader, readNote, Stubs } from './stubs';

/** What every nginx that is asked shows: making one takes a process. */
let pair: KeyPair | undefined;

/** What a real nginx made of a request. */
export interface RealAnswer {
  /** In words: `200 of catalog, asked for /1`, `308 to https://…`, `404`. */
  readonly shown: string;
  /** Headers of the answer, and those that its backend got, a line each; without what differs by itself. */
  readonly headers: readonly string[];
}

/** In milliseconds: how long nginx may take to listen. */
const patience = 15_000;

/** A real nginx with the configuration of one side, and something in the place of each backend. */
export class RealSide {
  private errors = '';

  private constructor(
    private readonly directory: string,
    private readonly stubs: Stubs,
    private readonly child: ChildProcess,
    private readonly ports: { readonly http: number; readonly https: number },
  ) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
  }

  /** `files`: nginx.conf and the scripts beside it. Rejects with what nginx says against them. */
  static async start(nginx: Nginx, files: Readonly<Record<string, string>>, signal: AbortSignal): Promise<RealSide> {
    const directory = mkdtempSync(join(realpathSync(tmpdir()), 'fairlead-asked-'));
    const isHere = nginx.machineAddress === '127.0.0.1';
    const stubs = new Stubs(isHere ? '127.0.0.1' : '0.0.0.0');
    let side: RealSide | undefined;
    try {
      const main = parsedConf(files['nginx.conf'] ?? '');
      const instances = new Map<string, string>();
      for (const [upstream, protocol] of upstreamsOf(main)) {
        instances.set(upstream, `${nginx.machineAddress}:${await stubs.start(upstream, protocol)}`);
      }
      const ports = { http: await freePort(), https: await freePort() };
      pair ??= selfSignedKeyPair(['localhost'], join(directory, 'key-pairs'));
      const [certificate = '', privateKey = '', nobody = ''] = ['tls.crt', 'tls.key', 'nobody'].map((name) =>
        join(directory, name),
      );
      const conf = standInConf(main, {
        directory,
        modulesDirectory: nginx.modulesDirectory,
        listenAddress: nginx.listenAddress,
        httpPort: ports.http,
        httpsPort: ports.https,
        certificate,
        privateKey,
        nobody,
        instances,
      });
      const all = { ...files, 'nginx.conf': conf, 'tls.crt': pair.certificate, 'tls.key': pair.privateKey, nobody: '' };
      for (const [name, text] of Object.entries(all)) {
        writeFileSync(join(directory, fileName(name)), text, { mode: 0o600 });
      }
      const command = nginx.command(join(directory, 'nginx.conf'), [ports.http, ports.https]);
      const child = spawn(command.file, command.args, { stdio: ['ignore', 'ignore', 'pipe'] });
      side = new RealSide(directory, stubs, child, ports);
      await side.listening(signal);
      return side;
    } catch (error) {
      if (side !== undefined) await side.stop();
      else {
        stubs.stop();
        rmSync(directory, { recursive: true, force: true });
      }
      throw error;
    }
  }

  async answerTo(request: Request): Promise<RealAnswer> {
    const response = await this.ask(request);
    const { statusCode = 0, headers } = response;
    const note = headers[askedHeader];
    const asked = typeof note === 'string' ? readNote(note) : undefined;
    const where = headers.location === undefined ? '' : ` to ${headers.location}`;
    const whose = asked === undefined ? '' : ` of ${asked.upstream}, asked for ${asked.uri}`;
    return {
      shown: `${statusCode}${where}${whose}`,
      headers: [
        ...linesOf(headers).map((line) => `answer: ${line}`),
        ...linesOf(asked?.headers ?? {}).map((line) => `backend: ${line}`),
      ],
    };
  }

  async stop(): Promise<void> {
    this.stubs.stop();
    if (this.isRunning) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** One that could not be started has no number. */
  private get isRunning(): boolean {
    const { pid, exitCode, signalCode } = this.child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  private async listening(signal: AbortSignal): Promise<void> {
    const end = Date.now() + patience;
    const failures: string[] = [];
    this.child.once('error', ({ message }) => failures.push(message));
    for (;;) {
      signal.throwIfAborted();
      if (await accepts(this.ports.https)) return;
      if (failures.length > 0 || !this.isRunning || Date.now() > end) {
        const [said = 'it says nothing'] = /\[emerg\].*/.exec(this.errors) ?? [];
        throw new Failure(`nginx does not start with it: ${failures[0] ?? said}`);
      }
      await delay(50, undefined, { signal });
    }
  }

  private ask(request: Request): Promise<IncomingMessage> {
    const { scheme, host, method } = request;
    const sent = sentHeaders(request).map((line) => {
      const at = line.indexOf(': ');
      return [line.slice(0, at), line.slice(at + 2)] as const;
    });
    const options = {
      host: '127.0.0.1',
      method,
      path: requestUri(request),
      headers: { host, ...Object.fromEntries(sent) },
      agent: false,
      timeout: 10_000,
    } as const;
    return new Promise((resolve, reject) => {
      const answered = (response: IncomingMessage): void => {
        response.resume();
        resolve(response);
      };
      const asking =
        scheme === 'https'
          ? requestHttps({ ...options, port: this.ports.https, servername: host, rejectUnauthorized: false }, answered)
          : requestHttp({ ...options, port: this.ports.http }, answered);
      asking.on('timeout', () => asking.destroy(new Error('no answer within 10 seconds')));
      asking.on('error', reject);
      asking.end();
    });
  }
}

/** A key of a ConfigMap, as Kubernetes takes one: a folder may have any, such as `../x`, which would be a file elsewhere. */
function fileName(key: string): string {
  if (/^(?!\.\.|\.$)[-\w.]{1,253}$/.test(key)) return key;
  throw new Failure(`the key ${JSON.stringify(key)} is not the name of a file in a ConfigMap: mend its manifest`);
}

/** Other ones each time, or made by the stub. */
const differing = ['connection', 'content-length', 'date', 'keep-alive', askedHeader, 'x-request-id'];

function linesOf(headers: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => !differing.includes(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`)
    .sort();
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
