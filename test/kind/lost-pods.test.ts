import { accessLog, type Pod } from '../../cluster/pods';
import { eventually } from '../../cluster/progress';
import type { LoadResult } from '../../load/load-result';
import { loadFigure } from './support/figures';
import { settled, workloads } from './support/pods';
import { scenario } from './support/scenario';
import { kubectl, suite } from './support/suite';
import { startLoad } from './support/traffic-load';

const apiReplicas = 3;

beforeEach(() => settled(apiReplicas));

/** A POST may be lost only if some of it had been sent to the pod that was taken away. */
async function expectOnlySentPostsLost(result: LoadResult, victim: Pod): Promise<void> {
  expect(result.lost.filter(({ method }) => method === 'GET')).toEqual([]);
  const ids = new Set(result.lost.map(({ id }) => id));
  const logged = await eventually('the access log of every lost request', async () => {
    const entries = accessLog(await workloads().proxyLogs(), ids);
    return entries.length === ids.size ? entries : undefined;
  });
  const sentToVictim = logged.filter(({ tries }) =>
    tries.some(({ address, bytesSent }) => address.startsWith(`${victim.status.podIP ?? ''}:`) && bytesSent > 0),
  );
  expect(sentToVictim.map(({ request_id }) => request_id).sort()).toEqual([...ids].sort());
}

function restarts(pod: Pod | undefined): number {
  return pod?.status.containerStatuses?.[0]?.restartCount ?? 0;
}

async function anyApiPod(): Promise<Pod> {
  const [victim] = await workloads().pods('api');
  if (victim === undefined) throw new Error('there are pods');
  return victim;
}

scenario(
  'an API process is killed (SIGKILL): no GET is lost, a POST only if it had been sent to that pod',
  async () => {
    const victim = await anyApiPod();
    const load = await startLoad();
    await eventually('the first answers', () => (load.requests.length > 500 ? true : undefined));
    await workloads().killProcess(victim);
    await eventually('the restarted container, ready', async () => {
      const again = (await workloads().readyPods('api', apiReplicas)).find(
        ({ metadata }) => metadata.name === victim.metadata.name,
      );
      return restarts(again) > restarts(victim) ? again : undefined;
    });
    const answeredAgain = load.requests.length;
    await eventually('an answer of the restarted container', () =>
      load.requests.slice(answeredAgain).some(({ hostname }) => hostname === victim.metadata.name) ? true : undefined,
    );
    const result = await load.stop();
    loadFigure('API process killed (SIGKILL)', result);
    await expectOnlySentPostsLost(result, victim);
  },
);

scenario('an API pod is deleted by force: no GET is lost, a POST only if it had been sent to that pod', async () => {
  const victim = await anyApiPod();
  const load = await startLoad();
  await eventually('the first answers', () => (load.requests.length > 500 ? true : undefined));
  await kubectl.run([
    'delete',
    'pod',
    victim.metadata.name,
    `--namespace=${suite().namespace}`,
    '--force',
    '--grace-period=0',
  ]);
  const after = await workloads().readyPods('api', apiReplicas);
  await eventually('an answer of every pod', () => {
    const answered = new Set(load.requests.map(({ hostname }) => hostname));
    return after.every(({ metadata }) => answered.has(metadata.name)) ? true : undefined;
  });
  const result = await load.stop();
  loadFigure('API pod deleted by force', result);
  expect(after.map(({ metadata }) => metadata.name)).not.toContain(victim.metadata.name);
  await expectOnlySentPostsLost(result, victim);
});
