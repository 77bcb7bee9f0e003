import { setTimeout as delay } from 'node:timers/promises';
import type { ExternalCommandOptions } from '../../cluster/external-command';
import { Kubectl } from '../../cluster/kubectl';
import { isReady, type Pod, podsUntil } from '../../cluster/pods';
import { until } from '../until';

function pod(name: string, ready: boolean): Pod {
  const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-31T00:00:00Z' };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: {}, status: { conditions: [condition] } };
}

/** An API server whose pods a test sets; it tells every watch of what changes. */
class FakeKubectl extends Kubectl {
  readonly pods = new Map<string, Pod>();
  lists = 0;
  /** How many of the next lists fail, as when the API server is away. */
  failures = 0;
  /** Runs in the middle of a list, after its answer was made. */
  whileListing: () => void = () => undefined;
  private readonly watches = new Set<{ readonly onLine: (line: string) => void; readonly end: () => void }>();

  set(...pods: readonly Pod[]): void {
    for (const each of pods) {
      this.tell(this.pods.has(each.metadata.name) ? 'MODIFIED' : 'ADDED', each);
      this.pods.set(each.metadata.name, each);
    }
  }

  delete(name: string): void {
    const gone = this.pods.get(name);
    this.pods.delete(name);
    if (gone !== undefined) this.tell('DELETED', gone);
  }

  /** Every watch ends, as when the API server goes away. */
  breakWatches(): void {
    for (const { end } of this.watches) end();
  }

  watched(): Promise<true> {
    return until(() => this.watches.size > 0);
  }

  override async run(args: readonly string[], { signal, onLine }: ExternalCommandOptions = {}): Promise<string> {
    if (!args.includes('--watch')) {
      this.lists += 1;
      if (this.failures > 0) {
        this.failures -= 1;
        throw new Error('the API server is away');
      }
      const answer = JSON.stringify({ items: [...this.pods.values()] });
      await delay(1);
      this.whileListing();
      return answer;
    }
    return new Promise((resolve) => {
      const end = (): void => {
        this.watches.delete(watching);
        resolve('');
      };
      const watching = { onLine: onLine ?? (() => undefined), end };
      this.watches.add(watching);
      signal?.addEventListener('abort', end);
      for (const each of this.pods.values()) watching.onLine(line('ADDED', each));
    });
  }

  private tell(type: string, each: Pod): void {
    for (const { onLine } of this.watches) onLine(line(type, each));
  }
}

function line(type: string, object: Pod): string {
  return `${type}|${JSON.stringify(object)}`;
}

function twoReady(kubectl: Kubectl, options: { patience?: number; signal?: AbortSignal } = {}): Promise<string[]> {
  return podsUntil(
    kubectl,
    ['pods'],
    'two ready pods',
    (pods) => (pods.length === 2 && pods.every(isReady) ? pods.map(({ metadata }) => metadata.name) : undefined),
    options,
  );
}

/** A cluster with pods that are not as wanted, which is being watched. */
async function waiting(...pods: readonly Pod[]): Promise<{ kubectl: FakeKubectl; found: Promise<string[]> }> {
  const kubectl = new FakeKubectl();
  kubectl.set(...pods);
  const found = twoReady(kubectl);
  await kubectl.watched();
  return { kubectl, found };
}

test('pods that are as wanted are not watched', async () => {
  const kubectl = new FakeKubectl();
  kubectl.set(pod('a', true), pod('b', true));
  expect(await twoReady(kubectl)).toEqual(['a', 'b']);
  expect(kubectl.lists).toBe(1);
});

test('a change is seen, and one list more has the last word', async () => {
  const { kubectl, found } = await waiting(pod('a', true), pod('b', false), pod('c', true));
  kubectl.set(pod('b', true));
  kubectl.delete('c');
  expect(await found).toEqual(['a', 'b']);
  expect(kubectl.lists).toBe(2);
});

test('the first pods that a watch tells of are not taken for all of them', async () => {
  const { kubectl, found } = await waiting(pod('a', true), pod('b', true), pod('c', true));
  // The watch told of two ready pods before the third, and a list was asked.
  await until(() => kubectl.lists >= 2);
  kubectl.delete('a');
  expect(await found).toEqual(['b', 'c']);
});

test('what changes while a list is under way is not missed', async () => {
  const { kubectl, found } = await waiting(pod('a', true));
  kubectl.whileListing = () => {
    kubectl.whileListing = () => undefined;
    kubectl.delete('b');
    kubectl.set(pod('c', true));
  };
  kubectl.set(pod('b', true), pod('d', true));
  kubectl.delete('d');
  expect(await found).toEqual(['a', 'c']);
});

test('a watch that broke begins anew, and pods that went meanwhile are forgotten', async () => {
  const { kubectl, found } = await waiting(pod('a', true), pod('b', true), pod('c', true));
  kubectl.breakWatches();
  kubectl.delete('c');
  expect(await found).toEqual(['a', 'b']);
});

test('a list that failed is not taken for one of no pods, and is asked again', async () => {
  const kubectl = new FakeKubectl();
  kubectl.set(pod('a', true));
  let asked = 0;
  const found = podsUntil(kubectl, ['pods'], 'no pod that is not ready', (pods) => {
    asked += 1;
    return asked > 1 && pods.every(isReady) ? pods.map(({ metadata }) => metadata.name) : undefined;
  });
  kubectl.failures = 1;
  expect(await found).toEqual(['a']);
  expect(kubectl.lists).toBe(3);
});

test('after its patience it says what did not come, and it ends with its signal', async () => {
  await expect(twoReady(new FakeKubectl(), { patience: 20 })).rejects.toThrow(
    'two ready pods: not within 0.02 seconds',
  );
  const interrupted = new AbortController();
  const found = twoReady(new FakeKubectl(), { signal: interrupted.signal });
  interrupted.abort(new Error('interrupted'));
  await expect(found).rejects.toThrow('interrupted');
});
