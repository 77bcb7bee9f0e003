import { App } from 'cdk8s';
import { Backend, type BackendProps, Match, NginxProxy, RestrictedNamespace, TrafficSplit } from '../../index';
import { Certificate } from '../../charts/proxy/certificate';
import type { IRouteTarget } from '../../charts/routes/route';
import { type Manifest, manifestsOf } from './manifests';

/** What main.ts says at one step of docs/operations.md. */
interface Step {
  readonly what: string;
  readonly objects: readonly Manifest[];
  /** Backends that requests go to. */
  readonly asked: ReadonlySet<string>;
}

const before: BackendProps = { image: 'ghcr.io/acme/orders:1.4.2', replicas: { min: 3, max: 12 } };
const after = { ...before, image: 'ghcr.io/acme/orders:1.5.0' };

/** Backends and the weight of each, in a split if there are several or `stays` says so; `byHeader` for who asks for it. */
function step(
  what: string,
  make: (shop: RestrictedNamespace) => readonly (readonly [backend: Backend, weight: number])[],
  byHeader?: string,
): Step {
  const app = new App();
  const shop = new RestrictedNamespace(app, 'shop');
  const edge = new NginxProxy(shop, 'edge', { certificate: Certificate.fromSecret('shop-tls') });
  const shares = make(shop).map(([target, weight]) => ({ target, weight }));
  const [first] = shares;
  const target: IRouteTarget | undefined = shares.length === 1 ? first?.target : TrafficSplit.weighted(shares);
  if (target === undefined) throw new Error('there is no backend');
  edge.addRoute('/', target);
  const chosen = shares.find(({ target: { node } }) => node.id === byHeader)?.target;
  if (chosen !== undefined) edge.addRoute('/', chosen, { when: Match.header('X-Canary', 'always') });
  const asked = shares.flatMap(({ target: { node }, weight }) => (weight > 0 ? [node.id] : []));
  return { what, objects: manifestsOf(app), asked: new Set([...asked, ...(byHeader === undefined ? [] : [byHeader])]) };
}

/** `orders` gets the new image while the canary has everything. */
const promoted: readonly Step[] = [
  step('before', (shop) => [[new Backend(shop, 'orders', before), 100]]),
  ...([0, 5, 50] as const).map((weight) => step(`canary ${weight}`, withCanary(before, weight), 'orders-canary')),
  step('canary 100', withCanary(before, 100), 'orders-canary'),
  step('the new image', withCanary(after, 100), 'orders-canary'),
  step('back at 50', withCanary(after, 50), 'orders-canary'),
  step('back', withCanary(after, 0)),
  step('after', (shop) => [[new Backend(shop, 'orders', after), 100]]),
];

function withCanary(props: BackendProps, weight: number) {
  return (shop: RestrictedNamespace): readonly (readonly [Backend, number])[] => {
    const orders = new Backend(shop, 'orders', props);
    return [
      [orders, 100 - weight],
      [orders.addVersion('canary', { image: after.image }), weight],
    ];
  };
}

/** The new version stays under its own name, and the old one goes. */
const succeeded: readonly Step[] = [
  step('before', (shop) => [[new Backend(shop, 'orders', before), 100]]),
  ...[0, 5, 50, 100].map((weight) => step(`v2 ${weight}`, withSecond(weight))),
  step('after', (shop) => [[new Backend(shop, 'orders-v2', { ...after, versionOf: 'orders' }), 100]]),
  step('the next one', (shop) => {
    const second = new Backend(shop, 'orders-v2', { ...after, versionOf: 'orders' });
    return [
      [second, 100],
      [second.addVersion('v3', { image: 'ghcr.io/acme/orders:1.6.0' }), 0],
    ];
  }),
];

function withSecond(weight: number) {
  return (shop: RestrictedNamespace): readonly (readonly [Backend, number])[] => {
    const orders = new Backend(shop, 'orders', before);
    return [
      [orders, 100 - weight],
      [orders.addVersion('v2', { image: after.image }), weight],
    ];
  };
}

const nameOf = ({ apiVersion, kind, metadata: { namespace = '', name } }: Manifest): string =>
  [apiVersion, kind, namespace, name].join(' ');

/** What the API server lets nobody change of an object, so that `kubectl apply` fails. */
function fixed({ kind, spec = {}, ...object }: Manifest): unknown {
  if (kind === 'Deployment') return spec.selector;
  if (kind === 'Service') return [spec.clusterIP, spec.type];
  if (kind === 'ConfigMap' && object.immutable === true) return object.data;
  return undefined;
}

/** What finds pods: another one would leave those that are there to nobody. */
function found({ spec = {} }: Manifest): unknown {
  return [spec.selector, spec.podSelector, spec.scaleTargetRef];
}

const templateOf = (objects: readonly Manifest[], name: string): string | undefined => {
  const deployment = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name);
  return deployment && JSON.stringify(deployment.spec?.template);
};

/** Deployments whose pods are replaced from one step to the next. */
function rolled(from: Step, to: Step): string[] {
  const names = to.objects.flatMap(({ kind, metadata }) => (kind === 'Deployment' ? [metadata.name] : []));
  return names.filter((name) => {
    const now = templateOf(from.objects, name);
    return now !== undefined && now !== templateOf(to.objects, name);
  });
}

const pairs = (steps: readonly Step[]): (readonly [string, Step, Step])[] =>
  steps.slice(1).map((to, index) => [to.what, steps[index] ?? to, to] as const);

describe.each([
  ['promoted', promoted],
  ['succeeded', succeeded],
])('A canary that is %s', (_name, steps) => {
  test.each(pairs(steps))('%s: everything that stays can be applied, and finds its pods', (_what, from, to) => {
    const known = new Map(from.objects.map((object) => [nameOf(object), object]));
    for (const object of to.objects) {
      const now = known.get(nameOf(object));
      if (now === undefined) continue;
      expect(fixed(object)).toEqual(fixed(now));
      expect(found(object)).toEqual(found(now));
    }
    expect(to.objects.filter((object) => known.has(nameOf(object))).length).toBeGreaterThan(5);
  });

  test.each(pairs(steps))('%s: what goes was asked for nothing any more', (_what, from, to) => {
    const backends = (of: Step): string[] =>
      of.objects.flatMap(({ kind, metadata }) =>
        kind === 'Deployment' && metadata.name !== 'edge' ? [metadata.name] : [],
      );
    const gone = backends(from).filter((name) => !backends(to).includes(name));
    expect(gone.filter((name) => from.asked.has(name))).toEqual([]);
  });
});

test('weights roll nothing, a version that comes or goes rolls the proxies, and an image its own pods', () => {
  expect(pairs(promoted).map(([what, from, to]) => [what, rolled(from, to)])).toEqual([
    ['canary 0', ['edge']],
    ['canary 5', []],
    ['canary 50', []],
    ['canary 100', []],
    ['the new image', ['orders']],
    ['back at 50', []],
    // The route by header goes before the version that it leads to.
    ['back', ['edge']],
    ['after', ['edge']],
  ]);
  expect(pairs(succeeded).map(([what, from, to]) => [what, rolled(from, to)])).toEqual([
    ['v2 0', ['edge']],
    ['v2 5', []],
    ['v2 50', []],
    ['v2 100', []],
    ['after', ['edge']],
    ['the next one', ['edge']],
  ]);
});

test('what was promoted is as if it had been deployed at once', () => {
  const whole = step('at once', (shop) => [[new Backend(shop, 'orders', after), 100]]);
  expect(promoted.at(-1)?.objects).toEqual(whole.objects);
});

test('a version that is given more than its pods carry is refused before it is asked', () => {
  expect(() =>
    step('too soon', (shop) => {
      const orders = new Backend(shop, 'orders', before);
      const canary = orders.addVersion('canary', { replicas: { min: 2, max: 4 } });
      return [
        [orders, 0],
        [canary, 100],
      ];
    }),
  ).toThrow('TrafficSplit.weighted weight of orders-canary: 100 is more than its pods carry');
});

test('what was made as a version is the same without what it is a version of', () => {
  const made = (build: (shop: RestrictedNamespace) => Backend): Manifest[] => {
    const app = new App();
    const { node } = build(new RestrictedNamespace(app, 'shop'));
    return manifestsOf(app).filter(({ metadata }) => metadata.name.startsWith(node.id));
  };
  expect(made((shop) => new Backend(shop, 'orders-v2', { ...after, versionOf: 'orders' }))).toEqual(
    made((shop) => new Backend(shop, 'orders', before).addVersion('v2', { image: after.image })),
  );
});

test('a version of no name is refused', () => {
  const shop = new RestrictedNamespace(new App(), 'shop');
  expect(() => new Backend(shop, 'orders-v2', { ...after, versionOf: 'Orders!' })).toThrow(
    /^shop\/orders-v2 versionOf: "Orders!" is not/,
  );
});
