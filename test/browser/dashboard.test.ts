import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { DashboardServer } from '../../dashboard/server';
import { freePort } from '../../local/ports';
import { onTestFinished } from '../afterwards';
import { requestsCounted, said, someDescription, someInstance, someState, someSystem } from '../dashboard/some-system';
import { fairleads } from '../programs/running-fairlead';
import { open, overflow, screenshots, seriousViolations, sizes } from './browser';

const { start } = fairleads();

/** The text of a cell of the table of instances. */
function cell(page: Page, instance: string, title: string) {
  return page.locator('#instances tr', { hasText: instance }).locator(`[data-title="${title}"]`);
}

async function shows(page: Page, selector: string, text: string | RegExp): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor();
}

describe('the dashboard in a browser', () => {
  test('counts what was sent, shows a killed and a stopped instance in red, and traffic that moves without an error', async () => {
    const fairlead = await start('--main', 'examples/canary.ts', '--scale', '3');
    await fairlead.isUp();
    const url = `http://localhost:${fairlead.dashboardPort}`;
    const { page, complaints } = await open(url);
    await shows(page, '#connection', 'Live');
    await shows(page, '#idle', 'No requests now');
    expect(await page.locator('#choice:visible, #proxies-panel:visible').count()).toBe(0);
    await page.screenshot({ path: join(screenshots, 'idle-wide-light.png'), fullPage: true });

    for (let count = 0; count < 40; count += 1) await fairlead.get('/healthcheck');
    for (let count = 0; count < 3; count += 1) await fairlead.get('/status/404');
    await shows(page, '.tile', '43 counted');
    await shows(page, '.tile', '0 with 5xx, 3 with 4xx');
    const failure = page.locator('#failures details');
    await shows(page, '#failures details', /404 .*\/.* api-status .*3 in ten seconds, 3 in all/);
    expect(await failure.locator('code:visible').count()).toBe(0);
    await failure.locator('summary').click();
    await shows(page, '#failures p', 'The API itself answered so, and nginx passed it on.');
    await shows(page, '#failures code', 'npx fairlead explain 404 --since 10m --log access.log');
    // It stays open while figures come.
    await shows(page, '#failures details[open]', '0 in ten seconds, 3 in all');
    await page.screenshot({ path: join(screenshots, 'failure-wide-light.png'), fullPage: true });

    await page.selectOption('#rate', '100');
    await page.getByRole('button', { name: 'Send load' }).click();
    await page.getByRole('button', { name: 'Stop load' }).waitFor();
    await shows(page, '#tile-requests', /^(9\d|10\d)\/s$/);
    await cell(page, 'orders-1', 'In flight').filter({ hasText: /\d/ }).waitFor();
    for (const title of ['p50', 'p99']) await cell(page, 'orders-1', title).filter({ hasText: / m?s$/ }).waitFor();
    await cell(page, 'orders-1', 'In flight')
      .filter({ hasText: /^0\.\d+$/ })
      .waitFor();
    for (const title of ['p50', 'p99']) await cell(page, 'orders-1', title).filter({ hasText: / m?s$/ }).waitFor();
    await page.getByRole('button', { name: 'Kill orders-2' }).click();
    const killed = Date.now();
    await cell(page, 'orders-2', 'State').filter({ hasText: 'failed: SIGKILL' }).waitFor();
    expect(Date.now() - killed).toBeLessThan(3000);
    const red = await page.evaluate<string>(
      "getComputedStyle(document.documentElement).getPropertyValue('--bad').trim()",
    );
    const shown = await page.evaluate<string>(
      "getComputedStyle(document.querySelector('#instances .health.is-failed')).color",
    );
    expect(hex(shown)).toBe(red);
    await shows(page, '#happened li', 'orders-2 is ready, and gets requests');

    await page.getByRole('button', { name: 'Stop orders-3' }).click();
    await cell(page, 'orders-3', 'State').filter({ hasText: 'gone' }).waitFor();
    for (const scheme of ['light', 'dark'] as const) {
      const { page: other, complaints: others } = await open(url, { scheme });
      await shows(other, '#instances', 'orders-1');
      for (const size of ['wide', 'narrow'] as const) {
        await other.setViewportSize(sizes[size]);
        await shows(other, '#tile-requests', /\/s$/);
        await other.screenshot({ path: join(screenshots, `load-${size}-${scheme}.png`), fullPage: true });
        expect(await overflow(other)).toBe(0);
        expect(await seriousViolations(other)).toEqual([]);
      }
      expect(others).toEqual([]);
    }
    // What a GET lost to the instance that was killed, another one answered.
    await shows(page, '.tile', '0 with 5xx');

    await page.getByRole('button', { name: 'One instance of orders more' }).click();
    await shows(page, '#happened li', 'orders: scaled from 2 to 3');
    // Of the canary, by the keyboard.
    await page.getByRole('slider').nth(1).focus();
    await page.keyboard.press('ArrowRight');
    await shows(page, '#happened li', /^.*Weights of root: orders 90 %, orders-canary 10 %$/);

    fairlead.ctrlC();
    await shows(page, '#connection', 'fairlead has ended');
    await page.screenshot({ path: join(screenshots, 'ended-wide-light.png') });
    expect(await fairlead.exited).toBe(0);
    expect(complaints.filter((text) => !text.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
  });

  test('draws 200 instances within a second', async () => {
    const url = await served(200);
    const { page, complaints } = await open(url);
    await page.locator('.picture .cell').nth(199).waitFor();
    const painted = await page.evaluate<number>("performance.getEntriesByName('first-contentful-paint')[0].startTime");
    expect(painted).toBeLessThan(1000);
    await shows(page, '#tile-requests', /\/s$/);
    // As many as it draws, it has each with its figures.
    await cell(page, 'api-200', 'In flight').filter({ hasText: '0.4' }).waitFor();
    await cell(page, 'api-200', 'p50').filter({ hasText: '75 ms' }).waitFor();
    await cell(page, 'api-200', 'Retries').filter({ hasText: /^\d+$/ }).waitFor();
    await page.screenshot({ path: join(screenshots, 'many-wide-light.png') });
    await page.setViewportSize(sizes.narrow);
    await page.locator('#picture').screenshot({ path: join(screenshots, 'many-narrow-light.png') });
    expect(await overflow(page)).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('shows the proxies of a cluster, without a button', async () => {
    const url = await servedByProxies(['10.0.1.7', '10.0.2.9']);
    const { page, complaints } = await open(url);
    await shows(page, '#proxies', '10.0.2.9');
    await shows(page, '#picture', 'nginx × 2');
    await shows(page, '#tile-requests', /\d\/s$/);
    expect(await page.locator('button:visible').count()).toBe(0);
    // Of instances that nobody has asked nothing is known but that.
    expect(await cell(page, '10.0.1.8', 'p99').textContent()).toBe('–');
    await page.locator('#instances ~ details summary').click();
    await shows(page, '#in-terminal code', 'npx fairlead top --namespace shop');
    for (const size of ['wide', 'narrow'] as const) {
      await page.setViewportSize(sizes[size]);
      await page.screenshot({ path: join(screenshots, `cluster-${size}-light.png`), fullPage: true });
      expect(await overflow(page)).toBe(0);
    }
    expect(await seriousViolations(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('shows one proxy of a cluster, chosen by the keyboard or by the address of the page, and all of them once it is gone', async () => {
    const proxies = ['10.0.1.7', '10.0.2.9', '10.0.3.4'];
    const url = await servedByProxies(proxies);
    const { page, complaints } = await open(url);
    // So many requests of each as it stands further back.
    await shows(page, '#tile-requests', /^(23|24|25)\d\/s$/);
    await shows(page, '#tile-connections', '36');
    const choice = page.getByRole('combobox', { name: 'Proxy' });
    expect(await choice.locator('option').allTextContents()).toEqual(['all 3 together', ...proxies]);
    await choice.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await shows(page, '#tile-requests', /^(7|8)\d\/s$/);
    await shows(page, '#tile-connections', '12');
    await shows(page, '#picture', '10.0.2.9');
    await shows(page, '#proxies', '10.0.3.4');
    expect(new URL(page.url()).search).toBe('?proxy=10.0.2.9');
    await page.reload();
    await shows(page, '#picture', '10.0.2.9');
    expect(await choice.inputValue()).toBe('10.0.2.9');
    expect(await seriousViolations(page)).toEqual([]);
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const size of ['wide', 'narrow'] as const) {
        await page.setViewportSize(sizes[size]);
        await shows(page, '#picture', size === 'wide' ? '10.0.2.9' : '…9');
        await page.screenshot({ path: join(screenshots, `one-proxy-${size}-${scheme}.png`), fullPage: true });
        expect(await overflow(page)).toBe(0);
      }
    }

    proxies.splice(1, 1);
    await shows(page, '#toast', 'Proxy 10.0.2.9 is gone: this is all of them together');
    await shows(page, '#tile-connections', '24');
    expect(await choice.inputValue()).toBe('');
    expect(new URL(page.url()).search).toBe('');
    await choice.selectOption('10.0.3.4');
    await shows(page, '#tile-connections', '12');
    await choice.selectOption({ index: 0 });
    await shows(page, '#tile-connections', '24');
    expect(complaints).toEqual([]);
  });

  test('shows whatever instances are called as text', async () => {
    const name = '<img src=x onerror=alert(1)>';
    const url = await served(1, name);
    const { page, complaints } = await open(url);
    await shows(page, '#instances', name);
    expect(await page.locator('main img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});

/** A cluster with these proxies: the first answers 40 requests a second, each other one 40 more than the one before it. */
async function servedByProxies(proxies: readonly string[]): Promise<string> {
  const places = new Map(proxies.map((name, index) => [name, index + 1]));
  let seconds = 0;
  const scrape = (): Promise<ReadonlyMap<string, string>> => {
    seconds += 1;
    const metrics = (name: string): string =>
      `${requestsCounted(seconds * 40 * (places.get(name) ?? 0))}fairlead_connections{state="active"} 13\n`;
    return Promise.resolve(new Map(proxies.map((name) => [name, metrics(name)])));
  };
  const instances = ['10.0.1.8', '10.0.2.3'].map((name) => someInstance(name, { backend: 'api', canBeSlow: false }));
  const state = () => someState({ instances, proxies: [...proxies], wanted: {} });
  const system = someSystem({ state, scrape, actions: undefined });
  const dashboard = await DashboardServer.start(system, await freePort());
  onTestFinished(() => dashboard.close());
  return dashboard.url;
}

/** A system of so many instances that answer. */
async function served(count: number, name = 'api'): Promise<string> {
  const instances = Array.from({ length: count }, (_, index) =>
    someInstance(`${name}-${index + 1}`, {
      backend: 'api',
      addresses: [`10.0.0.${index}:80`],
      health: index % 40 === 7 ? 'failed' : index % 50 === 11 ? 'slow' : 'ready',
    }),
  );
  let seconds = 0;
  const scrape = (): Promise<ReadonlyMap<string, string>> => {
    seconds += 1;
    const peers = instances.flatMap(({ addresses: [peer] }, index) => {
      const labels = `backend="api",peer="${String(peer)}"`;
      const tries = index % 9 === 0 ? 0 : seconds * 5;
      return [
        `fairlead_peer_requests_total{${labels}} ${tries}`,
        `fairlead_peer_retried_total{${labels}} ${Math.floor(tries / 50)}`,
        `fairlead_peer_busy_seconds_total{${labels}} ${tries * 0.08}`,
        ...['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'].map(
          (bound) =>
            `fairlead_peer_response_duration_seconds_bucket{${labels},le="${bound}"} ${Number(bound) < 0.1 ? 0 : tries}`,
        ),
      ];
    });
    const all = `fairlead_http_requests_total{host="localhost",route="root",backend="api",code="200"} ${seconds * 900}`;
    return Promise.resolve(said([all, ...peers].join('\n')));
  };
  const state = () => someState({ instances, wanted: { api: count } });
  const description = { ...someDescription, mostInstances: 200 };
  const dashboard = await DashboardServer.start(someSystem({ description, state, scrape }), await freePort());
  onTestFinished(() => dashboard.close());
  return dashboard.url;
}

function hex(colour: string): string {
  const parts = [...colour.matchAll(/\d+/g)].map(([part]) => Number(part).toString(16).padStart(2, '0'));
  return `#${parts.join('')}`;
}
