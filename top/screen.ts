import type { BackendFigures, PeerFigures, RouteFigures } from '../dashboard/figures';
import type { Happening } from '../dashboard/happenings';
import type { Output } from '../local/terminal/output';
import { fairShares, flowingLines, judged, type Piece, piece, type Row, type Table, tableLines } from './layout';
import { backendName, type Observation, type ObservedCertificate, type ObservedProxy } from './observation';

/** Of a terminal; without one, Infinity for all that there is. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Events are what the rest leaves room for, and no more than these. */
const mostEvents = 10;

/** Part of a limit from which it is shown as bad. */
const nearlyFull = 0.9;

/** In milliseconds: a certificate that ends sooner is shown as bad, as on the dashboard. */
const soon = 7 * 86_400_000;

/** All that is known, on one screen: totals, then a table each of proxies, routes, backends and peers, then events. */
export function screenLines(observed: Observation, { columns, rows }: Size, output: Output): string[] {
  const heading = headingPieces(observed).flatMap((pieces) => flowingLines(pieces, columns, output));
  const { figures } = observed;
  const tables = [
    proxyTable(observed),
    ...(figures === null ? [] : [routeTable(figures.routes), backendTable(figures.backends), peerTable(figures.peers)]),
  ].filter((table) => table.rows.length > 0);
  const events = observed.events.slice(0, mostEvents);
  const wanted = [...tables.map((table) => table.rows.length), ...(events.length === 0 ? [] : [events.length])];
  // Each has an empty line before its titles.
  const shares = fairShares(rows - heading.length - 2 * wanted.length, wanted);
  return [
    ...heading,
    ...tables.flatMap((table, index) => ['', ...tableLines(table, columns, shares[index] ?? 0, output)]),
    ...(events.length === 0 ? [] : ['', ...eventLines(events.slice(0, shares.at(-1)), columns, output)]),
  ].slice(0, rows);
}

function headingPieces({ time, proxies, figures }: Observation): readonly (readonly Piece[])[] {
  const answering = proxies.filter(({ problem }) => problem === undefined).length;
  const title = [
    piece('fairlead top', 'bold'),
    piece(clock(time)),
    judged(howManyAnswer(answering, proxies.length), answering < proxies.length),
  ];
  if (figures === null) return [title, [piece('Figures come with the second answer of a proxy', 'dim')]];
  const { proxy, refused, isIncomplete } = figures;
  return [
    title,
    [
      piece(`${rate(proxy.requests)} requests/s`),
      judged(`${rate(proxy.errors)} 5xx/s`, proxy.errors > 0),
      piece(`${rate(proxy.clientErrors)} 4xx/s`),
      ...(refused > 0 ? [judged(`${rate(refused)} refused/s by limits`, true)] : []),
      piece(`p50 ${seconds(proxy.p50)}`),
      piece(`p95 ${seconds(proxy.p95)}`),
      piece(`p99 ${seconds(proxy.p99)}`),
      ...(isIncomplete ? [judged('more was answered than counted', true)] : []),
    ],
    [
      ofLimit(proxy.connections, proxy.connectionsLimit, 'connections'),
      ofLimit(proxy.inProgress, proxy.requestsLimit, 'requests in progress'),
      ...certificatePieces(
        proxies.flatMap(({ certificates }) => certificates),
        time,
      ),
    ],
  ];
}

function howManyAnswer(answering: number, all: number): string {
  if (answering < all) return `${answering} of ${all} proxies ${answering === 1 ? 'answers' : 'answer'}`;
  return all === 1 ? '1 proxy answers' : `${all} proxies answer`;
}

/** `120 of 4,096 connections (2.9 %)`. */
function ofLimit(value: number, limit: number | null, what: string): Piece {
  if (limit === null) return piece(`${count(value)} ${what}`);
  return judged(`${count(value)} of ${count(limit)} ${what} (${percent(value / limit)})`, isNearlyFull(value, limit));
}

function isNearlyFull(value: number, limit: number | null): boolean {
  return limit !== null && value >= nearlyFull * limit;
}

/** The one that ends first, and those that are refused. */
function certificatePieces(certificates: readonly ObservedCertificate[], time: number): Piece[] {
  const whose = ({ name }: ObservedCertificate): string => `certificate${name === 'proxy' ? '' : ` of ${name}`}`;
  const first = firstToEnd(certificates);
  const refused = certificates.filter(({ isRefused }) => isRefused).map((each) => `${whose(each)} refused`);
  return [
    ...(first === undefined
      ? []
      : [judged(`${whose(first)} ends in ${left(first.notAfter - time)}`, first.notAfter - time < soon)]),
    ...[...new Set(refused)].map((text) => judged(text, true)),
  ];
}

function firstToEnd(
  certificates: readonly ObservedCertificate[],
): (ObservedCertificate & { readonly notAfter: number }) | undefined {
  const ends = certificates.flatMap((each) => {
    const { notAfter } = each;
    return notAfter === undefined ? [] : [{ ...each, notAfter }];
  });
  return ends.sort((one, other) => one.notAfter - other.notAfter)[0];
}

function proxyTable({ proxies, time }: Observation): Table {
  // On one machine nothing renews them.
  const hasCertificates = proxies.some(({ certificates }) => certificates.length > 0);
  return {
    columns: [
      { title: 'PROXY' },
      ...['REQUESTS/S', '5XX/S', 'P99', 'CONNECTIONS', 'IN PROGRESS'].map((title) => ({ title })),
      ...(hasCertificates ? [{ title: 'CERTIFICATE' }] : []),
      { title: 'CONFIGURATION', isText: true },
      { title: 'NGINX', isText: true },
    ],
    rows: inOrder(proxies, ({ name }) => name).map((proxy): Row => {
      const { name, problem, figures, configuration, nginx, certificates } = proxy;
      if (problem !== undefined) {
        return { cells: [piece(name)], note: judged(problem, true), rank: Number.POSITIVE_INFINITY };
      }
      return {
        cells: [
          piece(name),
          piece(rate(figures?.requests)),
          judged(rate(figures?.errors), (figures?.errors ?? 0) > 0),
          piece(seconds(figures?.p99)),
          held(figures?.connections, figures?.connectionsLimit),
          held(figures?.inProgress, figures?.requestsLimit),
          ...(hasCertificates ? [certificateCell(certificates, time)] : []),
          piece(configuration),
          piece(nginx),
        ],
        rank: rankOf(figures),
      };
    }),
  };
}

/** `120 (2.9 %)`, of a limit. */
function held(value: number | undefined, limit: number | null = null): Piece {
  if (value === undefined || limit === null) return piece(count(value));
  return judged(`${count(value)} (${percent(value / limit)})`, isNearlyFull(value, limit));
}

function certificateCell(certificates: ObservedProxy['certificates'], time: number): Piece {
  if (certificates.some(({ isRefused }) => isRefused)) return judged('refused', true);
  const first = firstToEnd(certificates);
  return first === undefined ? piece(none) : judged(left(first.notAfter - time), first.notAfter - time < soon);
}

function routeTable(routes: readonly RouteFigures[]): Table {
  // What nginx refused before it looked has none.
  const hasHosts = new Set(routes.map(({ host }) => host).filter((host) => host !== 'other')).size > 1;
  return {
    columns: [
      ...['ROUTE', 'REQUESTS/S', '5XX/S', '4XX/S', 'P50', 'P99'].map((title) => ({ title })),
      ...(hasHosts ? [{ title: 'HOST', isText: true as const }] : []),
    ],
    rows: inOrder(routes, ({ host, path }) => `${hasHosts ? host : ''} ${path}`).map((route) => ({
      cells: [
        piece(route.path),
        piece(rate(route.requests)),
        judged(rate(route.errors), route.errors > 0),
        piece(rate(route.clientErrors)),
        piece(seconds(route.p50)),
        piece(seconds(route.p99)),
        piece(route.host === 'other' ? '' : route.host),
      ],
      rank: rankOf(route),
    })),
  };
}

function backendTable(backends: readonly BackendFigures[]): Table {
  return {
    columns: ['BACKEND', 'REQUESTS/S', '5XX/S', 'P50', 'P99', 'RETRIED', 'LOST'].map((title) => ({ title })),
    rows: inOrder(backends, ({ name }) => name).map((backend) => {
      const lost = backend.lost + backend.noInstance;
      return {
        cells: [
          piece(backend.name),
          piece(rate(backend.requests)),
          judged(rate(backend.errors), backend.errors > 0),
          piece(seconds(backend.p50)),
          piece(seconds(backend.p99)),
          piece(count(backend.saved)),
          judged(count(lost), lost > 0),
        ],
        rank: rankOf({ requests: backend.requests, errors: backend.errors + lost }),
      };
    }),
  };
}

function peerTable(peers: readonly PeerFigures[]): Table {
  const named = peers.map((each) => ({ ...each, name: backendName(each.backend, each.version) }));
  return {
    columns: [
      { title: 'PEER' },
      { title: 'BACKEND', isText: true },
      ...['REQUESTS/S', 'SHARE', 'FAILURES', 'IN FLIGHT', 'P50', 'P99', 'RETRIES'].map((title) => ({ title })),
    ],
    rows: inOrder(named, ({ name, peer }) => `${name} ${peer}`).map((each) => ({
      cells: [
        piece(each.peer),
        piece(each.name),
        piece(rate(each.requests)),
        piece(percent(each.share)),
        judged(count(each.failures), each.failures > 0),
        piece(average(each.inFlight)),
        piece(seconds(each.p50)),
        piece(seconds(each.p99)),
        piece(each.retries === null ? none : count(each.retries)),
      ],
      rank: rankOf({ requests: each.requests, errors: each.failures }),
    })),
  };
}

const tones = { good: 'green', plain: undefined, warning: 'yellow', bad: 'red' } as const;

function eventLines(events: readonly Happening[], columns: number, output: Output): string[] {
  return [
    ...flowingLines([piece('EVENTS', 'bold')], columns, output),
    ...events.flatMap(({ time, tone, text }) =>
      flowingLines([piece(`${clock(time)}  ${text}`, tones[tone])], columns, output),
    ),
  ];
}

/** Rows that stay where they are while figures change. */
function inOrder<Item>(items: readonly Item[], name: (item: Item) => string): Item[] {
  return [...items].sort((one, other) => name(one).localeCompare(name(other), 'en', { numeric: true }));
}

/** What fails comes before all that does not. */
function rankOf(figures: { readonly requests: number; readonly errors: number } | null): number {
  return figures === null ? 0 : figures.requests + (figures.errors > 0 ? Number.MAX_SAFE_INTEGER / 2 : 0);
}

/** What stands for what nobody knows. */
const none = '–';

// As the page of the dashboard says them, which a browser loads as it is.
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

function count(value: number | undefined): string {
  return value === undefined ? none : whole.format(value);
}

/** How many a second. */
function rate(value: number | undefined): string {
  return value === undefined ? none : (value < 10 ? tenths : whole).format(value);
}

/** How many on average: where it is less than one, most often. */
function average(value: number | null): string {
  return value === null ? none : value < 1 ? hundredths.format(value) : rate(value);
}

function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return none;
  if (value >= 1) return `${hundredths.format(value)} s`;
  return `${(value < 0.01 ? tenths : whole).format(value * 1000)} ms`;
}

/** Of a part of one. */
function percent(part: number | null): string {
  if (part === null) return none;
  return `${(part > 0 && part < 0.1 ? tenths : whole).format(100 * part)} %`;
}

function clock(time: number): string {
  return new Date(time).toTimeString().slice(0, 8);
}

/** How long until then. */
function left(milliseconds: number): string {
  const hours = Math.max(0, milliseconds / 3_600_000);
  return hours < 48 ? `${whole.format(Math.floor(hours))} h` : `${whole.format(Math.floor(hours / 24))} d`;
}
