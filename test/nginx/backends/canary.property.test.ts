import type { RequestListener, ServerResponse } from 'node:http';
import { Agent } from 'node:https';
import fc from 'fast-check';
import type { Backend } from '../../../charts/backend';
import { TrafficSplit } from '../../../charts/routes/route-targets';
import { RequestKey } from '../../../model/load-balancing';
import type { TargetModel } from '../../../model/routes/route';
import { newBackend, newProxy, newShop } from '../../charts/manifests';
import { until } from '../../until';
import type { RouteParts } from '../support/models';
import { echo, type SeveralBackends, startWithBackends } from '../support/several-backends';
import { WeightsFile } from '../support/weights-file';

jest.setTimeout(120_000);

const clients = Array.from({ length: 40 }, (_, index) => `client-${index}`);
/** How far the clients of a part may be from its share of all: five standard deviations of the binomial distribution. */
const chance = (part: number): number => 5 * Math.sqrt(clients.length * part * (1 - part)) + 1;

/** The pods of one version. They hold as many requests as they can do at once until they are told to answer; one more is answered 503. */
class Pods {
  /** Requests at once. */
  capacity = 0;
  private readonly held: ServerResponse[] = [];

  constructor(
    readonly version: string,
    /** The most that there may be of them. */
    readonly most: number,
  ) {}

  readonly listener: RequestListener = (request, response) => {
    request.resume();
    // The test itself asks too, until nginx knows every version.
    if (request.headers['x-client'] === undefined) response.end();
    else if (this.held.length < this.capacity) this.held.push(response);
    else response.writeHead(503).end();
  };

  get busy(): number {
    return this.held.length;
  }

  answer(): void {
    for (const response of this.held.splice(0)) response.end();
  }
}

/** A version that takes over from the stable one, on a route that both share. */
interface Canary {
  readonly route: string;
  readonly backend: Backend;
  readonly pods: Pods;
  /** Its weight before the first step. */
  readonly start: number;
}

const shop = newShop();
const edge = newProxy(shop);
const stable = new Pods('orders', 20);
const orders = newBackend(shop, stable.version, { replicas: { max: stable.most } });

function newCanary(route: string, most: number, start: number): Canary {
  const backend = orders.addVersion(route, { replicas: { max: most } });
  return { route, backend, pods: new Pods(backend.node.id, most), start };
}

const canaries = {
  few: newCanary('few', 1, 0),
  half: newCanary('half', 10, 0),
  same: newCanary('same', 20, 0),
  // Beside it the stable version carries half of the clients, and there is no way back to it alone.
  more: newCanary('more', 40, 50),
} as const;
type Name = keyof typeof canaries;
const names = Object.keys(canaries) as Name[];

const stickyBy = RequestKey.header('X-Client');

/** As main.ts says it. */
function split({ backend }: Canary, weight: number): TrafficSplit {
  const shares = [
    { target: orders, weight: 100 - weight },
    { target: backend, weight },
  ];
  return TrafficSplit.weighted(shares, { stickyBy });
}

/** Any weight is taken where nginx is not told what pods carry. */
const unchecked: TargetModel = {
  kind: 'split',
  stickyBy,
  shares: [stable, canaries.few.pods].map(({ version }) => ({ backend: version, weight: 50 })),
};

/** Handshakes would take most of the time. */
const kept = new Agent({ keepAlive: true });
let weights: WeightsFile;
let running: SeveralBackends;

beforeAll(async () => {
  const routes = Object.values(canaries).map((canary): RouteParts => {
    const path = `/${canary.route}`;
    return { path, name: canary.route, target: edge.addRoute(path, split(canary, canary.start)).model.target };
  });
  const others = ['unchecked', 'looked'].map((name): RouteParts => ({ path: `/${name}`, name, target: unchecked }));
  const versions = [stable, ...Object.values(canaries).map(({ pods }) => pods)];
  weights = new WeightsFile({});
  running = await startWithBackends(
    { backends: versions.map(({ version }) => ({ name: version })), routes: [...routes, ...others] },
    { weightsFile: weights.path },
    (name) => versions.find(({ version }) => version === name)?.listener ?? echo(name),
    { change: (conf) => conf.replace('live_weights.check interval=5s', 'live_weights.check interval=20ms') },
  );
});

afterAll(async () => {
  kept.destroy();
  await running.stop();
});

let looks = 0;
/** Asks for a weight, and waits until nginx has looked at it. */
async function ask({ route, pods }: Canary, weight: number): Promise<void> {
  looks += 1;
  const part = looks % 101;
  const { length } = running.nginx.errors;
  weights.write({
    [route]: { [stable.version]: 100 - weight, [pods.version]: weight },
    // Of a route that nobody asks, other ones each time: nginx logs them, having looked at those above.
    looked: { [stable.version]: 100 - part, [canaries.few.pods.version]: part },
  });
  const logged = `looked has ${stable.version} ${100 - part},`;
  await until(() => running.nginx.errors.slice(length).includes(logged), 'a look at the weights');
}

/** What one request of each client is answered, all at once, which are as many as the pods of the larger version can do; something is done meanwhile. */
async function statusesWhile({ route, pods }: Canary, done: () => Promise<void>): Promise<ReadonlySet<number>> {
  const most = Math.max(stable.most, pods.most);
  for (const version of [stable, pods]) {
    const part = version.most / most;
    version.capacity = Math.ceil(clients.length * part + chance(part));
  }
  let answered = 0;
  const answers = Promise.all(
    clients.map(async (client, index) => {
      const request = { path: `/${route}`, agent: kept, headers: { 'x-client': client } };
      const body = index % 2 === 0 ? {} : { method: 'POST', body: client };
      const { status } = await running.nginx.get({ ...request, ...body });
      answered += 1;
      return status;
    }),
  );
  try {
    const arrived = until(() => stable.busy + pods.busy + answered === clients.length, 'every request at a pod');
    await Promise.race([arrived, answers]);
    await done();
  } finally {
    stable.answer();
    pods.answer();
    // Nobody looks at them, and they are many.
    for (const { requests } of Object.values(running.apis)) requests.length = 0;
  }
  return new Set(await answers);
}

const steps = ['promote', 'abort', 'roll back'] as const;
const promotions = [5, 25, 50, 100];

/** The weight that a step asks for, after those that there were. */
function askedBy(step: (typeof steps)[number], history: readonly number[]): number {
  const [before = 0, now = before] = history.slice(-2);
  switch (step) {
    case 'promote':
      return promotions.find((weight) => weight > now) ?? now;
    case 'abort':
      return 0;
    case 'roll back':
      return before;
  }
}

/** Whether each version has its part of the pods, if all those of the larger one are needed for all clients. */
function isCarried({ pods }: Canary, weight: number): boolean {
  const most = Math.max(stable.most, pods.most);
  return weight * most <= 100 * pods.most && (100 - weight) * most <= 100 * stable.most;
}

function expectShare({ pods }: Canary, weight: number): void {
  const difference = Math.abs(pods.busy - (clients.length * weight) / 100);
  expect(difference).toBeLessThanOrEqual(weight % 100 === 0 ? 0 : chance(weight / 100));
}

test('a canary loses nothing through 100 sequences of promotions, aborts and rollbacks, and is given no more than pods carry', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 5 }),
      async (name, taken) => {
        const canary: Canary = canaries[name];
        const history = [canary.start];
        await ask(canary, canary.start);
        // After the last step everything begins anew, so that its weight is looked at too.
        for (const step of [...taken, undefined]) {
          const now = history.at(-1) ?? canary.start;
          const next = step === undefined ? canary.start : askedBy(step, history);
          const statuses = await statusesWhile(canary, async () => {
            expectShare(canary, now);
            await ask(canary, next);
          });
          expect([...statuses]).toEqual([200]);
          const said = (): unknown => split(canary, next);
          if (isCarried(canary, next)) {
            expect(said).not.toThrow();
            if (next !== now) history.push(next);
          } else {
            expect(said).toThrow('is more than its pods carry');
            refused += 1;
          }
        }
      },
    ),
    // What fails is short as it is.
    { numRuns: 100, endOnFailure: true },
  );
  expect(refused).toBeGreaterThan(0);
});

test('a weight that no pods are looked at for would lose requests of a version that has few', async () => {
  const canary: Canary = { ...canaries.few, route: 'unchecked' };
  await ask(canary, 70);
  const statuses = await statusesWhile(canary, () => ask(canary, 0));
  expect(statuses).toEqual(new Set([200, 503]));
});
