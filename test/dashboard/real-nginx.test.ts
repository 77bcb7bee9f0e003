import { Agent } from 'node:http';
import { figures } from '../../dashboard/figures';
import { metricsAt, parsedScrape, type Scrape } from '../../dashboard/scrape';
import { onTestFinished } from '../afterwards';
import { someDescription, someInstance, someState } from './some-system';
import { startWithUnevenInstances } from './uneven-instances';

test('an instance that refuses has retries and no percentiles, and one that answers late has more in flight and its times', async () => {
  const { metricsPort, prompt, late, refusing, send } = await startWithUnevenInstances();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => {
    agent.destroy();
  });
  const look = async (): Promise<Scrape> =>
    parsedScrape(await metricsAt('127.0.0.1', metricsPort, agent, 3000), Date.now());
  const before = await look();
  await send(12);
  const instances = Object.entries({ prompt, late, refusing }).map(([name, address]) =>
    someInstance(name, { backend: 'api', addresses: [address] }),
  );
  const found = figures(new Map([['nginx', [before, await look()]]]), someDescription, someState({ instances }));
  const [ofPrompt, ofLate, ofRefusing] = found.instances;
  expect(ofRefusing).toMatchObject({ p50: null, p99: null, retries: ofRefusing?.failures });
  expect(ofRefusing?.retries).toBeGreaterThan(0);
  expect(ofLate).toMatchObject({ failures: 0, retries: 0 });
  for (const part of [ofLate?.p50, ofLate?.p99]) expect(part).toBeGreaterThan(0.1);
  expect(ofLate?.inFlight).toBeGreaterThan(0);
  expect(ofPrompt).toMatchObject({ failures: 0, retries: 0 });
  expect(ofPrompt?.p50).toBeGreaterThan(0);
});
