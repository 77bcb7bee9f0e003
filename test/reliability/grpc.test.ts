import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { deployedProxies } from '../../cluster/deployed-proxies';
import { streamsSummary } from '../../load/streams';
import { GrpcLoad } from '../../reliability/grpc/grpc-load';
import { deployed, judgeCalls, serverProgram } from '../../reliability/scenarios/grpc';
import { onFileFinished, onTestFinished } from '../afterwards';
import { type GrpcProxy, startGrpc } from '../nginx/support/grpc';
import { until } from '../until';

const directory = mkdtempSync(join(tmpdir(), 'fairlead-grpc-'));
const program = join(directory, 'server.cjs');
onFileFinished(() => {
  rmSync(directory, { recursive: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly instance: { readonly address: string; readonly port: number };
}

async function start(name: string): Promise<Started> {
  const env = { ...process.env, HOST: '127.0.0.1', HOSTNAME: name, PORT: '0' };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, instance: { address: '127.0.0.1', port: Number(/^listening on (\d+)$/.exec(line)?.[1]) } };
}

function loadOf({ nginx }: GrpcProxy): GrpcLoad {
  const certificates = [readFileSync(join(nginx.place.certificateDirectory, 'tls.crt'), 'utf8')];
  const url = `https://localhost:${nginx.place.httpsPort}`;
  const load = new GrpcLoad({ url, certificates, clients: 8, rate: 100 });
  onTestFinished(() => load.stop());
  return load;
}

function judged(load: GrpcLoad): Record<string, boolean> {
  const judgements: Record<string, boolean> = {};
  judgeCalls({ note: () => undefined, judge: (text, reached) => (judgements[text] = reached) }, load.calls);
  return judgements;
}

beforeAll(async () => {
  writeFileSync(program, await serverProgram());
});

test('the program of the service fits in a ConfigMap', () => {
  expect(readFileSync(program).length).toBeLessThan(1_000_000);
});

test('what is deployed has the service beside the API, and keeps the names of the standard state', () => {
  const [proxy, ...others] = deployedProxies(resolve(deployed.main), { FAIRLEAD_ENVIRONMENT: 'kind' });
  expect(others).toEqual([]);
  expect([proxy.namespace.name, proxy.node.id]).toEqual(['api', 'nginx']);
  expect(proxy.routes.map(({ model: { path, protocol } }) => [path.path, protocol])).toEqual([
    ['/', undefined],
    ['/shop.Orders', 'grpc'],
  ]);
});

test('no call is lost while an instance ends as a pod does, and its streams come back to another', async () => {
  const [one, two] = [await start('one'), await start('two')];
  const proxy = await startGrpc({ routes: [{ path: '/shop.Orders' }] }, [one.instance, two.instance]);
  const first = loadOf(proxy);
  await until(() => new Set(first.calls.map(({ hostname }) => hostname)).size === 2, 'both instances');
  await first.stop();
  const load = loadOf(proxy);
  await until(() => load.hostnames.length === 8, 'a stream of every client');
  expect(new Set(load.hostnames)).toEqual(new Set(['one', 'two']));
  proxy.dns.byHost.set('api.orders.svc.cluster.local', [two.instance]);
  const from = load.calls.length;
  await until(() => {
    const last = load.calls.slice(from).slice(-50);
    return last.length === 50 && last.every(({ hostname }) => hostname === 'two');
  }, 'fifty calls in a row to the instance that DNS still has');
  one.child.kill('SIGTERM');
  const [code] = (await once(one.child, 'exit')) as [number];
  expect(code).toBe(0);
  await until(() => load.hostnames.filter((name) => name === 'two').length === 8, 'the streams of the other one');
  const { calls, streams } = await load.stop();
  expect(calls.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(judged(load)).toEqual({ 'no call lost': true });
  const { endings, ended, cameBackElsewhere, away } = streamsSummary(streams);
  expect([...endings]).toEqual([
    ['gRPC stream ended with its last chunk', ended],
    ['gRPC stream held to the end', 8],
  ]);
  expect([ended > 0, cameBackElsewhere, away]).toEqual([true, ended, 0]);
});

test('a call that nobody answers is lost, and a stream that is cut has not ended as it should', async () => {
  const only = await start('only');
  const load = loadOf(await startGrpc({ routes: [{ path: '/shop.Orders' }] }, [only.instance]));
  await until(() => load.hostnames.length === 8, 'a stream of every client');
  only.child.kill('SIGKILL');
  await until(() => load.calls.some(({ error }) => error !== undefined), 'a call that is lost');
  await until(() => load.hostnames.length === 0, 'the end of every stream');
  const { calls, streams } = await load.stop();
  expect(calls.find(({ error }) => error !== undefined)?.error).toMatch(/^(?:UNAVAILABLE|INTERNAL): /);
  expect(judged(load)).toEqual({ 'no call lost': false });
  expect(streamsSummary(streams).away).toBe(8);
  expect(streams.sessions.map(({ ending }) => ending.how)).toEqual(Array.from({ length: 8 }, () => 'broken'));
});
