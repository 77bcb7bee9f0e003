import { setTimeout as delay } from 'node:timers/promises';
import type { KeyPair } from '../../certificates/key-pair';
import { selfSignedKeyPair } from '../../certificates/self-signed';
import { isReady } from '../../cluster/pod';
import type { Scenario } from '../scenario';
import type { Stage } from '../stage';
import { handshake, lookAtSecrets, restoreSecret, servedEverywhere, writeSecret } from './certificates';
import { rolled } from './rollouts';

const twoYears = 2 * 365 * 86_400_000;

/** A Secret that no handshake can be made with, or none that a client believes. */
function wrongSecret(name: string, title: string, description: string, wrong: (stage: Stage) => KeyPair): Scenario {
  return {
    name: `secret-${name}`,
    title,
    group: 'wrong input',
    description: `${description} The proxies that run go on with the last good certificate, say so in their log, and a new proxy is never ready; then the Secret is put right.`,
    reaches: 'nothing lost',
    act: async (stage) => {
      const { workloads } = stage;
      stage.atEnd(() => restoreSecret(stage));
      const served = await handshake(stage);
      const since = new Date();
      stage.event('the Secret is wrong');
      await writeSecret(stage, wrong(stage));
      await lookAtSecrets(stage);
      const complaints = await stage.until('what the proxies say of it', async () => {
        const lines = (await workloads.proxyLogs(since)).filter((line) => /\[error\].*certificate/i.test(line));
        return lines.length >= 2 ? lines : undefined;
      });
      stage.event('both proxies have said so');
      stage.note('log', complaints[0]?.replace(/^\S+ \S+ /, '') ?? '');
      stage.event('rollout of nginx');
      await workloads.restart('proxy');
      await delay(15_000, undefined, { signal: stage.system.signal });
      const ready = (await workloads.pods('proxy')).filter(isReady);
      stage.judge('no new proxy is ready', ready.length === 2);
      stage.judge('the last good certificate is served', (await handshake(stage)) === served);
      const renewed = stage.keyPair(11);
      stage.event('the Secret is put right');
      await writeSecret(stage, renewed);
      await lookAtSecrets(stage);
      await servedEverywhere(stage, renewed);
      await rolled(stage, 'proxy');
    },
  };
}

const missingImage = { container: { image: 'fairlead-api:does-not-exist', imagePullPolicy: 'Never' } };

const missingResolver = { resolvers: ['no-such-name.invalid'] };

export const wrongInput: readonly Scenario[] = [
  wrongSecret(
    'broken',
    'Secret with a broken certificate',
    'The certificate in the Secret is cut in half.',
    (stage) => {
      const { certificate, privateKey } = stage.keyPair(0);
      return { certificate: certificate.slice(0, certificate.length / 2), privateKey };
    },
  ),
  wrongSecret(
    'mismatched',
    'Secret with a key that does not match',
    'The key belongs to another certificate.',
    (stage) => ({
      certificate: stage.keyPair(0).certificate,
      privateKey: stage.keyPair(1).privateKey,
    }),
  ),
  wrongSecret('expired', 'Secret with an expired certificate', 'The certificate ended a year ago.', (stage) =>
    selfSignedKeyPair(['localhost'], stage.directory('expired'), new Date(Date.now() - twoYears)),
  ),
  {
    name: 'image-missing',
    title: 'an image that does not exist',
    group: 'wrong input',
    description: 'The rollout stops at its first pod, the old ones serve; then it is rolled back.',
    reaches: 'nothing lost',
    applies: [missingImage],
    act: async (stage) => {
      const before = (await stage.workloads.pods('api')).map(({ metadata }) => metadata.name).sort();
      stage.event('applied');
      await stage.system.apply(missingImage);
      await delay(15_000, undefined, { signal: stage.system.signal });
      const ready = (await stage.workloads.pods('api')).filter(isReady).map(({ metadata }) => metadata.name);
      stage.judge('the old pods are those that serve', ready.sort().join() === before.join());
      stage.event('rolled back');
      await stage.workloads.undo('api');
      await rolled(stage, 'api');
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
    act: async (stage) => {
      const before = (await stage.workloads.pods('proxy')).map(({ metadata }) => metadata.name).sort();
      stage.event('applied');
      await stage.system.apply(missingResolver);
      await delay(20_000, undefined, { signal: stage.system.signal });
      const ready = (await stage.workloads.pods('proxy')).filter(isReady).map(({ metadata }) => metadata.name);
      stage.judge('the old proxies are those that serve', ready.sort().join() === before.join());
      stage.event('rolled back');
      await stage.workloads.undo('proxy');
      await rolled(stage, 'proxy');
    },
  },
];
