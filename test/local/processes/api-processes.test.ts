import { Turns } from '../../../local/processes/api-process';
import { ApiProcesses } from '../../../local/processes/api-processes';
import { Watchdog } from '../../../local/processes/watchdog';
import { onTestFinished } from '../../afterwards';
import { until } from '../../until';

const scripts = {
  works: "require('node:http').createServer((_, response) => response.end()).listen(process.env.PORT, '127.0.0.1')",
  fails: 'process.exit(1)',
  hangs: 'setInterval(() => undefined, 1000)',
};

/** Instances of what `program` is when they are started. */
class Instances {
  program: keyof typeof scripts = 'works';
  readonly environment: Record<string, string> = {};
  readonly died: string[] = [];
  /** How many were ready each time that another one was not. */
  readonly readyMeanwhile: number[] = [];
  readonly processes: ApiProcesses;

  constructor() {
    const watchdog = Watchdog.start();
    this.processes = new ApiProcesses(
      'api',
      {
        program: ({ port }) => ({
          command: { file: process.execPath, args: ['-e', scripts[this.program]] },
          environment: { ...process.env, ...this.environment, PORT: String(port) },
        }),
        protocol: 'http',
        healthCheckPath: '/',
        preStop: 0,
        shutdownTimeout: 5,
        watchdog,
        turns: new Turns(() => Number.POSITIVE_INFINITY),
      },
      {
        line: () => undefined,
        waiting: () => this.readyMeanwhile.push(this.processes.ready.length),
        died: (name) => this.died.push(name),
        slow: () => undefined,
      },
    );
    onTestFinished(async () => {
      await this.processes.terminate();
      await watchdog.end();
    });
  }

  get ready(): readonly string[] {
    return this.processes.ready.map(({ name }) => name);
  }

  /** Once all that were told to end have ended. */
  async settled(): Promise<void> {
    await until(() => this.processes.all.every(({ ending }) => !ending), 'the end of instances');
  }
}

test('each instance is replaced by another, and as many as are wanted are ready all the time', async () => {
  const instances = new Instances();
  await instances.processes.scale(2);
  const before = instances.processes.ready.map(({ pid }) => pid);
  instances.readyMeanwhile.length = 0;
  expect(await instances.processes.replace()).toBe(true);
  await instances.settled();
  const after = instances.processes.ready.map(({ pid }) => pid);
  expect(after).toHaveLength(2);
  expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  expect(Math.min(...instances.readyMeanwhile)).toBe(2);
  expect(instances.died).toEqual([]);
});

test('what does not start takes the place of none, and makes way for what does', async () => {
  const instances = new Instances();
  await instances.processes.scale(1);
  instances.program = 'fails';
  const first = instances.processes.replace();
  await until(() => instances.died.length > 0);
  expect(instances.ready).toEqual(['api-1']);
  instances.program = 'works';
  const second = instances.processes.replace();
  expect(await first).toBe(false);
  expect(await second).toBe(true);
  await instances.settled();
  expect(instances.ready).toHaveLength(1);
  expect(instances.ready).not.toEqual(['api-1']);
});

test('an instance that is stopped, or scaled away, while it is replaced leaves as many as are wanted', async () => {
  const instances = new Instances();
  await instances.processes.scale(3);
  instances.program = 'hangs';
  const replaced = instances.processes.replace();
  await until(() => instances.processes.all.length === 4);
  instances.program = 'works';
  expect(instances.processes.stop('api-1')).toBe(true);
  expect(await replaced).toBe(true);
  await instances.settled();
  expect(instances.ready).toHaveLength(2);

  instances.program = 'hangs';
  const again = instances.processes.replace();
  await until(() => instances.processes.all.length === 3);
  instances.program = 'works';
  await instances.processes.scale(1);
  expect(await again).toBe(true);
  await instances.settled();
  expect(instances.ready).toHaveLength(1);
});

test('more that are wanted while instances are replaced come as well, and one that is stopped meanwhile is one less', async () => {
  const instances = new Instances();
  await instances.processes.scale(2);
  const replaced = instances.processes.replace();
  expect(instances.processes.all).toHaveLength(3);
  void instances.processes.scale(3);
  expect(await replaced).toBe(true);
  await instances.settled();
  expect(instances.ready).toHaveLength(3);

  const before = instances.processes.all.map(({ name }) => name);
  const again = instances.processes.replace();
  const [successor] = instances.processes.all.filter(({ name }) => !before.includes(name));
  expect(instances.processes.stop(successor?.name ?? '')).toBe(true);
  expect(await again).toBe(true);
  await instances.settled();
  expect(instances.ready).toHaveLength(2);
});

test('what the system does not start is told like what ends, and started again', async () => {
  const instances = new Instances();
  instances.environment.TOO_LONG = 'x'.repeat(2 ** 22);
  const scaled = instances.processes.scale(1);
  await until(() => instances.died.length > 0);
  delete instances.environment.TOO_LONG;
  expect(await scaled).toBe(true);
});
