import type { Beginning, Update } from '../../dashboard/watch';
import { actionHeader } from '../../dashboard/server';
import { listeningDashboard } from '../../local/local-dashboard';
import { onTestFinished } from '../afterwards';
import { EventStream } from '../dashboard/event-stream';
import { someSystem } from '../dashboard/some-system';
import { expectNothingLeft, fairleads, type RunningFairlead } from './running-fairlead';

jest.setTimeout(120_000);

const { start } = fairleads();

async function press({ dashboardPort }: RunningFairlead, action: unknown): Promise<Response> {
  const url = `http://localhost:${dashboardPort}`;
  return fetch(`${url}/actions`, {
    method: 'POST',
    headers: { origin: url, [actionHeader]: '1' },
    body: JSON.stringify(action),
  });
}

function healthOf({ state }: Update, instance: string): string | undefined {
  return state.instances.find(({ name }) => name === instance)?.health;
}

describe('the dashboard of fairlead start', () => {
  test('is on another port where the usual one is taken, or is to be that of something else', async () => {
    const ports: number[] = [];
    for (const others of [[], [], [9114]]) {
      const dashboard = await listeningDashboard(someSystem(), undefined, others);
      onTestFinished(() => dashboard.close());
      expect((await fetch(dashboard.url)).status).toBe(200);
      ports.push(dashboard.port);
    }
    expect(new Set(ports).size).toBe(3);
    expect(ports[2]).not.toBe(9114);
  });

  test('counts every request, shows what is killed and what is stopped, and holds no end up', async () => {
    const fairlead = await start('--scale', '3');
    await fairlead.isUp();
    expect(fairlead.output).toContain(`http://localhost:${fairlead.dashboardPort} `);
    const page = new EventStream(fairlead.dashboardPort);
    const { description } = await page.next<Beginning>('beginning');
    expect(description.backends).toMatchObject([{ name: 'api', backend: 'api', version: '' }]);
    expect(description.routes.map(({ path, target }) => [path, target])).toContainEqual(['/', 'api']);
    await page.next<Update>('update', ({ figures }) => figures !== null);

    for (let count = 0; count < 30; count += 1) await fairlead.get('/healthcheck');
    for (let count = 0; count < 4; count += 1) await fairlead.get('/status/503');
    const { figures, state } = await page.next<Update>(
      'update',
      (update) => (update.figures?.proxy.counted.requests ?? 0) >= 34,
    );
    expect(state.certificates).toMatchObject([{ isSelfSigned: true }]);
    expect(figures?.proxy.counted).toEqual({ requests: 34, errors: 4, clientErrors: 0 });
    expect(state.instances.map(({ name, health }) => [name, health])).toEqual([
      ['api-1', 'ready'],
      ['api-2', 'ready'],
      ['api-3', 'ready'],
    ]);
    const seen = figures?.instances ?? [];
    expect(seen.every(({ requests, share }) => requests > 0 && share !== null)).toBe(true);
    expect(seen.reduce((sum, { share }) => sum + (share ?? 0), 0)).toBeCloseTo(1);

    expect((await press(fairlead, { action: 'kill', instance: 'api-2' })).status).toBe(204);
    const killed = await page.next<Update>('update', (update) => healthOf(update, 'api-2') === 'failed');
    expect(killed.state.instances.find(({ name }) => name === 'api-2')?.reason).toBe('SIGKILL');
    await page.next<Update>('update', ({ happenings }) =>
      happenings.some(({ text }) => text === 'api-2 is ready, and gets requests'),
    );
    expect((await press(fairlead, { action: 'stop', instance: 'api-3' })).status).toBe(204);
    await page.next<Update>('update', (update) => healthOf(update, 'api-3') === 'ending');
    await page.next<Update>('update', (update) => healthOf(update, 'api-3') === 'gone');
    const refused = await press(fairlead, { action: 'stop', instance: 'api-3' });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('is not an instance')]);

    fairlead.ctrlC();
    await page.next('ended');
    await page.ended;
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
    expect(fairlead.errors).toBe('');
  });

  test('sends load that both versions get by their weights, and an instance that is made slow answers late', async () => {
    const fairlead = await start('--main', 'examples/canary.ts', '--scale', '2');
    await fairlead.isUp();
    const page = new EventStream(fairlead.dashboardPort);
    await page.next<Beginning>('beginning', ({ description }) =>
      description.backends.some(({ name, version }) => name === 'orders-canary' && version === 'canary'),
    );
    expect((await press(fairlead, { action: 'weigh', backend: 'orders-canary', percent: 30 })).status).toBe(204);
    const beyond = await press(fairlead, { action: 'weigh', backend: 'orders-canary', percent: 50 });
    expect([beyond.status, await beyond.text()]).toEqual([400, expect.stringContaining('is more than its pods carry')]);
    expect((await press(fairlead, { action: 'load', rate: 100 })).status).toBe(204);
    const { figures } = await page.next<Update>('update', (update) => {
      const shares = update.figures?.splits[0]?.shares ?? [];
      return shares.length === 2 && shares.every(({ measured }) => measured !== null && measured > 10);
    });
    expect(figures?.splits[0]?.shares.map(({ weight }) => weight)).toEqual([70, 30]);
    expect(figures?.proxy.counted).toMatchObject({ errors: 0, clientErrors: 0 });
    expect(fairlead.output).not.toContain('GET /healthcheck');

    expect((await press(fairlead, { action: 'slow', instance: 'orders-1', isSlow: true })).status).toBe(204);
    // In progress on average, by how many came a second: what each took on average.
    const mean = ({ figures: later }: Update, instance: string): number => {
      const { inFlight = null, requests = 0 } = later?.instances.find(({ name }) => name === instance) ?? {};
      return requests > 0 ? (inFlight ?? 0) / requests : 0;
    };
    await page.next<Update>(
      'update',
      (update) => healthOf(update, 'orders-1') === 'slow' && mean(update, 'orders-1') > 4 * mean(update, 'orders-2'),
    );
    // It is told to end while it is slow.
    fairlead.ctrlC();
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
    expect(fairlead.output).toMatch(/orders-1 +Ended: nothing was cut off/);
  });
});
