import { Argument, type Command } from 'commander';
import type { AccessLogLine } from '../explain/access-log-line';
import type { ExplainOptions, Source } from '../explain/command';
import { UsageError } from '../local/start-options';
import { dnsLabelName } from '../validation/names';
import { command, contextOption, load, typed } from './command';
import { environmentHelp } from './timeline';

const description =
  'Says why a request ended as it did: each try, what ended it and which option of main.ts set that, whether it could have been saved, what mends it, and a command that sends it again. It takes a line of the access log, or the id of a request (X-Request-Id of its answer), or of its trace, and where to look for it; without either it explains each line of its standard input. It takes a status too, with a time: what ended so then is told apart by why and by route, and each of these is explained once. Where there is no main.ts, its times and options are left out.';

const examples = `
Examples:
  fairlead explain 5f0c6a1e9b7d4c2f8a3e6d5b4c7f9a10 --namespace shop    a request, by what its client has as X-Request-Id
  fairlead explain 502 --at 14:03 --namespace shop                      what was answered 502 then, a minute more or less
  fairlead explain 5xx --since 10m --log access.log                     what has failed in the last ten minutes
`;

interface Values {
  readonly at?: string;
  readonly since?: string;
  readonly log?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly main?: string;
}

export function explainCommand(): Command {
  return command('explain', 'why a request ended as it did', description)
    .addArgument(
      new Argument(
        '[LINE]',
        'a line of the access log, in quotes; the id of a request or trace; or a status, such as 502 or 5xx',
      ),
    )
    .option(
      '--at <TIME>',
      'when there was that status, a minute more or less: 14:03, or 2026-03-01T13:03:10Z; without a zone, in that of this machine',
    )
    .option('--since <TIME>', 'the same of the last so long, such as 10m')
    .option('--log <FILE>', 'an access log that has it')
    .option('--namespace <NAME>', 'a namespace whose proxies have logged it, by kubectl logs')
    .option('--context <NAME>', 'the context of the kubeconfig (default: the current one)')
    .option('--main <FILE>', 'what says what is deployed (default: main.ts, where there is one)')
    .addHelpText('after', `${examples}${environmentHelp}`)
    .action(async (given: string | undefined, values: Values) => {
      const wanted = typed(() => wantedOf(given, values));
      const source = typed(() => sourceOf(given, wanted, values));
      const { explain } = load('../explain/command') as typeof import('../explain/command');
      await explain({ source, wanted, main: values.main });
    });
}

const statusOrClass = /^(?:\d{3}|[1-5]xx)$/i;

/** Undefined of a line, and where none is given. */
function wantedOf(given: string | undefined, { at, since }: Values): ExplainOptions['wanted'] {
  const { spanAround, spanSince } = load('../explain/time-span') as typeof import('../explain/time-span');
  if (at !== undefined && since !== undefined) {
    throw new UsageError('explain: --at and --since are two times: give one');
  }
  const status = given !== undefined && statusOrClass.test(given) ? given.toLowerCase() : undefined;
  if (status === undefined) {
    const idle = at !== undefined ? '--at' : since !== undefined ? '--since' : undefined;
    if (idle !== undefined) {
      throw new UsageError(`explain: ${idle} is when there was a status: give that too, such as 502 or 5xx`);
    }
    return given === undefined || given.includes('{') ? undefined : { id: requestId(given) };
  }
  if (at !== undefined) return { status, span: spanAround('--at', at, Date.now()) };
  if (since !== undefined) return { status, span: spanSince('--since', since, Date.now()) };
  throw new UsageError(`explain: ${status} is a status: say when there was one, by --at 14:03 or --since 10m`);
}

function requestId(given: string): string {
  if (/^[\w.-]{1,128}$/.test(given)) return given;
  throw new UsageError(
    `explain: ${JSON.stringify(given.slice(0, 200))} is neither a line of the access log nor the id of a request: give a JSON object in quotes, or what X-Request-Id says`,
  );
}

function sourceOf(given: string | undefined, wanted: ExplainOptions['wanted'], values: Values): Source {
  const { log, namespace } = values;
  const { context } = contextOption(values.context);
  if (context !== undefined && namespace === undefined) {
    throw new UsageError('explain: --context is of a cluster: give --namespace NAME too');
  }
  if (log !== undefined && namespace !== undefined) {
    throw new UsageError('explain: --log and --namespace are two places to look in: give one');
  }
  if (wanted === undefined) {
    const idle = log !== undefined ? '--log' : namespace !== undefined ? '--namespace' : undefined;
    if (idle !== undefined) throw new UsageError(`explain: ${idle} is where a request is looked for: give its id too`);
    if (given !== undefined) return { kind: 'line', line: readLine(given) };
    if (!process.stdin.isTTY) return { kind: 'input' };
    throw new UsageError(
      'explain: LINE is missing: give a line of the access log in quotes, the id of a request with --log FILE or --namespace NAME, or lines on standard input',
    );
  }
  if (log !== undefined) return { kind: 'file', file: log };
  if (namespace !== undefined) {
    return { kind: 'cluster', namespace: dnsLabelName('--namespace', namespace), context };
  }
  if (!process.stdin.isTTY) return { kind: 'input' };
  throw new UsageError(
    'explain: nobody knows where the request was logged: give --log FILE or --namespace NAME, or the log on standard input',
  );
}

function readLine(given: string): AccessLogLine {
  const { accessLogLine } = load('../explain/access-log-line') as typeof import('../explain/access-log-line');
  return accessLogLine('LINE', given);
}
