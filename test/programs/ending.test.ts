import { onTestFinished } from '../afterwards';
import { until } from '../until';
import { expectNothingLeft, fairleads, foreignApp, RunningFairlead } from './running-fairlead';

jest.setTimeout(120_000);

const { start, started } = fairleads();

describe('the end of fairlead start', () => {
  test('quit ends everything', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    fairlead.type('quit');
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)(
    '%s lets a request in flight finish and leaves nothing behind',
    async (signal) => {
      const fairlead = await start('--scale', '2');
      await fairlead.isUp();
      const slow = fairlead.get('/delay/1500');
      await until(() => fairlead.get('/healthcheck'));
      fairlead.signal(signal);
      expect((await slow).status).toBe(200);
      expect(await fairlead.exited).toBe(0);
      await expectNothingLeft(fairlead);
    },
  );

  test('a second Ctrl-C ends everything at once', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    const slow = fairlead.get('/delay/60000').then(
      ({ status }) => status,
      () => 'cut',
    );
    await until(() => fairlead.get('/healthcheck'));
    fairlead.ctrlC();
    await fairlead.says('Ending');
    const again = setInterval(() => {
      fairlead.ctrlC();
    }, 300);
    onTestFinished(() => {
      clearInterval(again);
    });
    const exited = await fairlead.exited;
    clearInterval(again);
    expect(exited).toBe(130);
    expect(await slow).not.toBe(200);
    const afterwards = fairlead.output.split('Ctrl-C again ends at once)\n')[1] ?? '';
    expect(afterwards).toContain('fairlead Ending at once: requests in flight are cut\n');
    expect(afterwards).not.toContain('started again');
    await expectNothingLeft(fairlead);
  });

  test('Ctrl-C while it starts leaves nothing behind', async () => {
    const fairlead = await start('--scale', '3');
    await fairlead.says(/Now accepting/);
    fairlead.ctrlC();
    expect(await fairlead.exited).toBe(0);
    await expectNothingLeft(fairlead);
  });

  test('nothing is left even if it is killed', async () => {
    const fairlead = await start('--scale', '2', '--command', `sh -c 'node ${foreignApp}; true'`);
    await fairlead.isUp();
    expect(fairlead.processes().length).toBeGreaterThan(5);
    fairlead.signal('SIGKILL');
    expect(await fairlead.exited).toBe('SIGKILL');
    await fairlead.untilProcesses(({ length }) => length === 0);
    await until(() => fairlead.temporaryFiles().length === 0);
    await expectNothingLeft(fairlead);
  });

  describe.each([
    ['npm start', (...args: string[]) => RunningFairlead.startByNpm(...args)],
    ['npm and a shell that stays', (...args: string[]) => RunningFairlead.startByShellOfNpm(...args)],
  ])('by %s', (_, startBy) => {
    test.each(['SIGTERM', 'SIGKILL'] as const)('ends everything in order once npm got %s', async (signal) => {
      const fairlead = await started(startBy('--scale', '1'));
      await fairlead.isUp();
      fairlead.signal(signal);
      await fairlead.exited;
      await fairlead.untilProcesses(({ length }) => length === 0);
      expect(fairlead.output).toMatch(/api-1 +Ended: nothing was cut off/);
      await expectNothingLeft(fairlead);
    });
  });
});
