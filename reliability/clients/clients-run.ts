import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Progress } from '../../cluster/progress';
import { DelayingRelay } from '../../load/delaying-relay';
import { standardReplicas } from '../deployed-app';
import type { ReliabilityCluster } from '../reliability-cluster';
import { ClientProcess, type Protocol } from './client-process';
import type { ClientRow, ClientsResult, PhaseName } from './clients-result';
import { applyKeepaliveTime } from './keepalive-time';
import { type AvailableClient, availableClients } from './shipped-clients';

/** Milliseconds that a relay adds: loopback has none, and what a GOAWAY costs grows with it. */
const roundTrip = 50;
/** Seconds after which nginx ends a connection in the phase that measures just that. */
const keepaliveTime = 20;
/** Milliseconds of load after a phase. */
const tail = 5000;

interface Phase {
  readonly name: PhaseName;
  readonly title: string;
  readonly act: (system: ReliabilityCluster, seconds: number) => Promise<unknown>;
}

const phases: readonly Phase[] = [
  {
    name: 'at-rest',
    title: 'at rest',
    act: ({ signal }, seconds) => delay(seconds * 1000, undefined, { signal }),
  },
  { name: 'rollout-api', title: 'rollout of the API', act: (system) => rollOut(system, 'api') },
  { name: 'rollout-nginx', title: 'rollout of nginx', act: (system) => rollOut(system, 'proxy') },
];

const keepaliveTimePhase: Phase = {
  name: 'keepalive-time',
  title: `connections end after ${keepaliveTime} s`,
  act: ({ signal }) => delay(keepaliveTime * 3000, undefined, { signal }),
};

export interface ClientsOptions {
  /** Requests a second of each client. */
  readonly rate: number;
  /** How long they are at rest. */
  readonly seconds: number;
}

/** Has the clients that others ship ask the API at rest and through rollouts, all of them at once. */
export async function runClients(
  system: ReliabilityCluster,
  { rate, seconds }: ClientsOptions,
  progress: Progress,
): Promise<Omit<ClientsResult, 'run'>> {
  const { available, missing } = await progress.step("clients' programs", (doing) =>
    availableClients(join('.fairlead', 'clients'), doing, system.signal),
  );
  for (const { name, reason } of missing) process.stderr.write(`${name}: left out, ${reason}\n`);
  const rows: ClientRow[] = [];
  const run = async (phase: Phase, protocol: Protocol, added: number): Promise<void> => {
    const title = `${phase.title}, ${protocol}${added === 0 ? '' : `, ${added} ms`}`;
    rows.push(
      ...(await progress.step(title, () => runPhase(system, available, phase, protocol, added, { rate, seconds }))),
    );
  };
  await progress.step('the standard state', (doing) => system.settle(doing));
  for (const protocol of ['h2', 'http/1.1'] as const) {
    for (const added of [0, roundTrip]) {
      for (const phase of phases) await run(phase, protocol, added);
    }
  }
  await progress.step(`nginx with keepalive_time ${keepaliveTime}s`, () =>
    applyKeepaliveTime(system.workloads, keepaliveTime),
  );
  await run(keepaliveTimePhase, 'h2', roundTrip);
  return {
    rate,
    clients: available.map(({ client, version }) => ({ name: client.name, version })),
    missing,
    rows,
  };
}

async function runPhase(
  system: ReliabilityCluster,
  clients: readonly AvailableClient[],
  phase: Phase,
  protocol: Protocol,
  added: number,
  { rate, seconds }: ClientsOptions,
): Promise<ClientRow[]> {
  const { signal } = system;
  const { httpsPort } = system.ports.controlPlane;
  const relay = added === 0 ? undefined : await DelayingRelay.start({ port: httpsPort, roundTrip: added });
  const started = startAll(system, clients, protocol, relay?.port ?? httpsPort, rate);
  const kill = (): void => {
    for (const [, process] of started) process.kill();
  };
  signal.addEventListener('abort', kill);
  try {
    await Promise.all(started.map(([, { answered }]) => answered));
    await phase.act(system, seconds);
    await delay(tail, undefined, { signal });
    return await Promise.all(
      started.map(async ([{ client }, process]) => {
        const { sent, ok, errors } = await process.stop();
        return { client: client.name, protocol, roundTrip: added, phase: phase.name, sent, failed: sent - ok, errors };
      }),
    );
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    await relay?.stop();
  }
}

function startAll(
  system: ReliabilityCluster,
  clients: readonly AvailableClient[],
  protocol: Protocol,
  port: number,
  rate: number,
): [AvailableClient, ClientProcess][] {
  const certificateFile = resolve(system.cluster.directory, 'clients-trust.pem');
  writeFileSync(certificateFile, system.certificates.join('\n'));
  const { getPath, postPath } = system.api;
  const load = { protocol, url: `https://localhost:${port}`, certificateFile, getPath, postPath, rate };
  return clients.map((client) => [client, new ClientProcess(client, load)]);
}

/** Resolves once the last old pod is gone. */
async function rollOut({ workloads }: ReliabilityCluster, component: 'api' | 'proxy'): Promise<void> {
  await workloads.restart(component);
  await workloads.rolledOut(component);
  await workloads.readyPods(component, standardReplicas[component]);
}
