import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExternalCommandOptions } from '../../cluster/external-command';
import { Kubectl } from '../../cluster/kubectl';
import { PortForwards } from '../../top/port-forwards';
import { onFileFinished, onTestFinished } from '../afterwards';
import { until } from '../until';
import { someMetrics } from './some-metrics';

let metrics: Server;

beforeAll(async () => {
  metrics = createServer((request, response) => {
    response.writeHead(request.url === '/metrics?peers' ? 200 : 404).end(someMetrics());
  }).listen(0, '127.0.0.1');
  await once(metrics, 'listening');
  onFileFinished(() => {
    metrics.close();
    metrics.closeAllConnections();
  });
});

/** A cluster whose pods a test sets, with a way to each of them as long as its kubectl runs. */
class FakeKubectl extends Kubectl {
  pods: readonly string[] = ['edge-1', 'edge-2'];
  portName = 'metrics';
  /** Why pods cannot be reached. */
  refusal: string | undefined;
  readonly running = new Map<string, () => void>();
  started = 0;

  override run(args: readonly string[], { signal, onLine }: ExternalCommandOptions = {}): Promise<string> {
    const ports = [
      { name: 'https', containerPort: 8443 },
      { name: this.portName, containerPort: 9113 },
    ];
    const items = this.pods.map((name) => ({ metadata: { name }, spec: { containers: [{}, { ports }] } }));
    if (args[0] === 'get') return Promise.resolve(JSON.stringify({ items }));
    expect(args.slice(0, 3)).toEqual(['port-forward', '--namespace=shop', '--address=127.0.0.1']);
    expect(args[4]).toBe(':9113');
    this.started += 1;
    if (this.refusal !== undefined) return Promise.reject(new Error(this.refusal));
    const name = String(args[3]);
    return new Promise((resolve) => {
      const end = (): void => {
        this.running.delete(name);
        resolve('');
      };
      this.running.set(name, end);
      signal?.addEventListener('abort', end);
      onLine?.('Forwarding from [::1]:1 -> 9113');
      onLine?.(`Forwarding from 127.0.0.1:${(metrics.address() as AddressInfo).port} -> 9113`);
    });
  }
}

async function opened(kubectl: FakeKubectl): Promise<PortForwards> {
  const source = await PortForwards.open(kubectl, 'shop', new AbortController().signal);
  onTestFinished(() => source.close());
  return source;
}

function names(source: PortForwards): string[] {
  return source.proxies().map(({ name }) => name);
}

test('each pod is asked by a kubectl of its own, which is started once and ended with the rest', async () => {
  const kubectl = new FakeKubectl();
  const source = await opened(kubectl);
  expect(kubectl.started).toBe(0);
  for (const proxy of [...source.proxies(), ...source.proxies()]) expect(await proxy.scrape()).toBe(someMetrics());
  expect([...kubectl.running.keys()]).toEqual(['pod/edge-1', 'pod/edge-2']);
  expect(kubectl.started).toBe(2);
  await source.close();
  expect(kubectl.running.size).toBe(0);
});

test('pods are listed again when a kubectl has ended', async () => {
  const kubectl = new FakeKubectl();
  const source = await opened(kubectl);
  await Promise.all(source.proxies().map((proxy) => proxy.scrape()));
  kubectl.pods = ['edge-2', 'edge-3'];
  kubectl.running.get('pod/edge-1')?.();
  await until(() => names(source).join() === 'edge-2,edge-3');
  const [second, third] = source.proxies();
  expect(await third?.scrape()).toBe(someMetrics());
  expect(await second?.scrape()).toBe(someMetrics());
  expect([...kubectl.running.keys()]).toEqual(['pod/edge-2', 'pod/edge-3']);
});

test('a pod that is not reached says why, and is not tried again at once', async () => {
  const kubectl = new FakeKubectl();
  kubectl.refusal = 'kubectl port-forward: error: unable to forward port';
  const source = await opened(kubectl);
  const [first] = source.proxies();
  const reason = 'is not reached: kubectl port-forward: error: unable to forward port';
  for (let time = 0; time < 3; time += 1) await expect(first?.scrape()).rejects.toThrow(reason);
  expect(kubectl.started).toBe(1);
});

test('a pod that is gone ends its kubectl', async () => {
  const kubectl = new FakeKubectl();
  const source = await opened(kubectl);
  await Promise.all(source.proxies().map((proxy) => proxy.scrape()));
  kubectl.pods = ['edge-1'];
  kubectl.running.get('pod/edge-1')?.();
  await until(() => names(source).join() === 'edge-1' && kubectl.running.size === 0);
});

test.each([
  ['no proxy', { pods: [] }, 'no proxy of fairlead runs in the namespace shop: give the namespace of one'],
  ['no metrics', { portName: 'other' }, 'the proxies of the namespace shop serve no metrics: call addMonitoring()'],
])('a namespace with %s is refused', async (_, changed, message) => {
  const kubectl = new FakeKubectl();
  Object.assign(kubectl, changed);
  await expect(PortForwards.open(kubectl, 'shop', new AbortController().signal)).rejects.toThrow(message);
  expect(kubectl.running.size).toBe(0);
});
