import { generateKeyPairSync, sign } from 'node:crypto';
import { isReady, type Pod } from '../../cluster/pods';
import { type OtherMain, standardReplicas } from '../deployed-app';
import type { Scenario } from '../scenario';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A token that is valid for a day, which a run does not last. */
function token(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'https://id.example.com', aud: 'orders', exp: Math.floor(Date.now() / 1000) + 86_400 };
  const signed = `${part({ alg: 'ES256', kid: 'one' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

export const deployed: OtherMain = {
  main: 'reliability/every-route.ts',
  variables: { FAIRLEAD_JWKS: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }] }) },
};

const orders = '--selector=app.kubernetes.io/instance=orders';
const ordersPods = 2;

export const routes: Scenario = {
  name: 'routes',
  title: 'rollout of a service behind routes of every kind',
  group: 'operations',
  description:
    'One of two services, and then nginx, is restarted while it is asked through seven routes in turn: a plain one, with access tokens (`Auth.jwt`), with a service that is asked first (`Auth.external`), a limit of the rate, a cache, copies (`Mirror`), and as a Service of the cluster (`ExternalService`).',
  reaches: 'nothing lost',
  needsExampleApi: true,
  asks: {
    // A prime: each comes by every method, protocol and connection in turn.
    prefixes: ['/plain', '/tokens', '/asked', '/limited', '/kept', '/copied', '/elsewhere'],
    headers: { authorization: `Bearer ${token()}` },
  },
  prepare: async (system) => {
    await system.apply({}, deployed);
    await system.workloads.run('rollout', 'status', 'deployment/orders', '--timeout=5m');
    await system.workloads.rolledOut('proxy');
    await system.workloads.readyPods('proxy', standardReplicas.proxy);
  },
  act: async (context) => {
    const { workloads } = context;
    context.event('rollout of the service');
    await workloads.run('rollout', 'restart', 'deployment/orders');
    await workloads.run('rollout', 'status', 'deployment/orders', '--timeout=5m');
    await context.until('its pods, and no old one', async () => {
      const pods = await workloads.kubectl.list<Pod>(['pods', orders, `--namespace=${workloads.namespace}`]);
      return pods.length === ordersPods && pods.every(isReady) ? true : undefined;
    });
    context.event('rollout of nginx');
    await workloads.restart('proxy');
    await workloads.rolledOut('proxy');
    await workloads.readyPods('proxy', standardReplicas.proxy);
    context.endOfCause('the last old pod is gone');
  },
};
