import { getEventListeners } from 'node:events';
import { Turns } from '../../../local/processes/api-process';

const never = new AbortController().signal;

/** Whether a promise has settled by now. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise((resolve) => setImmediate(resolve)).then(() => false)]);
}

test('no more have a turn than the limit, and the next one comes in order when a turn is given back', async () => {
  const turns = new Turns(() => 2);
  const [first] = [await turns.take(never), await turns.take(never)];
  const [third, fourth] = [turns.take(never), turns.take(never)];
  expect(await settled(third)).toBe(false);
  first();
  // A turn that is given back twice counts once.
  first();
  expect(await settled(third)).toBe(true);
  expect(await settled(fourth)).toBe(false);
});

test('the limit is asked for anew each time', async () => {
  let limit = Number.POSITIVE_INFINITY;
  const turns = new Turns(() => limit);
  await turns.take(never);
  const second = await turns.take(never);
  limit = 1;
  const third = turns.take(never);
  second();
  expect(await settled(third)).toBe(false);
});

test('a wait ends once it is aborted', async () => {
  const turns = new Turns(() => 1);
  await turns.take(never);
  const stop = new AbortController();
  const waiting = turns.take(stop.signal);
  stop.abort();
  expect(await settled(waiting)).toBe(true);
});

test('a wait has one listener, however many turns are given back before its own', async () => {
  let limit = 1;
  const turns = new Turns(() => limit);
  const end = await turns.take(never);
  limit = 0;
  const stop = new AbortController();
  const waiting = turns.take(stop.signal);
  end();
  expect(await settled(waiting)).toBe(false);
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
  stop.abort();
  await waiting;
});
