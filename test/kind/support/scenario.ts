import { ExternalCommandFailure } from '../../../cluster/external-command';
import { accessLog } from '../../../cluster/pods';
import type { LoadRequest } from '../../../load/load-request';
import type { LoadResult } from '../../../load/load-result';
import { workloads } from './pods';
import { kubectl, suite } from './suite';
import { stopLoad } from './traffic-load';

/** A test that shows the state of the cluster when it fails. */
export function scenario(title: string, work: () => Promise<void>): void {
  test(title, async () => {
    try {
      await work();
    } catch (error) {
      process.stderr.write(`\n${title}: what the cluster says\n${await diagnostics()}\n`);
      throw error;
    } finally {
      await stopLoad();
    }
  });
}

/** Fails with the first of the requests that were lost, and with what the proxies logged about them. */
export async function expectNoneLost(result: LoadResult): Promise<void> {
  if (result.lost.length > 0) await showLost(result.lost.slice(0, 10));
  expect({ sent: result.sent, ok: result.ok, lost: result.lost.slice(0, 10) }).toEqual({
    sent: result.sent,
    ok: result.sent,
    lost: [],
  });
}

async function showLost(lost: readonly LoadRequest[]): Promise<void> {
  const logged = accessLog(await workloads().proxyLogs(), new Set(lost.map(({ id }) => id)));
  const lines = lost.map((request) => {
    const entry = logged.find(({ request_id }) => request_id === request.id);
    return `${JSON.stringify(request)}\n  logged: ${entry === undefined ? 'nothing' : JSON.stringify(entry)}`;
  });
  process.stderr.write(`\nlost requests\n${lines.join('\n')}\n`);
}

async function diagnostics(): Promise<string> {
  const inNamespace = `--namespace=${suite().namespace}`;
  const parts: string[] = [];
  for (const args of [
    ['get', 'pods', '--output=wide', inNamespace],
    ['get', 'horizontalpodautoscalers,replicasets,configmaps', inNamespace],
    ['get', 'events', '--sort-by=.lastTimestamp', inNamespace],
  ]) {
    const answer = await said(() => kubectl.run(args));
    parts.push(`$ kubectl ${args.join(' ')}`, answer.split('\n').slice(-40).join('\n'));
  }
  const errors = await said(async () =>
    (await workloads().proxyLogs())
      .filter((line) => !line.startsWith('{'))
      .slice(-40)
      .join('\n'),
  );
  return [...parts, 'error log of nginx', errors].join('\n');
}

/** What is asked for after a failure may fail as well, and must not hide it. */
async function said(ask: () => Promise<string>): Promise<string> {
  try {
    return await ask();
  } catch (error) {
    return error instanceof ExternalCommandFailure ? error.message : String(error);
  }
}
