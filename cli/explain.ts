import { Argument, type Command } from 'commander';
import type { AccessLogLine } from '../explain/access-log-line';
import type { Source } from '../explain/command';
import { UsageError } from '../local/start-options';
import { dnsLabelName } from '../validation/names';
import { command, contextOption, load, typed } from './command';
import { environmentHelp } from './timeline';

const description =
  'Says why a request ended as it did: each try, what ended it and which option of main.ts set that, whether it could have been saved, what mends it, and a command that sends it again. It takes a line of the access log, or the id of a request (X-Request-Id of its answer), or of its trace, and where to look for it; without either it explains each line of its standard input. Where there is no main.ts, its times and options are left out.';

interface Values {
  readonly log?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly main?: string;
}

export function explainCommand(): Command {
  return command('explain', 'why a request ended as it did', description)
    .addArgument(new Argument('[LINE]', 'a line of the access log, in quotes, or the id of a request or trace'))
    .option('--log <FILE>', 'an access log that has the request of this id')
    .option('--namespace <NAME>', 'a namespace whose proxies have logged it, by kubectl logs')
    .option('--context <NAME>', 'the context of the kubeconfig (default: the current one)')
    .option('--main <FILE>', 'what says what is deployed (default: main.ts, where there is one)')
    .addHelpText('after', environmentHelp)
    .action(async (given: string | undefined, values: Values) => {
      const id = given?.includes('{') === true ? undefined : given;
      const source = typed(() => sourceOf(given, id, values));
      const { explain } = load('../explain/command') as typeof import('../explain/command');
      await explain({ source, id, main: values.main });
    });
}

function sourceOf(given: string | undefined, id: string | undefined, values: Values): Source {
  const { log, namespace } = values;
  const { context } = contextOption(values.context);
  if (context !== undefined && namespace === undefined) {
    throw new UsageError('explain: --context is of a cluster: give --namespace NAME too');
  }
  if (log !== undefined && namespace !== undefined) {
    throw new UsageError('explain: --log and --namespace are two places to look in: give one');
  }
  if (id === undefined) {
    const idle = log !== undefined ? '--log' : namespace !== undefined ? '--namespace' : undefined;
    if (idle !== undefined) throw new UsageError(`explain: ${idle} is where a request is looked for: give its id too`);
    if (given !== undefined) return { kind: 'line', line: readLine(given) };
    if (!process.stdin.isTTY) return { kind: 'input' };
    throw new UsageError(
      'explain: LINE is missing: give a line of the access log in quotes, the id of a request with --log FILE or --namespace NAME, or lines on standard input',
    );
  }
  if (!/^[\w.-]{1,128}$/.test(id)) {
    throw new UsageError(
      `explain: ${JSON.stringify(id.slice(0, 200))} is neither a line of the access log nor the id of a request: give a JSON object in quotes, or what X-Request-Id says`,
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
