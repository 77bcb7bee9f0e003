import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { App } from 'cdk8s';
import { selfSignedKeyPair } from '../certificates/self-signed';
import { LoadBalancedApi } from '../charts/load-balanced-api';
import { commandLine, Failure } from '../cluster/command-line';
import { DnsServer } from '../local/dns-server';
import { findNginx } from '../local/find-nginx/find-nginx';
import { zone } from '../local/deployment/deployment';
import { localHosts, modelElsewhere } from '../local/deployment/elsewhere';
import { freePort } from '../local/ports';
import type { ProxyModel } from '../model/proxy';
import { lastGoodCertificateScript } from '../nginx/tls/last-good-certificate-section';
import { nginxConf } from '../nginx/nginx-conf';

const usage = `Usage: npm run bench [-- --help]

Measures what CPU time a proxy's processes take for a request over TLS (HTTP/1.1, kept connections, small answers): nginx with nothing but
keep-alive and its log, fairlead's configuration (of one route, and of 500), a tutorial's, and HAProxy if it is installed; in turns, five rounds, medians. Needs wrk.
`;

const rounds = 5;
const seconds = 6;
const connections = 32;
const workers = 2;
const manyRoutes = 500;

interface Candidate {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
  readonly microseconds: number[];
}

void commandLine('bench', async (args, signal) => {
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  if (spawnSync('wrk', ['-v']).error !== undefined) throw new Failure('wrk is not installed: install it (Debian: wrk)');
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-bench-'));
  const started: ChildProcess[] = [];
  let dns: DnsServer | undefined;
  try {
    const ports = await freePorts();
    dns = await DnsServer.start({
      [`api.${zone}`]: () => [{ name: 'one', address: '127.0.0.1', port: ports[0] }],
    });
    const candidates = await startAll(directory, started, ports, dns, signal);
    for (let round = 1; round <= rounds; round += 1) {
      for (const candidate of candidates) {
        signal.throwIfAborted();
        candidate.microseconds.push(await measure(candidate));
        process.stderr.write(
          `round ${round} of ${rounds}: ${candidate.name} ${candidate.microseconds.at(-1)?.toFixed(1)} µs\n`,
        );
      }
    }
    process.stdout.write(table(candidates));
  } finally {
    await dns?.close();
    for (const child of started) child.kill('SIGTERM');
    for (const child of started) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(directory, { recursive: true, force: true });
  }
});

async function startAll(
  directory: string,
  started: ChildProcess[],
  ports: Ports,
  dns: DnsServer,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const [upstream, bare, tutorial, haproxy, one, many] = ports;
  const { certificate, privateKey } = selfSignedKeyPair(['localhost'], join('.fairlead', 'bench'));
  mkdirSync(join(directory, 'tls'));
  writeFileSync(join(directory, 'tls', 'tls.crt'), certificate);
  writeFileSync(join(directory, 'tls', 'tls.key'), privateKey, { mode: 0o600 });
  writeFileSync(join(directory, 'both.pem'), `${certificate}\n${privateKey}`, { mode: 0o600 });
  writeFileSync(join(directory, lastGoodCertificateScript.name), lastGoodCertificateScript.text);
  const nginx = await findNginx({ signal });

  const run = async (name: string, port: number, file: string, command: readonly string[]): Promise<Candidate> => {
    const child = spawn(file, command, { stdio: ['ignore', 'ignore', 'inherit'] });
    started.push(child);
    for (let attempt = 0; !(await listens(port)); attempt += 1) {
      if (attempt === 100 || child.exitCode !== null) throw new Failure(`${name} does not start`);
      await delay(100, undefined, { signal });
    }
    return { name, port, process: child, microseconds: [] };
  };
  const runNginx = (name: string, port: number, conf: string): Promise<Candidate> => {
    const file = join(directory, `${port}.conf`);
    writeFileSync(file, conf);
    const command = nginx.command(file, [port]);
    return run(name, port, command.file, command.args);
  };
  const frame = (
    name: string,
    body: string,
  ): string => `daemon off; worker_processes ${workers}; pid ${directory}/${name}.pid;
events { worker_connections 4096; }
http { client_body_temp_path ${directory}/${name}; proxy_temp_path ${directory}/${name}; fastcgi_temp_path ${directory}/${name};
scgi_temp_path ${directory}/${name}; uwsgi_temp_path ${directory}/${name}; ${body} }`;
  const tls = `ssl_certificate ${directory}/tls/tls.crt; ssl_certificate_key ${directory}/tls/tls.key;`;

  await runNginx(
    'upstream',
    upstream,
    frame(
      'upstream',
      `access_log off; keepalive_requests 100000000; server { listen 127.0.0.1:${upstream}; default_type application/json; return 200 '{"status":"ok"}'; }`,
    ),
  );
  const ofFairlead = (own: FairleadPorts, routes: number): string =>
    nginxConf(modelOf(routes, upstream), {
      resolvers: [`127.0.0.1:${dns.port}`],
      workers,
      listenAddress: '127.0.0.1',
      httpPort: own[0],
      httpsPort: own[1],
      probePort: own[2],
      connectionCount: { httpPort: own[3], httpsPort: own[4] },
      externalHttpsPort: own[1],
      certificateDirectory: join(directory, 'tls'),
      hostCertificatesDirectory: join(directory, 'tls-of-hosts'),
      runtimeDirectory: directory,
      accessLog: join(directory, 'access.log'),
    });
  const candidates = [
    await runNginx(
      'nginx with keep-alive, and its own log',
      bare,
      frame(
        'bare',
        `access_log ${directory}/bare.log; keepalive_requests 100000000; upstream api { server 127.0.0.1:${upstream}; keepalive 64; }
server { listen 127.0.0.1:${bare} ssl; ${tls} location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; } }`,
      ),
    ),
    await runNginx(
      "a tutorial's nginx.conf",
      tutorial,
      frame(
        'tutorial',
        `access_log ${directory}/tutorial.log; upstream api { server 127.0.0.1:${upstream}; }
server { listen 127.0.0.1:${tutorial} ssl; ${tls} location / { proxy_pass http://api; proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; } }`,
      ),
    ),
    await runNginx('fairlead', one[1], ofFairlead(one, 1)),
    await runNginx(`fairlead with ${manyRoutes} routes`, many[1], ofFairlead(many, manyRoutes)),
  ];
  if (spawnSync('haproxy', ['-v']).error === undefined) {
    const file = join(directory, 'haproxy.cfg');
    writeFileSync(
      file,
      `global\n  nbthread ${workers}\n  log ${directory}/none local0\ndefaults\n  mode http\n  option httplog\n  log global\n  timeout client 60s\n  timeout server 60s\n  timeout connect 2s\nfrontend https\n  bind 127.0.0.1:${haproxy} ssl crt ${directory}/both.pem alpn h2,http/1.1\n  option forwardfor\n  default_backend api\nbackend api\n  http-reuse always\n  server one 127.0.0.1:${upstream}\n`,
    );
    candidates.push(await run('HAProxy with its log', haproxy, 'haproxy', ['-q', '-db', '-f', file]));
  }
  return candidates;
}

/** The proxy of one API, whose route for everything is asked; others are beside it. */
function modelOf(routes: number, upstream: number): ProxyModel {
  const { proxy, backend } = new LoadBalancedApi(new App(), 'api', { image: 'api:1.0.0' });
  for (let index = 1; index < routes; index += 1) proxy.addRoute(`/route-${index}`, backend);
  const model = modelElsewhere(proxy, {
    hosts: localHosts(proxy, undefined),
    workers,
    backend: (each) => ({ ...each, instances: { host: `api.${zone}`, service: 'http' } }),
  });
  return { ...model, backends: model.backends.map((each) => ({ ...each, fallback: `127.0.0.1:${upstream}` })) };
}

/** Microseconds of CPU time that the candidate's processes take for each request. */
async function measure({ name, port, process: child }: Candidate): Promise<number> {
  const before = cpuSeconds(child.pid ?? 0);
  const wrk = spawn('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, `https://localhost:${port}/`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  wrk.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(wrk, 'close');
  const requests = Number(/(\d+) requests in/.exec(output)?.[1]);
  if (!(requests > 0) || output.includes('Non-2xx'))
    throw new Failure(`${name} does not answer as it should:\n${output}`);
  return ((cpuSeconds(child.pid ?? 0) - before) / requests) * 1e6;
}

/** User and system time of a process and its children, in seconds. */
function cpuSeconds(parent: number): number {
  const ticks = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // After the name, which may have anything in it: state, parent, … utime, stime.
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return Number(pid) === parent || Number(fields[1]) === parent ? [Number(fields[11]) + Number(fields[12])] : [];
      } catch {
        return [];
      }
    });
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

function table(candidates: readonly Candidate[]): string {
  const median = ({ microseconds }: Candidate): number =>
    [...microseconds].sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN;
  const [bare] = candidates;
  const rows = candidates.map((candidate) => {
    const own = median(candidate);
    const ratio = bare === undefined ? NaN : own / median(bare);
    return `| ${candidate.name} | ${own.toFixed(1)} | ${ratio.toFixed(2)} |\n`;
  });
  return `\n${availableParallelism()} cores, ${workers} workers, ${connections} connections, ${rounds} rounds of ${seconds} s\n\n| proxy | µs of CPU a request | of the first |\n|---|---:|---:|\n${rows.join('')}`;
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

/** For HTTP, HTTPS and probes, and of the servers behind the count of connections. */
type FairleadPorts = [number, number, number, number, number];
type Ports = [number, number, number, number, FairleadPorts, FairleadPorts];

async function freePorts(): Promise<Ports> {
  const ports = [];
  for (let port = 0; port < 14; port += 1) ports.push(await freePort());
  return [...ports.slice(0, 4), ports.slice(4, 9), ports.slice(9)] as Ports;
}
