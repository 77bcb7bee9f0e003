import { spawnSync } from 'node:child_process';
import { fairleads, type RunningFairlead } from '../programs/running-fairlead';
import { until } from '../until';

const { start } = fairleads();

beforeAll(() => {
  process.env.FAIRLEAD_ENVIRONMENT = 'kind';
});

afterAll(() => {
  Reflect.deleteProperty(process.env, 'FAIRLEAD_ENVIRONMENT');
});

/** Those of its instances. */
function containerNames(fairlead: RunningFairlead): string[] {
  return fairlead.processes().flatMap(({ command }) => /--name=(fairlead-api-\S+)/.exec(command)?.[1] ?? []);
}

function areThere(names: readonly string[]): string[] {
  const { stdout } = spawnSync('docker', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' });
  return stdout.split('\n').filter((name) => names.includes(name));
}

// The suite has built the image for its cluster.
describe('fairlead start with a backend whose image Docker has, and no command', () => {
  test('runs a container for each instance, scales and ends them in order', async () => {
    const fairlead = await start('--scale', '2');
    await fairlead.isUp();
    expect(fairlead.output).toContain('api runs its image in Docker: fairlead-api:dev\n');
    fairlead.type('scale 3');
    await fairlead.says('3 instances are ready: api-1, api-2, api-3');
    const asked = new Set<string>();
    await until(async () => {
      asked.add((JSON.parse((await fairlead.get('/healthcheck')).body) as { hostname: string }).hostname);
      return asked.size === 3;
    });
    const names = containerNames(fairlead);
    expect(areThere(names)).toHaveLength(3);
    fairlead.type('quit');
    expect(await fairlead.exited).toBe(0);
    expect(fairlead.output.match(/ Ended: nothing was cut off/g)).toHaveLength(3);
    expect(areThere(names)).toEqual([]);
  });

  test('leaves no container even if it is killed', async () => {
    const fairlead = await start('--scale', '1');
    await fairlead.isUp();
    const names = containerNames(fairlead);
    expect(areThere(names)).toHaveLength(1);
    fairlead.signal('SIGKILL');
    await until(() => areThere(names).length === 0);
  });
});
