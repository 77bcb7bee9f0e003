import { FrontDoor } from '../requests/front-door';
import { streamingPaths } from '../requests/answer';
import { listed, say, type Text } from '../text';
import { changeText, type FieldChange, fieldChanges } from './fields';
import { componentOf, fieldAt, fieldsAt, type Manifest } from './manifest';
import { configMapsOf, type Side } from './side';

/** Pods that are replaced, one after another. */
export interface Rollout {
  readonly workload: Manifest;
  /** Fields of the pod template that are others. */
  readonly reasons: readonly Text[];
  /** What that does to connections. */
  readonly ends: readonly Text[];
}

const workloads = ['Deployment', 'StatefulSet', 'DaemonSet'];

export function isWorkload({ kind }: Manifest): boolean {
  return workloads.includes(kind);
}

/** The pods of a workload roll if anything of their template is another one; undefined if nothing is. */
export function rolloutOf(
  before: Manifest,
  after: Manifest,
  sides: { before: Side; after: Side },
): Rollout | undefined {
  const changes = fieldChanges(fieldAt(before, 'spec', 'template'), fieldAt(after, 'spec', 'template'));
  if (!isWorkload(after) || changes.length === 0) return undefined;
  return {
    workload: after,
    reasons: reasons(before, after, changes, sides),
    ends: ends(before, sides.before),
  };
}

function reasons(
  before: Manifest,
  after: Manifest,
  changes: readonly FieldChange[],
  sides: { before: Side; after: Side },
): readonly Text[] {
  const files = changedFiles(sides.before.configurationOf(before), sides.after.configurationOf(after));
  const names = [...configMapsOf(before), ...configMapsOf(after)];
  const isItsName = ({ path, before: one, after: other }: FieldChange): boolean =>
    path.endsWith('.configMap.name') && [one, other].every((name) => names.includes(String(name)));
  const said = changes
    .filter((change) => files.length === 0 || !isItsName(change))
    .flatMap((change) => reason(change, changes));
  return [
    ...(files.length === 0 ? [] : [say`what nginx reads differs: ${listed(files)}`]),
    ...said,
    // A label alone is a reason too.
    ...(files.length + said.length === 0 ? changes.map(changeText) : []),
  ];
}

function changedFiles(
  before: Readonly<Record<string, string>> = {},
  after: Readonly<Record<string, string>> = {},
): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .sort();
}

/** What follows from another change is left out, and so is what a variable holds: it may be a secret. */
function reason(change: FieldChange, all: readonly FieldChange[]): readonly Text[] {
  const { path, before, after } = change;
  const [, container = '', field = ''] = /^spec\.(?:initC|c)ontainers\[([^\]]*)\]\.?(.*)$/.exec(path) ?? [];
  if (container !== '' && field === '') {
    return [before === undefined ? say`the container ${container} is new` : say`the container ${container} is gone`];
  }
  const [, variable] = /^env\[([^\]]*)\]/.exec(field) ?? [];
  if (variable !== undefined) {
    if (before === undefined && field.endsWith(']')) return [say`the variable ${variable} of ${container} is new`];
    if (after === undefined && field.endsWith(']')) return [say`the variable ${variable} of ${container} is gone`];
    return [say`the variable ${variable} of ${container} has another value`];
  }
  if (field === 'env') return [say`the variables of ${container} are others`];
  if (path === 'metadata.labels.app.kubernetes.io/version' && all.some((each) => each.path.endsWith('.image'))) {
    return [];
  }
  // It says where in an app the pods are from, and changes nothing else.
  if (path === 'metadata.labels.cdk8s.io/metadata.addr') return [];
  return [changeText({ ...change, path: path.replace(/^spec\./, '') })];
}

/** What becomes of the connections of pods that end, by the manifests that they were made from. */
function ends(workload: Manifest, side: Side): readonly Text[] {
  switch (componentOf(workload)) {
    case 'proxy':
      return endsOfProxy(workload, side);
    case 'api':
      return endsOfBackend(workload, side);
    default:
      return [
        say`Connections to its pods end with them, ${text(gracePeriod(workload))} s after each begins to end at the latest.`,
      ];
  }
}

function endsOfProxy(workload: Manifest, side: Side): readonly Text[] {
  const door = new FrontDoor(side.configurationOf(workload)?.['nginx.conf'] ?? '', side.weightsOf(workload));
  const timeout = door.main.find(({ name }) => name === 'worker_shutdown_timeout')?.args[0];
  const preStop = preStopOf(workload);
  const streams = streamingPaths(door);
  return [
    say`Every connection of a client ends once, HTTP/1.1 and HTTP/2 in order (Connection: close, GOAWAY): no request is lost.`,
    timeout === undefined || preStop === undefined
      ? say`WebSockets and event streams through a proxy are closed when it ends, whatever backend they are of.`
      : say`WebSockets and event streams are closed, whatever backend they are of: after a proxy begins to end, it goes on for ${preStop} s, and then has ${timeout.replace(/s$/, ' s')} for what is open.`,
    ...(streams.length === 0 ? [] : [say`Routes with streaming: ${listed(streams)}.`]),
  ];
}

function endsOfBackend(workload: Manifest, side: Side): readonly Text[] {
  const { name, namespace } = workload.metadata;
  const preStop = preStopOf(workload);
  const streams = side.manifests
    .filter((manifest) => componentOf(manifest) === 'proxy' && manifest.metadata.namespace === namespace)
    .flatMap((proxy) => {
      const conf = side.configurationOf(proxy)?.['nginx.conf'];
      return conf === undefined ? [] : streamingPaths(new FrontDoor(conf, side.weightsOf(proxy)), name);
    });
  const until = preStop === undefined ? say`until its process is told to end` : say`for ${preStop} s`;
  return [
    say`Each old pod leaves DNS at once and goes on answering ${until}: no request is lost, and clients keep their connections.`,
    say`WebSockets and event streams to it end after that, with its process: serve() ends them in order, other apps cut them, ${text(gracePeriod(workload))} s after the pod begins to end at the latest.`,
    ...(streams.length === 0 ? [] : [say`Routes with streaming that lead there: ${listed(streams)}.`]),
  ];
}

function gracePeriod(workload: Manifest): unknown {
  // Kubernetes' own, where none is given.
  return fieldAt(workload, 'spec', 'template', 'spec', 'terminationGracePeriodSeconds') ?? 30;
}

/** In seconds, of its first container. */
function preStopOf(workload: Manifest): string | undefined {
  const [container] = fieldsAt(workload, 'spec', 'template', 'spec', 'containers');
  const seconds = fieldAt(container, 'lifecycle', 'preStop', 'sleep', 'seconds');
  return seconds === undefined ? undefined : text(seconds);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
