import {
  backendFigures,
  type BackendFigures,
  peerFigures,
  type PeerFigures,
  proxyFigures,
  type ProxyFigures,
  requestsTotal,
  routeFigures,
  type RouteFigures,
} from '../dashboard/figures';
import type { Happening } from '../dashboard/happenings';
import { Growth, isRestarted, type Scrape, type ScrapePair, seriesOf } from '../dashboard/scrape';
import type { BackendDescription } from '../dashboard/system';

/** What a proxy has counted, now and at the look before, if it answered then; or why nobody knows, as one says it after its name. */
export type Outcome = { readonly before: Scrape | undefined; readonly after: Scrape } | { readonly problem: string };

export type Answer = { readonly name: string } & Outcome;

/** A certificate that is served. */
export interface ObservedCertificate {
  /** `proxy`, or that of its host. */
  readonly name: string;
  /** As Date.now gives it. Undefined if none is served. */
  readonly notAfter: number | undefined;
  /** Whether the Secret holds another pair, which cannot be served. */
  readonly isRefused: boolean;
}

/** One proxy. */
export interface ObservedProxy {
  readonly name: string;
  /** Why nothing else is known. @default - it has answered */
  readonly problem: string | undefined;
  /** Null until it has answered twice in turn. */
  readonly figures: ProxyFigures | null;
  /** The hash of its nginx.conf, and the version of nginx. */
  readonly configuration: string;
  readonly nginx: string;
  readonly certificates: readonly ObservedCertificate[];
}

/** All proxies together. */
export interface SummedFigures {
  readonly proxy: ProxyFigures;
  /** A second, by whatever limit. */
  readonly refused: number;
  /** Whether more was answered than counted. */
  readonly isIncomplete: boolean;
  readonly routes: readonly RouteFigures[];
  readonly backends: readonly BackendFigures[];
  readonly peers: readonly PeerFigures[];
}

/** How it was at a time, and what happened since the look before. */
export interface Observation {
  /** As Date.now gives it. */
  readonly time: number;
  readonly proxies: readonly ObservedProxy[];
  /** Of the proxies that have answered twice in turn; null if none has. */
  readonly figures: SummedFigures | null;
  /** Of all the time that it was looked, the last one first. */
  readonly events: readonly Happening[];
}

/** Every proxy has it. */
export const configurationInfo = 'fairlead_configuration_info';
const peerTries = 'fairlead_peer_requests_total';

export function observation(time: number, answers: readonly Answer[], events: readonly Happening[]): Observation {
  const pairs = pairsOf(answers);
  return {
    time,
    proxies: answers.map(observedProxy),
    figures: pairs.length === 0 ? null : summedFigures(new Growth(...pairs)),
    events,
  };
}

/** Of those that have answered twice in turn. */
function pairsOf(answers: readonly Answer[]): ScrapePair[] {
  return answers.map(pairOf).filter((pair) => pair !== undefined);
}

function pairOf(answer: Answer): ScrapePair | undefined {
  return 'problem' in answer || answer.before === undefined ? undefined : [answer.before, answer.after];
}

function observedProxy(answer: Answer): ObservedProxy {
  const { name } = answer;
  if ('problem' in answer) {
    return { name, problem: answer.problem, figures: null, configuration: '', nginx: '', certificates: [] };
  }
  const pair = pairOf(answer);
  const info = seriesOf(answer.after, configurationInfo)[0]?.labels;
  return {
    name,
    problem: undefined,
    figures: pair === undefined ? null : proxyFigures(new Growth(pair)),
    configuration: info?.hash ?? '',
    nginx: info?.nginx ?? '',
    certificates: certificatesOf(answer.after),
  };
}

function certificatesOf(scrape: Scrape): ObservedCertificate[] {
  const ends = seriesOf(scrape, 'fairlead_certificate_not_after_timestamp_seconds').map(
    ({ labels, value }) => [labels.certificate, 1000 * value] as const,
  );
  const notAfter = new Map(ends);
  return seriesOf(scrape, 'fairlead_certificate_refused').map(({ labels, value }) => ({
    name: labels.certificate ?? '',
    notAfter: notAfter.get(labels.certificate),
    isRefused: value > 0,
  }));
}

function summedFigures(growth: Growth): SummedFigures {
  return {
    proxy: proxyFigures(growth),
    refused: growth.perSecond(growth.of('fairlead_refused_total')),
    isIncomplete: growth.of('fairlead_metrics_lost_bytes_total') > 0,
    routes: routeFigures(growth, []),
    backends: backendsOf(growth).map((backend) => backendFigures(growth, backend)),
    peers: peerFigures(growth),
  };
}

type NamedBackend = Pick<BackendDescription, 'name' | 'backend' | 'version'>;

/** Those that metrics name: all of the proxies, and whatever else requests were led to. */
function backendsOf(growth: Growth): NamedBackend[] {
  const found = new Map<string, NamedBackend>();
  for (const metric of ['fairlead_upstream_no_peer_total', requestsTotal]) {
    for (const { labels } of growth.latest(metric)) {
      const { backend = '', version = '' } = labels;
      const name = backendName(backend, version);
      if (backend !== '') found.set(name, { name, backend, version });
    }
  }
  return [...found.values()];
}

/** `orders canary`, of its version `canary`. */
export function backendName(backend: string, version: string): string {
  return version === '' ? backend : `${backend} ${version}`;
}

/** What happened between two looks; nothing before the first one. */
export function eventsBetween(time: number, before: readonly Answer[], after: readonly Answer[]): Happening[] {
  if (before.length === 0) return [];
  const earlier = new Map(before.map((answer) => [answer.name, answer]));
  const there = new Set(after.map(({ name }) => name));
  const gone = before.filter(({ name }) => !there.has(name));
  return [
    ...after.flatMap((answer) => eventsOf(earlier.get(answer.name), answer)),
    ...gone.map(({ name }): Said => ({ tone: 'warning', text: `${name} is gone` })),
    ...newPeers(pairsOf(after)).map((peer): Said => ({ tone: 'plain', text: `${peer} gets its first requests` })),
  ].map((said) => ({ time, ...said }));
}

type Said = Omit<Happening, 'time'>;

function eventsOf(before: Answer | undefined, after: Answer): Said[] {
  const { name } = after;
  const events: Said[] = [];
  if (before === undefined) events.push({ tone: 'plain', text: `${name} came` });
  const hadProblem = before !== undefined && 'problem' in before;
  if ('problem' in after) {
    if (!hadProblem) events.push({ tone: 'bad', text: `${name} ${after.problem}` });
    return events;
  }
  if (hadProblem) events.push({ tone: 'good', text: `${name} answers again` });
  if (after.before !== undefined) events.push(...changes(name, after.before, after.after));
  return events;
}

/** What a proxy says of itself that is not as it was. */
function changes(name: string, before: Scrape, after: Scrape): Said[] {
  const events: Said[] = [];
  if (isRestarted(before, after)) {
    events.push({ tone: 'warning', text: `${name} was started again, and counts from 0` });
  }
  const [had, has] = [before, after].map((scrape) => seriesOf(scrape, configurationInfo)[0]?.labels.hash);
  if (had !== has) events.push({ tone: 'plain', text: `${name} has another configuration: ${has ?? 'unknown'}` });
  const earlier = new Map(certificatesOf(before).map((certificate) => [certificate.name, certificate]));
  for (const certificate of certificatesOf(after)) {
    const { notAfter, isRefused } = certificate;
    const known = earlier.get(certificate.name);
    const whose = certificate.name === 'proxy' ? '' : ` of ${certificate.name}`;
    if (isRefused && known?.isRefused === false) {
      const text = `${name} refuses the certificate${whose} in its Secret, and serves the one before`;
      events.push({ tone: 'bad', text });
    }
    if (notAfter !== undefined && known?.notAfter !== undefined && known.notAfter !== notAfter) {
      events.push({ tone: 'good', text: `${name} serves another certificate${whose}` });
    }
  }
  return events;
}

/** Instances that no proxy had asked before. One that counts anew asks all for the first time. */
function newPeers(pairs: readonly ScrapePair[]): string[] {
  const going = pairs.filter(([before, after]) => !isRestarted(before, after));
  const known = new Set(going.flatMap(([before]) => peersOf(before)));
  return [...new Set(going.flatMap(([, after]) => peersOf(after)))].filter((peer) => !known.has(peer));
}

function peersOf(scrape: Scrape): string[] {
  return seriesOf(scrape, peerTries).map(({ labels: { backend = '', version = '', peer = '' } }) =>
    [backendName(backend, version), peer].filter((word) => word !== '').join(' '),
  );
}
