import { createReadStream, existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { endWithReader, Failure, untilSignal } from '../cluster/command-line';
import { deployedProxies } from '../cluster/deployed-proxies';
import { Kubectl } from '../cluster/kubectl';
import { proxySelector } from '../cluster/pods';
import { Output, terminalText } from '../local/terminal/output';
import { InvalidOption } from '../validation/invalid-option';
import { type AccessLogLine, accessLogLine } from './access-log-line';
import { type Deployment, deploymentOf, deploymentsOfHost } from './deployment';
import { FoundByStatus, type StatusSearch } from './found-by-status';
import { linesOf } from './lines';
import { loggedRequest, type LoggedRequest } from './logged-request';
import { explanationLines, groupLines, summaryLine } from './printed';
import { spanText, timeText } from './time-span';

/** Where lines of the access log are. */
export type Source =
  | { readonly kind: 'line'; readonly line: AccessLogLine }
  | { readonly kind: 'input' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'cluster'; readonly namespace: string; readonly context: string | undefined };

type Log = Exclude<Source, { readonly kind: 'line' }>;

export interface ExplainOptions {
  readonly source: Source;
  /** Requests with this id, or of this trace; or those that ended with a status at a time. @default - all that the source has */
  readonly wanted: { readonly id: string } | StatusSearch | undefined;
  /** @default - main.ts, where there is one */
  readonly main: string | undefined;
}

/** `fairlead explain`: prints why requests ended as they did. */
export function explain({ source, wanted, main }: ExplainOptions): Promise<void> {
  return untilSignal('fairlead', async (signal) => {
    endWithReader();
    const output = new Output(process.stdout);
    const namespace = source.kind === 'cluster' ? source.namespace : undefined;
    let deployments: readonly Deployment[] | undefined;
    const requestOf = (line: AccessLogLine): LoggedRequest => {
      deployments ??= deploymentsOf(main);
      return loggedRequest(line, deploymentsOfHost(deployments, line.host, namespace));
    };
    const explainLine = (line: AccessLogLine): void => {
      output.block(explanationLines(requestOf(line), output));
    };
    if (source.kind === 'line') explainLine(source.line);
    else if (wanted !== undefined && 'status' in wanted) await explainStatus(source, wanted, requestOf, output, signal);
    else await explainEach(source, wanted?.id, explainLine, signal);
  });
}

/** Explains each line, or those of one request or trace. */
async function explainEach(
  log: Log,
  id: string | undefined,
  explainLine: (line: AccessLogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  let explained = 0;
  const refused = await readLines(linesIn(log, [everything], signal), id ?? '{', (line) => {
    if (id !== undefined && line.requestId !== id && line.traceId !== id) return;
    explainLine(line);
    explained += 1;
  });
  if (explained === 0) throw new Failure(notFound(log, id, refused));
  if (id === undefined) sayRefused(refused);
}

/** Explains each way once in which requests ended with a status. */
async function explainStatus(
  log: Log,
  search: StatusSearch,
  requestOf: (line: AccessLogLine) => LoggedRequest,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const found = new FoundByStatus(search, requestOf);
  const since = `--since-time=${new Date(search.span.from).toISOString().slice(0, 19)}Z`;
  const lines = linesIn(log, [everything, since, '--prefix'], signal);
  const refused = await readLines(lines, '{', (line, text) => {
    found.add(line, proxyOf(text));
  });
  const { groups, timeless } = found;
  if (groups.length === 0) throw new Failure(noSuchStatus(log, search, found, refused));
  output.block([summaryLine(placeOf(log), search, found, output), '']);
  for (const group of groups) output.block(groupLines(group, output));
  sayRefused(refused);
  if (timeless > 0) process.stderr.write(`fairlead: ${timeless} of these lines left out, as they have no time\n`);
}

/** The pod that kubectl logs --prefix names. */
function proxyOf(text: string): string | undefined {
  return /^\[pod\/([\w.-]+)\//.exec(text)?.[1];
}

/** Lines that are none of the access log, and what is wrong with the first of them. */
interface Refused {
  readonly count: number;
  readonly first: string | undefined;
}

/** Gives each line of the access log that has a text in it to whoever takes it. Lines of the error log stand beside those. */
async function readLines(
  lines: AsyncIterable<string>,
  part: string,
  take: (line: AccessLogLine, text: string) => void,
): Promise<Refused> {
  let count = 0;
  let first: string | undefined;
  for await (const text of lines) {
    if (!text.includes(part)) continue;
    const line = readLine(text);
    if (typeof line === 'string') {
      first ??= line;
      count += 1;
    } else {
      take(line, text);
    }
  }
  return { count, first };
}

/** A line, or what is wrong with it. */
function readLine(text: string): AccessLogLine | string {
  try {
    return accessLogLine('line', text);
  } catch (error) {
    if (error instanceof InvalidOption) return error.message;
    throw error;
  }
}

function sayRefused({ count, first }: Refused): void {
  if (first === undefined) return;
  process.stderr.write(`fairlead: ${count} of these lines left out, as the first: ${first}\n`);
}

/** The lines of a log; of a cluster's those that kubectl gives with these options. */
async function* linesIn(log: Log, options: readonly string[], signal: AbortSignal): AsyncGenerator<string> {
  for await (const text of linesOf(streamOf(log, options, signal))) {
    signal.throwIfAborted();
    yield text;
  }
}

function streamOf(log: Log, options: readonly string[], signal: AbortSignal): AsyncIterable<unknown> {
  switch (log.kind) {
    case 'input':
      return addAbortSignal(signal, process.stdin.setEncoding('utf8'));
    case 'file':
      return contentOf(log.file, signal);
    case 'cluster':
      return logsOf(log, options, signal);
  }
}

async function* contentOf(file: string, signal: AbortSignal): AsyncGenerator {
  try {
    yield* addAbortSignal(signal, createReadStream(file, 'utf8'));
  } catch (error) {
    const { code = 'an error' } = error as NodeJS.ErrnoException;
    throw new Failure(`--log: ${JSON.stringify(file)} cannot be read (${code}): give the path of an access log`);
  }
}

/** Of a selector, kubectl gives the last ten lines otherwise. */
const everything = '--tail=-1';

/** What the proxies of a namespace have written, those that are still there. */
function logsOf(
  { namespace, context }: Extract<Source, { readonly kind: 'cluster' }>,
  options: readonly string[],
  signal: AbortSignal,
): AsyncIterable<string> {
  return new Kubectl(context === undefined ? {} : { context }).output(
    [
      'logs',
      `--namespace=${namespace}`,
      proxySelector,
      '--container=nginx',
      ...options,
      // Of pods that have not started yet.
      '--ignore-errors',
    ],
    { signal },
  );
}

const goneWithPod =
  'the log of a pod goes with it, and the kubelet keeps some 10 MB of each: look where your logs are collected';

function notFound(log: Log, id: string | undefined, { first }: Refused): string {
  if (id === undefined) return noLine(log, first);
  const elsewhere =
    log.kind === 'cluster'
      ? `${goneWithPod}, unless accessLog.sample has left it out`
      : 'is it of another day, or another proxy, or has accessLog.sample left it out?';
  return `${placeOf(log)} has no request ${JSON.stringify(id)}${because(first)}: ${elsewhere}`;
}

function noLine(log: Log, refused: string | undefined): string {
  return `${placeOf(log)} has no line of the access log${because(refused)}: give lines as nginx writes them, a JSON object each`;
}

function because(refused: string | undefined): string {
  return refused === undefined ? '' : ` (${refused})`;
}

/** What there was in the place of a status, and where it was. */
function noSuchStatus(
  log: Log,
  { status, span }: StatusSearch,
  { statuses, log: all, nearest }: FoundByStatus,
  { first }: Refused,
): string {
  const place = placeOf(log);
  const near =
    nearest === undefined
      ? ''
      : `; the nearest ${status} was at ${timeText(nearest.time)}, request ${nearest.requestId.slice(0, 128)}`;
  if (statuses.size > 0) {
    const others = [...statuses]
      .sort(([, one], [, other]) => other - one)
      .map(([other, count]) => `${other} (${count})`)
      .join(', ');
    return `${place} has no ${status} ${spanText(span)}: there were ${others}${near}: give one of these, or another time`;
  }
  if (log.kind === 'cluster') {
    return `${place} has no request ${spanText(span)}${because(first)}: ${goneWithPod}, unless accessLog.sample has left them out`;
  }
  if (all.from > all.to) return noLine(log, first);
  return `${place} has no request ${spanText(span)}, as it begins at ${timeText(all.from)} and ends at ${timeText(all.to)}${near}: a time without a zone is that of this machine`;
}

function placeOf(log: Log): string {
  if (log.kind === 'file') return basename(log.file);
  return log.kind === 'cluster' ? `the log of the proxies of ${log.namespace}` : 'standard input';
}

/** The proxies of main.ts. One that was not asked for and cannot be read takes nothing but times and options away. */
function deploymentsOf(given: string | undefined): readonly Deployment[] {
  const main = resolve(given ?? 'main.ts');
  if (given === undefined && !existsSync(main)) return [];
  const environment = process.env.FAIRLEAD_ENVIRONMENT ?? 'production';
  try {
    return deployedProxies(main, { FAIRLEAD_ENVIRONMENT: environment }).map((proxy) =>
      deploymentOf(proxy, environment),
    );
  } catch (error) {
    if (given !== undefined) throw error;
    const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    process.stderr.write(
      `fairlead: main.ts cannot be read, so that its times and options are left out: ${terminalText(message)}\n`,
    );
    return [];
  }
}
