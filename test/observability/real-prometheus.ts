import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../local/ports';
import { onFileFinished } from '../afterwards';
import { until } from '../until';

/** What an expression gave for one series: a time and a number as text. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

type Answer =
  { readonly status: 'success'; readonly data: unknown } | { readonly status: 'error'; readonly error: string };

/** A kept connection would keep jest from ending. */
const closing = { headers: { connection: 'close' } };

/** A real Prometheus, which asks one target every second; it is ended with the file of tests. */
export class RealPrometheus {
  private constructor(private readonly url: string) {}

  /** The labels are what the operator would add. */
  static async start(
    job: string,
    metricsPort: number,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<RealPrometheus> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'fairlead-prometheus-'));
    onFileFinished(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    const config = join(directory, 'prometheus.yaml');
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s' },
        scrape_configs: [{ job_name: job, static_configs: [{ targets: [`127.0.0.1:${metricsPort}`], labels }] }],
      }),
    );
    const prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
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
    const url = `http://127.0.0.1:${port}`;
    await until(
      () =>
        fetch(`${url}/-/ready`, closing).then(
          ({ ok }) => ok,
          () => false,
        ),
      'Prometheus to be ready',
    );
    return new RealPrometheus(url);
  }

  /** The samples of an expression at this moment; rejects with what is wrong with it. */
  async query(expression: string): Promise<readonly Sample[]> {
    const { result } = (await this.get(`query?query=${encodeURIComponent(expression)}`)) as {
      readonly result: readonly Sample[];
    };
    return result;
  }

  /** The number of the first of them; NaN if there is none. */
  async value(expression: string): Promise<number> {
    return Number((await this.query(expression))[0]?.value[1] ?? NaN);
  }

  /** The values of a label, of the series that a selector finds. */
  async labelValues(selector: string, label: string): Promise<readonly string[]> {
    return (await this.get(`label/${label}/values?match[]=${encodeURIComponent(selector)}`)) as readonly string[];
  }

  /** Families by name, each with the type that its target says. */
  async metadata(): Promise<Readonly<Record<string, readonly { readonly type: string }[]>>> {
    return (await this.get('metadata')) as Readonly<Record<string, readonly { readonly type: string }[]>>;
  }

  private async get(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${path}`, closing);
    const answer = (await response.json()) as Answer;
    if (answer.status === 'error') {
      throw new Error(`Prometheus does not take ${decodeURIComponent(path)}: ${answer.error}`);
    }
    return answer.data;
  }
}
