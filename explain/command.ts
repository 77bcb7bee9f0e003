import { createReadStream, existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { endWithReader, Failure, untilSignal } from '../cluster/command-line';
import { deployedProxies } from '../cluster/deployed-proxies';
import { Kubectl } from '../cluster/kubectl';
import { proxySelector } from '../cluster/pods';
import { Output, terminalText } from '../local/output';
import { InvalidOption } from '../validation/invalid-option';
import { type AccessLogLine, accessLogLine } from './access-log-line';
import { type Deployment, deploymentOf, deploymentsOfHost } from './deployment';
import { linesOf } from './lines';
import { loggedRequest } from './logged-request';
import { explanationLines } from './printed';

/** Where lines of the access log are. */
export type Source =
  | { readonly kind: 'line'; readonly line: AccessLogLine }
  | { readonly kind: 'input' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'cluster'; readonly namespace: string; readonly context: string | undefined };

export interface ExplainOptions {
  readonly source: Source;
  /** Of the requests that are explained, or of the trace that they belong to. @default - all that the source has */
  readonly id: string | undefined;
  /** @default - main.ts, where there is one */
  readonly main: string | undefined;
}

/** `fairlead explain`: prints why requests ended as they did. */
export function explain({ source, id, main }: ExplainOptions): Promise<void> {
  return untilSignal('fairlead', async (signal) => {
    endWithReader();
    const output = new Output(process.stdout);
    const namespace = source.kind === 'cluster' ? source.namespace : undefined;
    let deployments: readonly Deployment[] | undefined;
    const explainLine = (line: AccessLogLine): void => {
      deployments ??= deploymentsOf(main);
      const request = loggedRequest(line, deploymentsOfHost(deployments, line.host, namespace));
      output.block(explanationLines(request, output));
    };
    if (source.kind === 'line') {
      explainLine(source.line);
      return;
    }
    const counts = { explained: 0, refused: 0 };
    let firstRefused: string | undefined;
    for await (const text of linesOf(streamOf(source, signal))) {
      signal.throwIfAborted();
      // Lines of the error log stand beside those of the access log.
      if (!text.includes(id ?? '{')) continue;
      const line = readLine(text);
      if (typeof line === 'string') {
        firstRefused ??= line;
        counts.refused += 1;
      } else if (id === undefined || line.requestId === id || line.traceId === id) {
        explainLine(line);
        counts.explained += 1;
      }
    }
    if (counts.explained === 0) throw new Failure(notFound(source, id, firstRefused));
    if (firstRefused === undefined || id !== undefined) return;
    process.stderr.write(`fairlead: ${counts.refused} of these lines left out, as the first: ${firstRefused}\n`);
  });
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

function streamOf(source: Exclude<Source, { readonly kind: 'line' }>, signal: AbortSignal): AsyncIterable<unknown> {
  switch (source.kind) {
    case 'input':
      return addAbortSignal(signal, process.stdin.setEncoding('utf8'));
    case 'file':
      return contentOf(source.file, signal);
    case 'cluster':
      return logsOf(source, signal);
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

/** What the proxies of a namespace have written, those that are still there. */
function logsOf(
  { namespace, context }: Extract<Source, { readonly kind: 'cluster' }>,
  signal: AbortSignal,
): AsyncIterable<string> {
  return new Kubectl(context === undefined ? {} : { context }).output(
    [
      'logs',
      `--namespace=${namespace}`,
      proxySelector,
      '--container=nginx',
      '--tail=-1',
      // Of pods that have not started yet.
      '--ignore-errors',
    ],
    { signal },
  );
}

function notFound(source: Source, id: string | undefined, refused: string | undefined): string {
  const because = refused === undefined ? '' : ` (${refused})`;
  if (id === undefined) {
    return `${placeOf(source)} has no line of the access log${because}: give lines as nginx writes them, a JSON object each`;
  }
  const elsewhere =
    source.kind === 'cluster'
      ? 'the log of a pod goes with it, and the kubelet keeps some 10 MB of each: look where your logs are collected, unless accessLog.sample has left it out'
      : 'is it of another day, or another proxy, or has accessLog.sample left it out?';
  return `${placeOf(source)} has no request ${JSON.stringify(id)}${because}: ${elsewhere}`;
}

function placeOf(source: Source): string {
  if (source.kind === 'file') return basename(source.file);
  return source.kind === 'cluster' ? `the log of the proxies of ${source.namespace}` : 'standard input';
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
