import { request } from 'node:http';
import type { Beginning, Update } from '../../dashboard/watch';
import { actionHeader, DashboardServer, pageAssets } from '../../dashboard/server';
import type { DashboardSystem, SystemActions } from '../../dashboard/system';
import { freePort } from '../../local/ports';
import { InvalidOption } from '../../validation/invalid-option';
import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { EventStream } from './event-stream';
import {
  requestsCounted,
  said,
  someActions,
  someDescription,
  someInstance,
  someState,
  someSystem,
} from './some-system';

async function started(changed: Partial<DashboardSystem> = {}): Promise<DashboardServer> {
  const dashboard = await DashboardServer.start(someSystem(changed), await freePort());
  onTestFinished(() => dashboard.close());
  return dashboard;
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function ask({ port }: DashboardServer, { path = '/', method = 'GET', headers = {}, body }: Asked) {
  return new Promise<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }>(
    (resolve, reject) => {
      const own = { host: `localhost:${port}`, ...headers };
      request({ host: '127.0.0.1', port, path, method, headers: own, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      })
        .once('error', reject)
        .end(body);
    },
  );
}

function press(dashboard: DashboardServer, action: unknown, headers: Readonly<Record<string, string>> = {}) {
  return ask(dashboard, {
    path: '/actions',
    method: 'POST',
    headers: { origin: dashboard.url, [actionHeader]: '1', ...headers },
    body: typeof action === 'string' ? action : JSON.stringify(action),
  });
}

describe('the page', () => {
  test('is served with all that it loads, in less than 150 kB, and may load nothing else', async () => {
    const dashboard = await started();
    const page = await ask(dashboard, {});
    expect(page.status).toBe(200);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const named = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => String(path));
    expect(named.length).toBeGreaterThan(4);
    for (const path of named) expect([path, (await ask(dashboard, { path })).status]).toEqual([path, 200]);
    for (const [path, { content, type }] of pageAssets()) {
      if (!path.endsWith('.mjs')) continue;
      expect(type).toContain('text/javascript');
      for (const [, imported] of content.toString().matchAll(/from '\.(\/[^']+)'/g)) {
        expect([...pageAssets().keys()]).toContain(imported);
      }
    }
    const bytes = [...pageAssets().values()].reduce((sum, { content }) => sum + content.length, 0);
    expect(bytes).toBeLessThan(150_000);
  });

  test('has no script, style or handler in its text, and never sets HTML', () => {
    for (const [path, { content }] of pageAssets()) {
      if (path.startsWith('/uPlot')) continue;
      expect(content.toString()).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|<script>|<style|\sstyle=|\son\w+=/,
      );
    }
  });

  test('answers nothing but what it has', async () => {
    const dashboard = await started();
    expect((await ask(dashboard, { path: '/../package.json' })).status).toBe(404);
    expect((await ask(dashboard, { path: '/server.ts' })).status).toBe(404);
    expect((await ask(dashboard, { method: 'POST' })).status).toBe(405);
    expect((await ask(dashboard, { path: '/actions' })).status).toBe(405);
  });
});

describe('whoever comes by another name or from another origin', () => {
  test.each(['evil.example.com', 'localhost.evil.example.com', '127.0.0.1.evil.example.com:80', '[::2]:80'])(
    'is refused as %s',
    async (host) => {
      const dashboard = await started();
      for (const path of ['/', '/events', '/actions']) {
        expect(await ask(dashboard, { path, headers: { host } })).toMatchObject({ status: 403 });
      }
    },
  );

  test.each(['https://evil.example.com', 'http://localhost:1', 'null', 'https://localhost'])(
    'is refused from %s, and nothing is done',
    async (origin) => {
      const stop = jest.fn();
      const dashboard = await started({ actions: { ...someActions, stop } });
      expect((await ask(dashboard, { path: '/events', headers: { origin } })).status).toBe(403);
      expect((await press(dashboard, { action: 'stop', instance: 'api-1' }, { origin })).status).toBe(403);
      expect(stop).not.toHaveBeenCalled();
    },
  );

  test('is refused what a page of another site has in it, but not the way to this one', async () => {
    const dashboard = await started();
    const from = (site: string, mode: string) => ({ 'sec-fetch-site': site, 'sec-fetch-mode': mode });
    expect((await ask(dashboard, { path: '/events', headers: from('cross-site', 'no-cors') })).status).toBe(403);
    expect((await ask(dashboard, { path: '/app.mjs', headers: from('same-site', 'cors') })).status).toBe(403);
    expect((await ask(dashboard, { headers: from('cross-site', 'navigate') })).status).toBe(200);
    expect((await ask(dashboard, { path: '/app.mjs', headers: from('same-origin', 'cors') })).status).toBe(200);
  });

  test('is answered as localhost and by both addresses of loopback', async () => {
    const dashboard = await started();
    for (const name of ['localhost', '127.0.0.1', '[::1]']) {
      expect((await ask(dashboard, { headers: { host: `${name}:${dashboard.port}` } })).status).toBe(200);
    }
  });
});

describe('a button', () => {
  test('does what it says, with a header of the page and its origin alone', async () => {
    const actions = Object.fromEntries(Object.keys(someActions).map((name) => [name, jest.fn()])) as unknown as {
      readonly [name in keyof SystemActions]: jest.Mock;
    };
    const dashboard = await started({ actions });
    const stop = { action: 'stop', instance: 'api-1' };
    const asked = { path: '/actions', method: 'POST', body: JSON.stringify(stop) };
    expect((await ask(dashboard, { ...asked, headers: { origin: dashboard.url } })).status).toBe(403);
    expect((await ask(dashboard, { ...asked, headers: { [actionHeader]: '1' } })).status).toBe(403);
    expect(actions.stop).not.toHaveBeenCalled();

    expect((await press(dashboard, stop)).status).toBe(204);
    await press(dashboard, { action: 'kill', instance: 'api-2' });
    await press(dashboard, { action: 'slow', instance: 'api-2', isSlow: true });
    await press(dashboard, { action: 'scale', backend: 'api', count: 3 });
    await press(dashboard, { action: 'weigh', backend: 'api', percent: 20 });
    await press(dashboard, { action: 'load', rate: 50 });
    expect(Object.fromEntries(Object.entries(actions).map(([name, { mock }]) => [name, mock.calls]))).toEqual({
      stop: [['api-1']],
      kill: [['api-2']],
      slow: [['api-2', true]],
      scale: [['api', 3]],
      weigh: [['api', 20]],
      load: [[50]],
    });
  });

  test.each([
    ['{', 'action: "{" is not JSON'],
    [[], 'action: [] is'],
    [{ action: 'toString' }, 'action: "toString" is'],
    [{ action: 'stop' }, 'instance: undefined is not a name'],
    [{ action: 'scale', backend: 'api', count: '3' }, 'count: "3" is out of range'],
    [{ action: 'slow', instance: 'api-1', isSlow: 'yes' }, 'isSlow: "yes" is neither true nor false'],
    [{ action: 'weigh', backend: 'api', percent: 101 }, 'percent: 101 is out of range'],
    [{ action: 'load', rate: 1e6 }, 'rate: 1000000 is out of range'],
  ])('that sends %j is told what is wrong', async (action, message) => {
    const { status, text } = await press(await started(), action);
    expect([status, text]).toEqual([400, expect.stringContaining(message)]);
  });

  test('is told why the system refuses', async () => {
    const refuse = (): never => {
      throw new InvalidOption('stop', 'api-1', 'is the last one');
    };
    const dashboard = await started({ actions: { ...someActions, stop: refuse } });
    expect(await press(dashboard, { action: 'stop', instance: 'api-1' })).toMatchObject({
      status: 400,
      text: 'stop: "api-1" is the last one\n',
    });
  });

  test('that sends more than any button does is refused', async () => {
    expect((await press(await started(), `{"action":"${'x'.repeat(5000)}"}`)).status).toBe(413);
  });
});

describe('whoever looks', () => {
  test('is told what there is, then what happened in each second', async () => {
    let counted = 0;
    const states = [someState(), someState({ instances: [someInstance('api-1', { health: 'failed', since: 1 })] })];
    const dashboard = await started({
      scrape: () => Promise.resolve(said(requestsCounted((counted += 10)))),
      state: () => states[counted > 10 ? 1 : 0] ?? someState(),
    });
    const page = new EventStream(dashboard.port);
    const { description, moments } = await page.next<Beginning>('beginning');
    expect([description.url, moments]).toEqual([someDescription.url, []]);
    const first = await page.next<Update>('update');
    expect([first.moment.figures, first.figures]).toEqual([null, null]);
    const second = await page.next<Update>('update', ({ figures }) => figures !== null);
    expect(second.figures?.proxy.counted.requests).toBe(20);
    const rate = 10 / (second.figures?.seconds ?? 0);
    expect(second.moment.figures?.requests).toBeCloseTo(rate, 5);
    expect(second.happenings).toMatchObject([{ tone: 'bad', text: 'api-1 failed: it is started again' }]);

    const later = await new EventStream(dashboard.port).next<Beginning>('beginning');
    expect(later.moments.length).toBeGreaterThanOrEqual(2);
    expect(later.happenings).toEqual(second.happenings);
    expect(later.latest).not.toBeNull();
  });

  test('is told why there are no figures, and sees what runs all the same', async () => {
    const dashboard = await started({ scrape: () => Promise.reject(new Error('nobody answers')) });
    const { problem, figures, state } = await new EventStream(dashboard.port).next<Update>('update');
    expect([problem, figures, state.instances.length]).toEqual(['nobody answers', null, 1]);
  });

  test('sees proxies come and go without a jump in what is counted', async () => {
    const looks = [
      new Map([['one', requestsCounted(10)]]),
      new Map([
        ['one', requestsCounted(20)],
        ['late', requestsCounted(7000)],
      ]),
      new Map([
        ['one', requestsCounted(30)],
        ['late', requestsCounted(7010)],
      ]),
      new Map([['late', requestsCounted(7020)]]),
    ];
    const scrape = () => Promise.resolve(looks.shift() ?? new Map([['late', requestsCounted(1)]]));
    const page = new EventStream((await started({ scrape })).port);
    const counted = async (proxies: number, of: number): Promise<number> => {
      const { figures, moment } = await page.next<Update>(
        'update',
        (update) => update.figures?.proxies.length === proxies && update.figures.proxy.counted.requests === of,
      );
      expect(figures?.proxies.every(({ requests }) => requests > 0)).toBe(true);
      return moment.figures?.requests ?? NaN;
    };
    expect(await counted(1, 20)).toBeLessThan(30);
    expect(await counted(2, 7040)).toBeLessThan(60);
    expect(await counted(1, 7020)).toBeLessThan(30);
    const { happenings } = await page.next<Update>('update', (update) => update.happenings.length > 0);
    expect(happenings.map(({ text }) => text)).toEqual(['The proxy was started again, and counts from 0']);
  });

  test('is told of the proxy that it has chosen alone, and what each of them did adds up', async () => {
    let looks = 0;
    const scrape = () => {
      looks += 1;
      const connections = (count: number): string => `fairlead_connections{state="active"} ${count}\n`;
      return Promise.resolve(
        new Map([
          ['one', requestsCounted(looks * 10) + connections(4)],
          ['two', requestsCounted(looks * 30) + requestsCounted(looks * 2, '502') + connections(7)],
        ]),
      );
    };
    const state = () => someState({ proxies: ['one', 'two'] });
    const { port } = await started({ scrape, state });
    const all = new EventStream(port);
    const [one, two] = [new EventStream(port, '/events?proxy=one'), new EventStream(port, '/events?proxy=two')];
    for (const stream of [all, one, two]) await stream.next('beginning');
    const together = await all.next<Update>('update', ({ figures }) => figures !== null);
    const isThen = ({ moment }: Update): boolean => moment.time === together.moment.time;
    const each = [await one.next<Update>('update', isThen), await two.next<Update>('update', isThen)];
    expect(each.map(({ figures }) => figures?.proxy.connections)).toEqual([3, 6]);
    for (const of of [
      ({ figures }: Update) => figures?.proxy.requests,
      ({ figures }: Update) => figures?.proxy.errors,
      ({ figures }: Update) => figures?.proxy.counted.requests,
      ({ figures }: Update) => figures?.proxy.connections,
      ({ figures }: Update) => figures?.routes[0]?.requests,
      ({ figures }: Update) => figures?.backends[0]?.requests,
      ({ moment }: Update) => moment.figures?.requests,
    ]) {
      expect(of(together)).toBeGreaterThan(0);
      expect(each.reduce((sum, update) => sum + (of(update) ?? NaN), 0)).toBeCloseTo(of(together) ?? NaN, 5);
    }
    for (const { figures } of each) expect(figures?.proxies).toEqual(together.figures?.proxies);

    // Whoever chooses it later sees what it did before.
    const later = await new EventStream(port, '/events?proxy=one').next<Beginning>('beginning');
    const then = later.moments.find(({ time }) => time === together.moment.time);
    expect(then?.figures).toEqual(each[0]?.moment.figures);
    expect(later.latest?.figures?.proxy.connections).toBe(3);
  });

  test('is told that the proxy that it has chosen does not answer', async () => {
    let looks = 0;
    const scrape = () => Promise.resolve(new Map([['one', requestsCounted((looks += 1))]]));
    const state = () => someState({ proxies: ['one', 'two'] });
    const { port } = await started({ scrape, state });
    const page = new EventStream(port, '/events?proxy=two');
    const { problem, figures, moment } = await page.next<Update>('update');
    expect([problem, figures, moment.figures]).toEqual([
      'Proxy two does not answer: it has no figures now',
      null,
      null,
    ]);
    const others = await new EventStream(port).next<Update>('update', (update) => update.figures !== null);
    expect(others.problem).toBeNull();
  });

  test('is the only reason to ask the proxy, which is told when nobody looks any more', async () => {
    const scrape = jest.fn(() => Promise.resolve(said(requestsCounted(1))));
    const unwatched = jest.fn();
    const dashboard = await started({ scrape, unwatched });
    await ask(dashboard, {});
    expect(scrape).not.toHaveBeenCalled();
    const page = new EventStream(dashboard.port);
    await page.next('update');
    page.close();
    await until(() => unwatched.mock.calls.length === 1);
    const asked = scrape.mock.calls.length;
    await new EventStream(dashboard.port).next('update');
    // Asked at once by whoever looks again, and by nobody before.
    expect(scrape.mock.calls.length - asked).toBe(1);
  });

  test('holds the end of the server up by nothing, and is told of it', async () => {
    const dashboard = await started();
    const page = new EventStream(dashboard.port);
    await page.next('update');
    await dashboard.close();
    await page.ended;
    expect(page.events.at(-1)?.event).toBe('ended');
    await expect(ask(dashboard, {})).rejects.toThrow(/ECONNREFUSED/);
  });
});

test('a port that is taken is said to be', async () => {
  const { port } = await started();
  await expect(DashboardServer.start(someSystem(), port)).rejects.toThrow(/EADDRINUSE/);
});
