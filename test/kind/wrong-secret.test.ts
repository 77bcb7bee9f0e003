import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { isReady } from '../../cluster/pods';
import { eventually } from '../../cluster/progress';
import { loadFigure } from './support/figures';
import { settled, workloads } from './support/pods';
import { expectNoneLost, scenario } from './support/scenario';
import { cluster, suite } from './support/suite';
import { startLoad } from './support/traffic-load';
import { apply } from './support/variant';

beforeAll(() => settled());

afterAll(async () => {
  await apply(suite().manifests);
  await workloads().lookAtVolumes();
  await workloads().rolledOut('proxy');
});

async function failedStarts(before: readonly string[]): Promise<number> {
  const events = JSON.parse(await workloads().run('get', 'events', '--output=json')) as {
    readonly items: readonly {
      readonly message?: string;
      readonly count?: number;
      readonly involvedObject: { readonly name: string };
    }[];
  };
  const failures = events.items
    .filter(({ involvedObject }) => !before.includes(involvedObject.name))
    .filter(({ message }) => message?.startsWith('Startup probe failed') === true);
  return Math.max(0, ...failures.map(({ count = 1 }) => count));
}

scenario('a Secret whose key does not match takes nothing away, and no new proxy is ready with it', async () => {
  const before = (await workloads().pods('proxy')).map(({ metadata }) => metadata.name).sort();
  const pair = (name: string): ReturnType<typeof selfSignedKeyPair> =>
    selfSignedKeyPair(['localhost'], mkdtempSync(join(cluster.directory, `${name}-`)));
  const load = await startLoad();
  const since = new Date();
  await workloads().run(
    'patch',
    'secret',
    'nginx-tls',
    `--patch=${JSON.stringify({ stringData: { 'tls.crt': pair('one').certificate, 'tls.key': pair('other').privateKey } })}`,
  );
  await workloads().lookAtVolumes();
  await eventually('both proxies, to say so', async () => {
    const lines = (await workloads().proxyLogs(since)).filter((line) =>
      line.includes('the last good pair is still served'),
    );
    return lines.length >= 2 ? lines : undefined;
  });
  await workloads().restart('proxy');
  await eventually('a new proxy that does not start', async () =>
    (await failedStarts(before)) >= 10 ? true : undefined,
  );
  // The load trusts the first certificate alone: another would have failed it.
  const ready = (await workloads().pods('proxy')).filter(isReady).map(({ metadata }) => metadata.name);
  expect(ready.sort()).toEqual(before);
  const result = await load.stop();
  loadFigure('Secret with a key that does not match', result);
  await expectNoneLost(result);
});
