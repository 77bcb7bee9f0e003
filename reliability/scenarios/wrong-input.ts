import { setTimeout as delay } from 'node:timers/promises';
import type { KeyPair } from '../../certificates/key-pair';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { isReady } from '../../cluster/pods';
import type { Scenario, ScenarioContext } from '../scenario';
import { handshake, restoreSecret, servedEverywhere, writeSecret } from './certificates';
import { rolled } from './rollouts';

const twoYears = 2 * 365 * 86_400_000;

/** A Secret that no handshake can be made with, or none that a client believes. */
function wrongSecret(
  name: string,
  title: string,
  description: string,
  wrong: (context: ScenarioContext) => KeyPair,
): Scenario {
  return {
    name: `secret-${name}`,
    title,
    group: 'wrong input',
    description: `${description} The proxies that run go on with the last good certificate, say so in their log, and a new proxy is never ready; then the Secret is put right.`,
    reaches: 'nothing lost',
    act: async (context) => {
      const { workloads } = context;
      context.atEnd(() => restoreSecret(context));
      const served = await handshake(context);
      const since = new Date();
      context.event('the Secret is wrong');
      await writeSecret(context, wrong(context));
      await context.workloads.lookAtVolumes();
      const complaints = await context.until('what the proxies say of it', async () => {
        const lines = (await workloads.proxyLogs(since)).filter((line) => /\[error\].*certificate/i.test(line));
        return lines.length >= 2 ? lines : undefined;
      });
      context.event('both proxies have said so');
      context.note('log', complaints[0]?.replace(/^\S+ \S+ /, '') ?? '');
      context.event('rollout of nginx');
      await workloads.restart('proxy');
      await delay(15_000, undefined, { signal: context.system.signal });
      const ready = (await workloads.pods('proxy')).filter(isReady);
      context.judge('no new proxy is ready', ready.length === 2);
      context.judge('the last good certificate is served', (await handshake(context)) === served);
      const renewed = context.keyPair(11);
      context.event('the Secret is put right');
      await writeSecret(context, renewed);
      await context.workloads.lookAtVolumes();
      await servedEverywhere(context, renewed);
      await rolled(context, 'proxy');
    },
  };
}

const missingImage = { image: 'fairlead-api:does-not-exist', pods: { imagePullPolicy: 'Never' } };

const missingResolver = { namespace: { resolvers: ['no-such-name.invalid'] } };

export const wrongInput: readonly Scenario[] = [
  wrongSecret(
    'broken',
    'Secret with a broken certificate',
    'The certificate in the Secret is cut in half.',
    (context) => {
      const { certificate, privateKey } = context.keyPair(0);
      return { certificate: certificate.slice(0, certificate.length / 2), privateKey };
    },
  ),
  wrongSecret(
    'mismatched',
    'Secret with a key that does not match',
    'The key belongs to another certificate.',
    (context) => ({
      certificate: context.keyPair(0).certificate,
      privateKey: context.keyPair(1).privateKey,
    }),
  ),
  wrongSecret('expired', 'Secret with an expired certificate', 'The certificate ended a year ago.', (context) =>
    selfSignedKeyPair(context.system.hosts, context.directory('expired'), new Date(Date.now() - twoYears)),
  ),
  {
    name: 'image-missing',
    title: 'an image that does not exist',
    group: 'wrong input',
    description: 'The rollout stops at its first pod, the old ones serve; then it is rolled back.',
    reaches: 'nothing lost',
    applies: [missingImage],
    act: async (context) => {
      const before = (await context.workloads.pods('api')).map(({ metadata }) => metadata.name).sort();
      context.event('applied');
      await context.system.apply(missingImage);
      await delay(15_000, undefined, { signal: context.system.signal });
      const ready = (await context.workloads.pods('api')).filter(isReady).map(({ metadata }) => metadata.name);
      context.judge('the old pods are those that serve', ready.sort().join() === before.join());
      context.event('rolled back');
      await context.workloads.undo('api');
      await rolled(context, 'api');
    },
  },
  {
    name: 'nginx-cannot-start',
    title: 'a configuration that cannot start',
    group: 'wrong input',
    description:
      'A resolver by a name that does not exist, which nginx refuses to start with. The old proxies serve; then it is rolled back.',
    reaches: 'nothing lost',
    applies: [missingResolver],
    act: async (context) => {
      const before = (await context.workloads.pods('proxy')).map(({ metadata }) => metadata.name).sort();
      context.event('applied');
      await context.system.apply(missingResolver);
      await delay(20_000, undefined, { signal: context.system.signal });
      const ready = (await context.workloads.pods('proxy')).filter(isReady).map(({ metadata }) => metadata.name);
      context.judge('the old proxies are those that serve', ready.sort().join() === before.join());
      context.event('rolled back');
      await context.workloads.undo('proxy');
      await rolled(context, 'proxy');
    },
  },
];
