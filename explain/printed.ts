import { type Output, terminalText } from '../local/terminal/output';
import { backendsOf } from '../nginx/plan';
import type { Try } from './access-log-line';
import { explanation } from './explanation';
import type { FoundByStatus, Group, StatusSearch } from './found-by-status';
import type { LoggedRequest } from './logged-request';
import { mayGoOn, repeatCommand } from './repeat';
import { spanText, timeText } from './time-span';
import { bytesText, isIdempotent, secondsText } from './words';

/** Characters of a line: what a client wrote is shorter, as nginx cuts it. */
const longestPrinted = 2000;

/** All that is said of a request. A line is never broken: one can copy what is a command. */
export function explanationLines(request: LoggedRequest, output: Output): readonly string[] {
  const { reason, why, saved, mend } = explanation(request);
  const title = (text: string): string => output.style('bold', shown(text));
  const indented = (texts: readonly string[]): string[] => texts.map((text) => `  ${shown(text)}`);
  return [
    title(headline(request)),
    ...indented(facts(request)),
    '',
    title('What happened'),
    ...indented(tries(request)),
    '',
    title(`Why: ${reason}`),
    ...indented(why),
    '',
    title('Could it have been saved?'),
    ...indented(saved),
    '',
    title('What mends it'),
    ...mend.flatMap((each) =>
      typeof each === 'string'
        ? [`  - ${shown(each)}`]
        : [`  - ${shown(each.text)}`, ...each.commands.map((command) => `      ${shown(command)}`)],
    ),
    '',
    title('To send it again'),
    ...repetition(request).map((text) => `  ${text}`),
    '',
  ];
}

/** How many requests a log has of a time, and how many of them ended with a status. */
export function summaryLine(
  place: string,
  { status, span }: StatusSearch,
  { groups, statuses }: Pick<FoundByStatus, 'groups' | 'statuses'>,
  output: Output,
): string {
  const all = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  const found = groups.reduce((sum, { count }) => sum + count, 0);
  const ways = groups.length === 1 ? 'one way' : `${groups.length} ways`;
  return output.style(
    'bold',
    shown(`In ${place}: ${requestsText(all)} ${spanText(span)}; ${found} of them ended with ${status}, in ${ways}:`),
  );
}

/** Most names that are said of a group. */
const mostNames = 10;

/** What requests that ended alike have in common, and all that is said of the last of them. */
export function groupLines(group: Group, output: Output): readonly string[] {
  const { status, reason, count, first, last, request, instances, proxies } = group;
  const { deployment, routes } = request;
  const when = count === 1 ? `at ${timeText(first)}` : `from ${timeText(first)} to ${timeText(last)}`;
  const backends = [...new Set(routes.flatMap(backendsOf))];
  const known = [
    deployment === undefined ? '' : `${routeText(request)} of ${deployment.name}${listed('; backend', backends)}`,
    counted('asked', instances),
    counted('logged by', proxies),
    count === 1 ? '' : 'the last of them:',
  ];
  return [
    output.style('bold', shown(`${requestsText(count)} with ${status}, ${reason}, ${when}`)),
    ...known.filter((text) => text !== '').map((text) => `  ${shown(text)}`),
    '',
    ...explanationLines(request, output),
  ];
}

function requestsText(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`;
}

function listed(title: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${title} ${names.join(', ')}`;
}

/** Names with their counts, those that are most first. */
function counted(title: string, counts: ReadonlyMap<string, number>): string {
  const names = [...counts].sort(([, one], [, other]) => other - one).map(([name, count]) => `${name} (${count})`);
  const others = names.length > mostNames ? [`and ${names.length - mostNames} others`] : [];
  return listed(title, [...names.slice(0, mostNames), ...others]);
}

/** Nothing of a client reaches a terminal as it is. */
function shown(text: string): string {
  return terminalText(text.length > longestPrinted ? `${text.slice(0, longestPrinted)}…` : text);
}

function headline({ line: { method, host, path, tls, status, grpcStatus } }: LoggedRequest): string {
  const ofGrpc = grpcStatus === undefined ? '' : `, ${grpcStatus} of gRPC`;
  return `${status}${ofGrpc}: ${method} ${tls === '' ? 'http' : 'https'}://${host}${path}`;
}

/** The routes that it may have taken, as main.ts has them. */
function routeText({ deployment, routes }: LoggedRequest): string {
  const texts = new Set(routes.map(({ name, path }) => deployment?.routes[name]?.text ?? path.path));
  return texts.size === 0 ? 'no route' : `route ${[...texts].join(', or ')}`;
}

function facts(request: LoggedRequest): readonly string[] {
  const { line, deployment, others } = request;
  const { time, requestId, client, protocol, requestTime, bytesSent, lacks } = line;
  const who = together(' ', client === '' ? '' : `from ${client}`, protocol === '' ? '' : `over ${protocol}`);
  const cost = together(
    ' ',
    bytesSent === undefined ? '' : bytesText(bytesSent),
    requestTime === undefined ? '' : `in ${secondsText(requestTime)}`,
  );
  const names = others.map(({ name, namespace }) => `${name} of the namespace ${namespace}`).join(' and ');
  return [
    together('; ', together(', ', time, `request ${requestId}`, who), cost),
    deployment === undefined
      ? 'Its host is in no main.ts that was read: times and options are left out, or are those by default.'
      : `${deployment.name}, namespace ${deployment.namespace}, environment ${deployment.environment}: ${routeText(request)}`,
    ...(lacks.length === 0
      ? []
      : [`Its line has no ${lacks.join(', ')}: accessLog.omit of the proxy, or what carried the line, left that out.`]),
    ...(names === '' ? [] : [`Its host is one of ${names} too: if it came there, times and options are others.`]),
  ];
}

/** Those that are not empty, with a gap between them. */
function together(gap: string, ...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(gap);
}

const rounds = ['', 'one more', 'the fallback'] as const;

function tries({ line }: LoggedRequest): readonly string[] {
  if (line.tries.length === 0) return ['No instance was asked.'];
  const rows = line.tries.map((tried, index) => [String(index + 1), ...cells(tried)]);
  return columns([['try', 'instance', 'bytes sent', 'answer after', 'in all', 'status', ''], ...rows]);
}

function cells({ instance, bytesSent, headerTime, time, status, round }: Try): string[] {
  const seconds = (value: number | undefined): string => (value === undefined ? '-' : secondsText(value));
  return [
    instance,
    String(bytesSent),
    seconds(headerTime),
    seconds(time),
    status === undefined ? '-' : String(status),
    rounds[round] ?? '',
  ];
}

/** Cells below one another. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** What sends a request again, and what is to be known before. The command is never cut: it would be another one. */
function repetition(request: LoggedRequest): readonly string[] {
  const { line } = request;
  const command = repeatCommand(request);
  if (command === undefined) {
    return ['No command can be given: the log has no whole host, method or path that a client sends.'];
  }
  return [
    terminalText(command),
    ...(mayGoOn(line) ? ['The log has no more than 800 bytes of a path: this one may have gone on.'] : []),
    'No log has the query string, the body, cookies and credentials: add what belongs to it.',
    ...(isIdempotent(line.method)
      ? []
      : [`${line.method} is not idempotent: what it asks for may be done a second time.`]),
    ...(isMethodLost(request)
      ? ['Its method may have been another one: nginx logs GET of much that it refuses itself.']
      : []),
  ];
}

/** Errors that nginx leads to a page by its path are a GET from then on. Those of the other statuses have named locations. */
function isMethodLost({ line: { method, tries }, status }: LoggedRequest): boolean {
  return method === 'GET' && tries.length === 0 && status >= 400 && ![401, 429, 499, 503].includes(status);
}
