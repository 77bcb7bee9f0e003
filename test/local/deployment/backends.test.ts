import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Backends } from '../../../local/deployment/backends';
import { Program } from '../../../local/deployment/programs';
import { Watchdog } from '../../../local/processes/watchdog';
import { onTestFinished } from '../../afterwards';
import { fastTimeline } from '../../nginx/support/models';
import { until } from '../../until';

/** Beside those that serve: half of the cores. */
const mostAtOnce = Math.max(1, Math.floor(availableParallelism() / 2));

/** Is not ready before a file is there. */
const script = `const { existsSync } = require('node:fs');
require('node:http').createServer((_, response) => {
  response.statusCode = existsSync(process.env.READY) ? 200 : 503;
  response.end();
}).listen(process.env.PORT, '127.0.0.1');`;

/** One backend, whose instances are ready when a test says so. */
class SlowBackend {
  /** In the order in which they were started. */
  readonly started: string[] = [];
  readonly backends: Backends;
  /** How often each was asked, and was not ready. */
  private readonly asked = new Map<string, number>();
  private readonly directory = mkdtempSync(join(tmpdir(), 'fairlead-backends-'));

  constructor() {
    const watchdog = Watchdog.start();
    const program: Program = {
      kind: 'command',
      name: 'node',
      healthCheckPath: '/',
      missing: [],
      directory: undefined,
      instance: ({ name, port }) => {
        this.started.push(name);
        return {
          command: { file: process.execPath, args: ['-e', script] },
          environment: { ...process.env, PORT: String(port), READY: this.file(name) },
        };
      },
    };
    this.backends = new Backends(
      [{ name: 'api', protocol: 'http', program, replicas: 1, timeline: fastTimeline }],
      watchdog,
      {
        line: () => undefined,
        waiting: ({ name }) => this.asked.set(name, this.timesAsked(name) + 1),
        died: () => undefined,
        slow: () => undefined,
      },
    );
    onTestFinished(async () => {
      await this.backends.terminate();
      await watchdog.end();
      rmSync(this.directory, { recursive: true });
    });
  }

  becomesReady(name: string): void {
    writeFileSync(this.file(name), '');
  }

  /** Once so many were started, each of which was asked several times since: what is started at the same time would have been by then. */
  async untilStarted(count: number): Promise<void> {
    await until(() => this.started.length >= count, `the start of ${count} instances`);
    const waiting = this.started.filter((name) => !this.ready.includes(name));
    await until(() => waiting.every((name) => this.ready.includes(name) || this.timesAsked(name) > 3), 'their starts');
  }

  private get ready(): readonly string[] {
    return this.backends.ready.map(({ name }) => name);
  }

  private timesAsked(name: string): number {
    return this.asked.get(name) ?? 0;
  }

  private file(name: string): string {
    return join(this.directory, name);
  }
}

test('instances start at once while none serves', async () => {
  const slow = new SlowBackend();
  const scaled = slow.backends.scale('api', mostAtOnce + 2);
  await slow.untilStarted(mostAtOnce + 2);
  for (const name of slow.started) slow.becomesReady(name);
  expect(await scaled).toBe(true);
});

test('beside one that serves no more start at once than half of the cores carry, and the next one when one is ready', async () => {
  const slow = new SlowBackend();
  slow.becomesReady('api-1');
  expect(await slow.backends.scale('api', 1)).toBe(true);

  const scaled = slow.backends.scale('api', 1 + mostAtOnce + 1);
  await slow.untilStarted(1 + mostAtOnce);
  expect(slow.started).toHaveLength(1 + mostAtOnce);

  const [, next = ''] = slow.started;
  slow.becomesReady(next);
  await slow.untilStarted(1 + mostAtOnce + 1);
  for (const name of slow.started) slow.becomesReady(name);
  expect(await scaled).toBe(true);
});
