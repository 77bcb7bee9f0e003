import { shellWord } from '../local/shell-words';
import { type Difference, isNothing, type ProxyDifference } from './difference';
import { componentOf, fullName, isCalledByContent, type Manifest, typeName } from './objects/manifest';
import { written } from './requests/request';
import type { RequestDifference } from './requests/request-differences';
import { listed, say, shownValue, type Text, words } from './text';

/** What is said of one thing: in a line, and below it. */
export interface Entry {
  readonly head: Text;
  readonly details: readonly Text[];
}

export interface Section {
  readonly title: string;
  readonly entries: readonly Entry[];
}

/** What was compared with what. */
export interface Compared {
  readonly before: string;
  readonly after: string;
  /** What was not looked at, and why. */
  readonly notes: readonly Text[];
}

/** A difference in words, whatever it is printed as. */
export interface Report extends Compared {
  readonly sections: readonly Section[];
}

export function reportOf(difference: Difference, compared: Compared): Report {
  return {
    ...compared,
    notes: [...compared.notes, ...difference.proxies.flatMap(whatWasNotTried)],
    sections: isNothing(difference) ? [] : sectionsOf(difference),
  };
}

function whatWasNotTried({ proxy, untried }: ProxyDifference): readonly Text[] {
  if (untried.length === 0) return [];
  return [
    say`${fullName(proxy)}: conditions of ${listed(untried)} are too many to be tried in pairs: a request that meets one of before and another of now may be answered otherwise, unseen`,
  ];
}

function sectionsOf({ proxies, rollouts, refused, inPlace, added, gone }: Difference): readonly Section[] {
  const all: readonly Section[] = [
    { title: 'Refused by Kubernetes', entries: refused.map((head) => ({ head, details: [] })) },
    { title: 'Requests that are answered otherwise', entries: proxies.flatMap(proxyEntries) },
    {
      title: 'Pods that are replaced',
      entries: rollouts.map(({ workload, reasons, ends }) => ({
        head: say`${workload.kind} ${fullName(workload)}${whose(workload)}`,
        details: [...reasons.map((reason) => say`because ${reason}`), ...ends],
      })),
    },
    {
      title: 'Changed where they are: no pod is replaced for it',
      entries: inPlace.map(({ object, changes }) => ({
        head: nameOf(object),
        details: [...changes, ...effectOf(object)],
      })),
    },
    { title: 'New', entries: madeAnew(added, gone).map((object) => ({ head: nameOf(object), details: [] })) },
    { title: 'Gone from the manifests: kubectl apply leaves them in the cluster', entries: goneEntries(gone) },
  ];
  return all.filter(({ entries }) => entries.length > 0);
}

function whose(workload: Manifest): Text {
  const names: Readonly<Record<string, string>> = { proxy: ', the proxies', api: ', a backend' };
  return [names[componentOf(workload) ?? ''] ?? ''];
}

function nameOf(object: Manifest): Text {
  return say`${object.kind} ${fullName(object)}`;
}

function proxyEntries({ proxy, requests, lines }: ProxyDifference): readonly Entry[] {
  if (requests === undefined) {
    return [
      {
        head: say`${fullName(proxy)}: its nginx.conf is not there on both sides, so that requests are not compared`,
        details: [],
      },
    ];
  }
  if (requests.length > 0) return requests.map((request) => requestEntry(proxy, request));
  const most = 8;
  const shown = [
    ...lines.gone.slice(0, most).map((line) => say`before: ${shownValue(line)}`),
    ...lines.come.slice(0, most).map((line) => say`now: ${shownValue(line)}`),
  ];
  const others = lines.gone.length + lines.come.length - shown.length;
  return [
    {
      head: say`${fullName(proxy)}: none that fairlead knows of, though nginx.conf differs`,
      details: [...shown, ...(others > 0 ? [say`and ${others} lines more`] : [])],
    },
  ];
}

function requestEntry(proxy: Manifest, difference: RequestDifference): Entry {
  const { witness, where, isEverywhere, changes } = difference;
  const head = isEverywhere ? say`every request through ${fullName(proxy)}` : listed(where);
  return {
    head,
    details: [
      ...changes.map(
        ({ subject, before, after }) => say`${words(subject)}: ${shownValue(before)}, now ${shownValue(after)}`,
      ),
      say`for one: ${written(witness)}`,
      ...realAnswers(difference),
    ],
  };
}

function realAnswers({ asked }: RequestDifference): readonly Text[] {
  if (asked === undefined) return [];
  const { before, after, headers } = asked;
  if (before !== after) return [say`nginx answers it: ${shownValue(before)}, now ${shownValue(after)}`];
  if (headers.length === 0)
    return [say`nginx answers this one alike, ${shownValue(before)}: it does not come to what differs`];
  const most = 4;
  const shown = headers.slice(0, most).map((line) => say`nginx answers it with other headers: ${shownValue(line)}`);
  return headers.length > most ? [...shown, say`and ${headers.length - most} more`] : shown;
}

function effectOf(object: Manifest): readonly Text[] {
  switch (componentOf(object)) {
    case 'weights':
      return [say`proxies read it within some 90 s, and no connection ends`];
    case 'tls':
      return object.kind === 'Secret'
        ? [say`what it holds is served within about a minute, and no connection ends`]
        : [];
    default:
      return [];
  }
}

/** Without what stands in the place of another one, as nginx.conf does: what that changes is said already. */
function madeAnew(added: readonly Manifest[], gone: readonly Manifest[]): readonly Manifest[] {
  const use = (object: Manifest): string =>
    [object.metadata.namespace, componentOf(object), object.metadata.labels?.['app.kubernetes.io/instance']].join('/');
  const replaced = new Set(gone.filter(isCalledByContent).map(use));
  return added.filter((object) => !(isCalledByContent(object) && replaced.has(use(object))));
}

/** What is deleted by one command stands in one entry. */
function goneEntries(gone: readonly Manifest[]): readonly Entry[] {
  const alone = gone.filter((object) => whyAlone(object) !== undefined);
  const others = gone.filter((object) => whyAlone(object) === undefined);
  const namespaces = [...new Set(others.map(({ metadata }) => metadata.namespace))];
  return [
    ...namespaces.map((namespace) =>
      deletedTogether(others.filter(({ metadata }) => metadata.namespace === namespace)),
    ),
    ...alone.map((object) => ({ head: nameOf(object), details: [whyAlone(object) ?? []] })),
  ];
}

function deletedTogether(objects: readonly Manifest[]): Entry {
  const names = objects.map((object) => shellWord(`${typeToDelete(object)}/${object.metadata.name}`));
  const [first] = objects;
  return {
    head: listed(
      objects.map((object) => `${object.kind} ${fullName(object)}`),
      objects.length,
    ),
    details: [
      say`once no proxy of before is left that asks for it: ${`kubectl delete ${names.join(' ')}${namespaceOption(first)}`}`,
    ],
  };
}

/** Its kind alone, unless that is of a group of others, whose `Service` kubectl would not take it for. */
function typeToDelete(object: Manifest): string {
  const [, group = ''] = /^([^/]*)\//.exec(object.apiVersion) ?? [];
  return group.includes('.') && !group.endsWith('.k8s.io') ? typeName(object) : object.kind.toLowerCase();
}

/** What is to be known before such an object is deleted; undefined of all others. */
function whyAlone(object: Manifest): Text | undefined {
  if (isCalledByContent(object)) {
    return say`a rollback needs it; later, ${`npx fairlead prune${namespaceOption(object)}`} deletes it`;
  }
  if (!['Namespace', 'PersistentVolumeClaim', 'CustomResourceDefinition'].includes(object.kind)) return undefined;
  return say`look at what else is in it, which would go with it`;
}

function namespaceOption(object: Manifest | undefined): string {
  const namespace = object?.metadata.namespace;
  return namespace === undefined ? '' : ` --namespace ${shellWord(namespace)}`;
}
