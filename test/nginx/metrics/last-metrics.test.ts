import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { freePort } from '../../../local/ports';
import { lastMetricsConfName, untilScrapedCommand, untilScrapedScript } from '../../../nginx/metrics/last-metrics';
import { metricsScriptNames } from '../../../nginx/metrics/metrics-section';
import { until } from '../../until';
import { startWithOneInstance } from '../support/one-instance';
import { RealNginx, type RealNginxStart } from '../support/real-nginx';
import { type Exposition, scrape, sum } from './exposition';

const requests = 'fairlead_http_requests_total';

/** When each has asked, so many milliseconds ago, and how often it does. */
type Scrapers = Readonly<Record<string, { readonly ago: number; readonly interval: number | null }>>;

/** What an nginx before this one kept. */
interface Kept {
  readonly configuration?: string;
  readonly scrapers?: Scrapers;
  readonly folded?: number;
}

/** As a pod starts nginx, with the programs of this machine, but that it looks more often whether it may end. */
function asInPod(seconds: number, kept?: Kept, metricsDirectory = '.'): RealNginxStart['command'] {
  return (directory, nginx) => {
    if (kept !== undefined) keep(directory, kept);
    const cases = ['nginx.conf', lastMetricsConfName].map((conf) => {
      const { file, args } = nginx(conf);
      return `*/${conf}) exec ${[file, ...args].map((each) => `'${each}'`).join(' ')} ;;`;
    });
    const programs = join(directory, 'bin');
    mkdirSync(programs);
    writeFileSync(join(programs, 'nginx'), ['#!/bin/sh', 'case $2 in', ...cases, 'esac', ''].join('\n'));
    chmodSync(join(programs, 'nginx'), 0o755);
    writeFileSync(join(directory, untilScrapedScript.name), untilScrapedScript.text.replaceAll('sleep 1', 'sleep 0.1'));
    const last = join(directory, lastMetricsConfName);
    writeFileSync(last, readFileSync(last, 'utf8').replace('interval=1s', 'interval=100ms'));
    const command = untilScrapedCommand(directory, join(directory, metricsDirectory), seconds);
    return { file: 'env', args: [`PATH=${programs}:${String(process.env.PATH)}`, ...command] };
  };
}

function keep(directory: string, { configuration, scrapers = {}, folded = 0 }: Kept): void {
  const told = readFileSync(join(directory, metricsScriptNames[0]), 'utf8');
  const [, own] = /"configuration":"(\w+)"/.exec(told) ?? [];
  const [, nothing = ''] = /function nothingCounted\(\) \{\n {2}return (.*?);\n\}/s.exec(told) ?? [];
  const empty = runInNewContext(`(${nothing})`, { model: { configuration: own } }) as object;
  const now = Date.now();
  const times = Object.entries(scrapers).map(([name, { ago, interval }]) => [name, { last: now - ago, interval }]);
  const counts = { ...empty, scrapers: Object.fromEntries(times) as object, folded };
  // Of an end that came to nothing, as the container was started again.
  writeFileSync(join(directory, 'ending'), '');
  writeFileSync(copyIn(directory), JSON.stringify(configuration === undefined ? counts : { ...counts, configuration }));
}

function copyIn(directory: string): string {
  return join(directory, 'counts.json');
}

function scrapersIn(directory: string): string[] {
  const { scrapers } = JSON.parse(readFileSync(copyIn(directory), 'utf8')) as { readonly scrapers: object };
  return Object.keys(scrapers);
}

interface Proxy {
  readonly nginx: RealNginx;
  readonly port: number;
  /** The request to `/slow`, once it is at the API: answers it. */
  readonly held: () => Promise<() => void>;
}

async function startProxy(seconds = 65, kept?: Kept): Promise<Proxy> {
  const port = await freePort();
  let slow: ServerResponse | undefined;
  const { nginx } = await startWithOneInstance(
    {},
    ({ url }, response) => {
      if (url === '/slow') slow = response;
      else response.end('ok');
    },
    { metricsPort: port },
    String,
    asInPod(seconds, kept),
  );
  const held = async (): Promise<() => void> => {
    const response = await until(() => slow, 'the request at the API');
    return () => response.end('late');
  };
  return { nginx, port, held };
}

const regular = { ago: 20_000, interval: 60_000 };

test('metrics are served while nginx ends and until they were scraped after it, and are exact', async () => {
  const { nginx, port, held } = await startProxy(65, { scrapers: { '127.0.0.1': regular } });
  // It has no connections of clients.
  const byTheOther = async (): Promise<Exposition | undefined> => {
    const found = await scrape(port).catch(() => undefined);
    return found?.text.includes('fairlead_connections{') === false ? found : undefined;
  };
  const before = await until(async () => {
    const scraped = await scrape(port);
    return sum(scraped, requests, { code: '200' }) > 0 && scraped;
  }, 'the first request');
  expect(before.text).toContain('fairlead_connections{');
  const answer = nginx.get({ path: '/slow' });
  const answerIt = await held();
  nginx.kill('SIGQUIT');
  expect(sum(await until(byTheOther, 'metrics of the other nginx'), requests)).toBe(sum(before, requests));
  answerIt();
  expect((await answer).body).toBe('late');
  const isOver = (): boolean => existsSync(join(nginx.directory, 'unscraped'));
  const last = await until(() => isOver() && byTheOther(), 'the last scrape');
  expect(sum(last, requests)).toBe(sum(before, requests) + 1);
  expect(await nginx.ended).toBe(0);
});

test.each<[string, Scrapers]>([
  ['nobody has asked', {}],
  ['somebody has asked once', { '192.0.2.1': { ago: 10_000, interval: null } }],
  ['who asked regularly does so no longer', { '192.0.2.1': { ago: 152_000, interval: 60_000 } }],
])('nginx ends at once where %s', async (_name, scrapers) => {
  const { nginx } = await startProxy(65, { scrapers });
  nginx.kill('SIGQUIT');
  expect(await nginx.ended).toBe(0);
});

test.each([0, 1])('who does not come is waited for no longer than was said: %d s', async (seconds) => {
  const { nginx } = await startProxy(seconds, { scrapers: { '192.0.2.1': regular } });
  nginx.kill('SIGTERM');
  expect(await nginx.ended).toBe(0);
});

test('a second signal ends the wait', async () => {
  const { nginx, port } = await startProxy(65, { scrapers: { '192.0.2.1': regular } });
  await scrape(port);
  nginx.kill('SIGQUIT');
  const unscraped = join(nginx.directory, 'unscraped');
  await until(() => existsSync(unscraped) && scrape(port).catch(() => undefined), 'the last metrics');
  expect(existsSync(unscraped)).toBe(true);
  nginx.kill('SIGTERM');
  expect(await nginx.ended).toBe(0);
});

test('nginx ends in order where nothing can be written beside the metrics', async () => {
  const { nginx } = await startWithOneInstance(
    {},
    undefined,
    { metricsPort: await freePort() },
    String,
    asInPod(65, undefined, 'missing'),
  );
  nginx.kill('SIGQUIT');
  expect(await nginx.ended).toBe(0);
});

test('an nginx that ends by itself is waited for by nobody, and its exit code is kept', async () => {
  const { nginx } = await startProxy(65, { scrapers: { '192.0.2.1': regular } });
  process.kill(Number(readFileSync(join(nginx.directory, 'nginx.pid'), 'utf8')), 'SIGKILL');
  expect(await nginx.ended).toBe(128 + 9);
});

test('an nginx that is started again goes on counting, with another configuration anew', async () => {
  const folded = async (kept: Kept): Promise<number> => {
    const { nginx, port } = await startProxy(0, kept);
    await nginx.get({});
    return sum(await scrape(port), 'fairlead_metrics_folded_total');
  };
  expect(await folded({ folded: 7 })).toBe(7);
  expect(await folded({ folded: 7, configuration: 'another' })).toBe(0);
});

test('no more than sixteen are waited for, and none that has gone', async () => {
  const { nginx, port } = await startProxy(0, { scrapers: { '192.0.2.1': { ago: 152_000, interval: 60_000 } } });
  for (let index = 1; index <= 20; index += 1) await scrape(port, { localAddress: `127.0.0.${index}` });
  const expected = Array.from({ length: 16 }, (_, index) => `127.0.0.${index + 1}`);
  expect(scrapersIn(nginx.directory).sort()).toEqual(expected.sort());
});

test('a copy that has no room is not left as it was, and counting goes on', async () => {
  const { nginx, port } = await startProxy(0);
  const before = sum(await scrape(port), requests);
  expect(existsSync(copyIn(nginx.directory))).toBe(true);
  symlinkSync('/dev/full', `${copyIn(nginx.directory)}.new`);
  await nginx.get({});
  await until(async () => sum(await scrape(port), requests) > before, 'the request');
  expect(existsSync(copyIn(nginx.directory))).toBe(false);
  expect(nginx.errors).not.toContain('could not be counted');
});
