import { until } from '../until';
import type { Observation } from '../../top/observation';
import type { KnownProxy, Source } from '../../top/source';
import { Watch } from '../../top/watch';
import { answered, someMetrics } from './some-metrics';

const { signal } = new AbortController();
const nobodyWaits = 60_000;

/** A proxy that answers, or fails, as it is told. */
class ToldProxy implements KnownProxy {
  questions = 0;
  answer: () => Promise<string> = () => Promise.resolve(someMetrics());

  constructor(readonly name: string) {}

  scrape(): Promise<string> {
    this.questions += 1;
    return this.answer();
  }

  counts(requests: number): void {
    this.answer = () => Promise.resolve(someMetrics([answered(requests)]));
  }

  fails(reason: string): void {
    this.answer = () => Promise.reject(new Error(reason));
  }
}

function sourceOf(...proxies: KnownProxy[]): Source & { readonly all: KnownProxy[] } {
  return { all: proxies, proxies: () => [...proxies], mend: 'mend it', close: () => Promise.resolve() };
}

function problems({ proxies }: Observation): (string | undefined)[] {
  return proxies.map(({ problem }) => problem);
}

function said({ events }: Observation): string[] {
  return events.map(({ text }) => text);
}

test('figures come with the second answer, of the proxies that answered twice in turn', async () => {
  const [one, other] = [new ToldProxy('one'), new ToldProxy('other')];
  const watch = new Watch(sourceOf(one, other));
  one.counts(10);
  other.counts(1000);
  expect((await watch.look(nobodyWaits, signal)).figures).toBeNull();
  one.counts(14);
  other.fails('is away');
  const second = await watch.look(nobodyWaits, signal);
  expect(problems(second)).toEqual([undefined, 'is away']);
  expect(second.figures?.proxy.counted.requests).toBe(14);
  other.counts(1001);
  const third = await watch.look(nobodyWaits, signal);
  expect(problems(third)).toEqual([undefined, undefined]);
  expect(third.proxies.map(({ figures }) => figures === null)).toEqual([false, true]);
  expect(third.figures?.proxy.counted.requests).toBe(14);
  expect(said(third)).toEqual(['other answers again', 'other is away']);
});

test('one that does not answer is not waited for, nor asked again, and counts once it has answered', async () => {
  const [one, slow] = [new ToldProxy('one'), new ToldProxy('slow')];
  const watch = new Watch(sourceOf(one, slow));
  await watch.look(nobodyWaits, signal);
  let answer: (text: string) => void = () => undefined;
  slow.answer = () => new Promise((resolve) => (answer = resolve));
  for (let look = 0; look < 2; look += 1) {
    expect(problems(await watch.look(1, signal))).toEqual([
      undefined,
      expect.stringMatching(/^has not answered for \d+\.\d s$/),
    ]);
  }
  expect([one.questions, slow.questions]).toEqual([3, 2]);
  answer(someMetrics());
  slow.counts(1);
  const later = await until(async () => {
    const observed = await watch.look(nobodyWaits, signal);
    return observed.proxies[1]?.figures != null && observed;
  });
  expect(problems(later)).toEqual([undefined, undefined]);
  expect(said(later).filter((text) => text.startsWith('slow has not answered'))).toHaveLength(1);
});

test('what another program answers is not taken for metrics', async () => {
  const other = new ToldProxy('other');
  other.answer = () => Promise.resolve('nginx_up 1\n');
  const observed = await new Watch(sourceOf(other)).look(nobodyWaits, signal);
  expect(problems(observed)).toEqual(['answers, but with no metrics of fairlead']);
});

test('a proxy that came and one that went are said', async () => {
  const source = sourceOf(new ToldProxy('one'), new ToldProxy('other'));
  const watch = new Watch(source);
  expect(said(await watch.look(nobodyWaits, signal))).toEqual([]);
  source.all.splice(0, 1, new ToldProxy('new'));
  expect(said(await watch.look(nobodyWaits, signal))).toEqual(['one is gone', 'new came']);
  expect(said(await watch.look(nobodyWaits, signal))).toEqual(['one is gone', 'new came']);
});

test('a look ends when it is told to', async () => {
  const silent = new ToldProxy('silent');
  silent.answer = () => new Promise(() => undefined);
  const stop = new AbortController();
  const look = new Watch(sourceOf(silent)).look(nobodyWaits, stop.signal);
  stop.abort();
  await expect(look).rejects.toThrow('abort');
});
