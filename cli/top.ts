import type { Command } from 'commander';
import { UsageError, wholeNumber } from '../local/start-options';
import type { Place } from '../top/command';
import { milliseconds, port } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { dnsLabelName } from '../validation/names';
import { command, contextOption, load, typed } from './command';

const description =
  'Shows what proxies do, live: requests, errors and times of all, of each route and of each backend; what each instance gets; connections, and how full the budget is; certificates; and what happened meanwhile. It reads what nginx serves as metrics: that of fairlead start on this machine, at URLs, or in the pods of a namespace. On a terminal it is one screen, which q or Ctrl-C ends; anywhere else, and with NO_COLOR, it prints lines for each interval.';

const details = `
Examples:
  fairlead top                                            what fairlead start runs
  fairlead top http://127.0.0.1:9113/metrics              a proxy by the URL of its metrics
  fairlead top --namespace shop --context staging         all proxies of a namespace, added up
  fairlead top --namespace shop --once --interval 10s     ten seconds of them, as lines

Environment:
  NO_COLOR  lines in the place of a screen, without colours`;

interface Values {
  readonly metricsPort?: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly interval: string;
  readonly once?: true;
}

export function topCommand(): Command {
  return command('top', 'what proxies do, live', description)
    .argument('[URL...]', 'where a proxy serves metrics; several are added up')
    .option('--metrics-port <PORT>', 'where fairlead start serves metrics (default: 9113)')
    .option('--namespace <NAME>', 'a namespace whose proxies serve metrics, by kubectl port-forward')
    .option('--context <NAME>', 'the context of the kubeconfig (default: the current one)')
    .option('--interval <TIME>', 'how often it looks; figures are of so long', '1s')
    .option('--once', 'prints what happened in one interval, and ends')
    .addHelpText('after', details)
    .action(async (urls: readonly string[], values: Values) => {
      const options = typed(() => ({
        place: placeOf(urls, values),
        interval: milliseconds('--interval', values.interval, { min: '200ms', max: '1h' }),
        once: values.once ?? false,
      }));
      const { top } = load('../top/command') as typeof import('../top/command');
      await top(options);
    });
}

function placeOf(urls: readonly string[], { metricsPort, namespace, context }: Values): Place {
  const [one, other] = [
    ...(urls.length > 0 ? ['URL'] : []),
    ...(metricsPort === undefined ? [] : ['--metrics-port']),
    ...(namespace === undefined ? [] : ['--namespace']),
  ];
  if (one !== undefined && other !== undefined) {
    throw new UsageError(`top: ${one} and ${other} are two places to look in: give one`);
  }
  if (namespace !== undefined) {
    return { kind: 'cluster', namespace: dnsLabelName('--namespace', namespace), ...contextOption(context) };
  }
  if (context !== undefined) throw new UsageError('top: --context is of a cluster: give --namespace NAME too');
  if (urls.length > 0) return { kind: 'urls', urls: differentUrls(urls) };
  return { kind: 'local', metricsPort: port('--metrics-port', wholeNumber(metricsPort ?? '9113')) };
}

/** What is given twice would be counted twice. */
function differentUrls(given: readonly string[]): string[] {
  const urls = given.map(metricsUrl);
  const twice = urls.find((url, index) => urls.indexOf(url) !== index);
  if (twice !== undefined) throw new InvalidOption('URL', twice, 'is given twice: give it once');
  return urls;
}

/** With the path that nginx serves metrics on, where there is none. */
function metricsUrl(given: string): string {
  if (!/^https?:\/\/[^/?#@\s\\]+(?:\/[^?#\s\\]*)?$/.test(given) || !URL.canParse(given)) {
    throw new InvalidOption(
      'URL',
      given.replace(/\/\/[^/?#]*@/, '//…@'),
      'is not the URL of metrics: give http:// or https://, a host, and if need be a port and a path, such as "http://127.0.0.1:9113/metrics"',
    );
  }
  const url = new URL(given);
  if (url.pathname === '/') url.pathname = '/metrics';
  return url.href;
}
