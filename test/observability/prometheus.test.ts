import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../local/ports';
import { metricFamilies } from '../../nginx/metrics/metric-families';
import { onFileFinished } from '../afterwards';
import { OneInstance, startWithOneInstance } from '../nginx/support/one-instance';
import { until } from '../until';

let system: OneInstance;
let api: string;
/** A kept connection would keep jest from ending. */
const closing = { headers: { connection: 'close' } };

beforeAll(async () => {
  const [metricsPort, webPort] = [await freePort(), await freePort()];
  system = await startWithOneInstance({ routes: [{ name: 'root' }], metrics: { maxSeries: 500 } }, undefined, {
    metricsPort,
  });
  onFileFinished(() => system.stop());
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-prometheus-'));
  onFileFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const config = join(directory, 'prometheus.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'shop/edge', static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }] }],
    }),
  );
  const prometheus = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${webPort}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const spawned = await Promise.race([once(prometheus, 'spawn'), once(prometheus, 'error')]);
  if (spawned[0] instanceof Error) throw new Error('Prometheus is not installed: install it (Debian: prometheus)');
  onFileFinished(async () => {
    const ended = once(prometheus, 'exit');
    prometheus.kill('SIGTERM');
    await ended;
  });
  api = `http://127.0.0.1:${webPort}/api/v1`;
});

interface Answer {
  readonly data: {
    readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: [number, string] }[];
  };
}

/** The samples of an expression at this moment; none while Prometheus does not answer. */
async function query(expression: string): Promise<Answer['data']['result']> {
  try {
    const answer = await fetch(`${api}/query?query=${encodeURIComponent(expression)}`, closing);
    return ((await answer.json()) as Answer).data.result;
  } catch {
    return [];
  }
}

async function value(expression: string): Promise<number> {
  return Number((await query(expression))[0]?.value[1] ?? NaN);
}

test('Prometheus counts what was sent, through scrapes every second', async () => {
  await until(async () => (await value('up')) === 1, 'the first scrape');
  const total = 'sum(fairlead_http_requests_total{route="root"})';
  const before = (await value(total)) || 0;
  for (let time = 0; time < 300; time += 1) expect((await system.nginx.get({})).status).toBe(200);
  await until(async () => (await value(total)) - before >= 300, 'all that was sent');
  expect((await value(total)) - before).toBe(300);
  expect(await value('fairlead_http_request_duration_seconds_count{route="root"}')).toBe(await value(total));
  expect(
    await value('histogram_quantile(0.99, fairlead_http_request_duration_seconds_bucket{route="root"})'),
  ).toBeGreaterThan(0);
});

test('Prometheus knows every family that is documented, by its type', async () => {
  const rare = ['fairlead_certificate_refused', 'fairlead_certificate_not_after_timestamp_seconds'];
  const answer = await fetch(`${api}/metadata`, closing);
  const { data } = (await answer.json()) as { data: Readonly<Record<string, readonly { readonly type: string }[]>> };
  const unknown = Object.keys(metricFamilies).filter((name) => {
    const known = data[name] ?? data[name.replace(/_(total|info)$/, '')];
    return known === undefined && !rare.includes(name);
  });
  expect(unknown).toEqual([]);
});
