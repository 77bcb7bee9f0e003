import { changeText, type FieldChange, fieldChanges } from './objects/fields';
import { componentOf, fieldAt, type Manifest } from './objects/manifest';
import { isWorkload, type Rollout, rolloutOf } from './objects/rollouts';
import { Side } from './objects/side';
import { FrontDoor } from './requests/front-door';
import { type RequestDifference, requestDifferences, untriedPairs } from './requests/request-differences';
import { say, type Text } from './text';

/** What a proxy does otherwise. */
export interface ProxyDifference {
  readonly proxy: Manifest;
  /** Undefined where its configuration is not there to compare. */
  readonly requests: readonly RequestDifference[] | undefined;
  /** Where conditions are too many to be tried in pairs, so that a request may be answered otherwise unseen. */
  readonly untried: readonly string[];
  /** Lines of nginx.conf that one side has and the other has not, without comments. */
  readonly lines: { readonly gone: readonly string[]; readonly come: readonly string[] };
  /** What nginx reads, by the names of files; none of a side that has no such proxy. */
  readonly files?: {
    readonly before: Readonly<Record<string, string>>;
    readonly after: Readonly<Record<string, string>>;
  };
}

/** An object that is changed where it is, and no pod for it. */
export interface ObjectChange {
  readonly object: Manifest;
  readonly changes: readonly Text[];
}

/** What applying the manifests of one side over those of another does. */
export interface Difference {
  readonly proxies: readonly ProxyDifference[];
  readonly rollouts: readonly Rollout[];
  /** What Kubernetes would not take. */
  readonly refused: readonly Text[];
  readonly inPlace: readonly ObjectChange[];
  readonly added: readonly Manifest[];
  /** What stays in a cluster all the same, until somebody deletes it. */
  readonly gone: readonly Manifest[];
}

export function differenceOf(before: readonly Manifest[], after: readonly Manifest[]): Difference {
  const sides = { before: new Side(before), after: new Side(after) };
  const pairs = sides.after.keys.flatMap((key) => {
    const [one, other] = [sides.before.find(key), sides.after.find(key)];
    return one === undefined || other === undefined ? [] : [[one, other] as const];
  });
  return {
    proxies: proxyDifferences(sides),
    rollouts: pairs.flatMap(([one, other]) => rolloutOf(one, other, sides) ?? []),
    refused: pairs.flatMap(([one, other]) => refusals(one, other)),
    inPlace: pairs.flatMap(([one, other]) => changedInPlace(one, other)),
    added: missingOn(sides.before, sides.after),
    gone: missingOn(sides.after, sides.before),
  };
}

export function isNothing({ proxies, ...rest }: Difference): boolean {
  return proxies.length === 0 && Object.values(rest).every((all: readonly unknown[]) => all.length === 0);
}

/** Objects of the other side. */
function missingOn(side: Side, other: Side): readonly Manifest[] {
  return other.keys.flatMap((key) => (side.find(key) === undefined ? (other.find(key) ?? []) : []));
}

function proxyDifferences({ before, after }: { before: Side; after: Side }): readonly ProxyDifference[] {
  const keys = [...new Set([...before.keys, ...after.keys])];
  return keys.flatMap((key): readonly ProxyDifference[] => {
    const [one, other] = [before.find(key), after.find(key)];
    const proxy = other ?? one;
    if (proxy?.kind !== 'Deployment' || componentOf(proxy) !== 'proxy') return [];
    // Of one that is not there at all, nobody is answered.
    const files = {
      before: one === undefined ? {} : before.configurationOf(one),
      after: other === undefined ? {} : after.configurationOf(other),
    };
    if (files.before === undefined || files.after === undefined) {
      return [{ proxy, requests: undefined, untried: [], lines: { gone: [], come: [] } }];
    }
    const [old, young] = [files.before['nginx.conf'] ?? '', files.after['nginx.conf'] ?? ''];
    const doors = [new FrontDoor(old, before.weightsOf(one)), new FrontDoor(young, after.weightsOf(other))] as const;
    const requests = requestDifferences(...doors);
    const [gone, come] = [beyond(linesOf(old), linesOf(young)), beyond(linesOf(young), linesOf(old))];
    if (requests.length + gone.length + come.length === 0) return [];
    return [
      {
        proxy,
        requests,
        untried: untriedPairs(...doors),
        lines: { gone, come },
        files: { before: files.before, after: files.after },
      },
    ];
  });
}

function linesOf(conf: string): readonly string[] {
  return conf
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '' && line !== '}' && !line.startsWith('#'));
}

/** Lines that stand there more often than among others. */
function beyond(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

/** Fields of an object that no pod is made from. */
function changedInPlace(before: Manifest, after: Manifest): readonly ObjectChange[] {
  const changes = fieldChanges(before, after).filter(
    ({ path }) => !(isWorkload(after) && path.startsWith('spec.template')) && !isOfTheApp(path),
  );
  if (changes.length === 0) return [];
  return [{ object: after, changes: changes.map((change) => inWords(change, after)) }];
}

/** The version of its image stands in the labels of a Deployment too, and follows it. */
function isOfTheApp(path: string): boolean {
  return path === 'metadata.labels.app.kubernetes.io/version';
}

/** What a Secret holds is never said, nor is the text of a file. */
function inWords(change: FieldChange, { kind }: Manifest): Text {
  const { path, before, after } = change;
  const [whole, entry] = /^(?:data|binaryData)(?:\.(.*))?$/.exec(path) ?? [];
  if (kind !== 'Secret' && (whole === undefined || kind !== 'ConfigMap')) return changeText(change);
  const isText = [before, after].every((value) => typeof value === 'string' || value === undefined);
  if (entry === undefined || !isText) return say`${path} differs`;
  if (before === undefined) return say`the entry ${entry} is new`;
  return after === undefined ? say`the entry ${entry} is gone` : say`the entry ${entry} differs`;
}

/** Fields that nobody can change, by kinds; beside them the selectors of workloads. */
const fixedFields: Readonly<Record<string, readonly (readonly string[])[]>> = {
  ClusterRoleBinding: [['roleRef']],
  Job: [
    ['spec', 'selector'],
    ['spec', 'template'],
  ],
  RoleBinding: [['roleRef']],
  StatefulSet: [
    ['spec', 'podManagementPolicy'],
    ['spec', 'serviceName'],
    ['spec', 'volumeClaimTemplates'],
  ],
};

function refusals(before: Manifest, after: Manifest): readonly Text[] {
  const { kind, metadata } = after;
  const name = `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
  const differs = (...path: readonly string[]): boolean =>
    fieldChanges(fieldAt(before, ...path), fieldAt(after, ...path)).length > 0;
  if (isWorkload(after) && differs('spec', 'selector')) {
    return [
      say`${name}: spec.selector differs, which nobody can change. Deleting it takes all of its pods at once: give the new one another name, and delete the old one once it is not asked any more.`,
    ];
  }
  const fixed = (fixedFields[kind] ?? []).filter((path) => differs(...path)).map((path) => path.join('.'));
  if (fixed.length > 0) {
    return [
      say`${name}: ${fixed.join(', ')} differs, which nobody can change: give the new one another name, or delete the old one before.`,
    ];
  }
  if (before.immutable === true && (differs('data') || differs('binaryData'))) {
    return [say`${name}: is immutable, and its data differs: give the new one another name.`];
  }
  if (before.immutable === true && after.immutable !== true) {
    return [say`${name}: is immutable, which nobody can take back: give the new one another name.`];
  }
  return kind === 'Service' ? refusalsOfService(before, after, name) : [];
}

function refusalsOfService(before: Manifest, after: Manifest, name: string): readonly Text[] {
  const [one, other] = [before, after].map((service) => ({
    isHeadless: fieldAt(service, 'spec', 'clusterIP') === 'None',
    isBalanced: fieldAt(service, 'spec', 'type') === 'LoadBalancer',
    balancer: fieldAt(service, 'spec', 'loadBalancerClass'),
  }));
  if (one?.isHeadless !== other?.isHeadless) {
    return [say`${name}: spec.clusterIP differs, which nobody can change: delete it before.`];
  }
  // Of one that becomes a load balancer it is given, and of one that is none any more it is taken.
  if (one?.isBalanced === true && other?.isBalanced === true && one.balancer !== other.balancer) {
    return [
      say`${name}: spec.loadBalancerClass differs, which nobody can change: give the new one another name, and delete the old one once it is not asked any more.`,
    ];
  }
  return [];
}
