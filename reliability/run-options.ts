import { parseArgs } from 'node:util';
import { Failure } from '../cluster/command-line';
import { Load, type LoadOptions } from '../load/load';
import { integer, milliseconds } from '../validation/amounts';
import { InvalidOption } from '../validation/invalid-option';
import { dnsLabelName, oneOf, urlPath } from '../validation/names';

/** Of the name of every cluster that a run takes for its own, and removes. */
export const clusterPrefix = 'fairlead-reliability';

export const usage = `Usage: npm run reliability -- [--only NAME] [--rate N] [--seconds N] [--resume] [--keep] [--cluster NAME]
                           [--get PATH] [--post PATH]
       npm run reliability -- --clients [--rate N] [--seconds N] [--keep] [--cluster NAME]
       npm run reliability -- --soak TIME [--rate N] [--keep] [--cluster NAME]

Makes a kind cluster of three nodes on this machine, runs every scenario under load, counts every request, and writes
docs/reliability.md, its pictures and docs/reliability.json. Removes the cluster at the end.

  --only NAME     one scenario, or several (--only a --only b); the documents stay as they are
  --rate N        requests a second (default: 100); half are POST, a tenth use a new connection
  --seconds N     the least that each operation is under load (default: 90); a fault is for a third
  --resume        goes on after an interrupted run: scenarios that have a result with the same options keep it
  --soak TIME     instead of the scenarios: load for this time (1h, say) with a rollout every ten minutes, or every third of it if
                  that is shorter; at most 1 of 10,000,000 requests may be lost in the sum over all such runs
  --keep          leaves the cluster for the next run
  --cluster NAME  the cluster's name (default: fairlead-reliability): give fairlead-reliability-2, say, to run two at once
  --get PATH      runs the container of main.ts instead of the example API, and asks this path
  --post PATH     the same; gets JSON (default: the path of --get)
  --clients       runs HTTP clients that others ship (Go, Java, Python, Node; a missing one is named) instead, at rest and
                  through rollouts, and writes docs/clients.md and docs/clients.json
  --list          the names of the scenarios
  --help          show this

Environment: KIND_NODE_IMAGE, the node image to create the cluster from.
`;

export interface RunOptions {
  readonly only: readonly string[] | undefined;
  readonly rate: number;
  /** The least that each operation is under load, and three times the least of what is none. */
  readonly seconds: number;
  /** Instead of scenarios: load with rollouts, for so many milliseconds. */
  readonly soak: number | undefined;
  readonly resume: boolean;
  readonly keep: boolean;
  readonly cluster: string;
  /** The clients that others ship, instead of the scenarios. */
  readonly clients: boolean;
  readonly api: ApiUnderLoad;
}

export function runOptions(args: readonly string[], scenarios: readonly string[]): RunOptions | 'help' | 'list' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      rate: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '90' },
      soak: { type: 'string' },
      resume: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      cluster: { type: 'string', default: clusterPrefix },
      get: { type: 'string' },
      post: { type: 'string' },
      clients: { type: 'boolean', default: false },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return 'help';
  if (values.list === true) return 'list';
  if (values.get === undefined && values.post !== undefined) {
    throw new InvalidOption('--post', values.post, 'comes without --get: give the path to GET as well');
  }
  if (values.soak !== undefined && (values.only !== undefined || values.resume)) {
    throw new InvalidOption('--soak', values.soak, 'runs no scenario: leave out --only and --resume');
  }
  if (values.soak !== undefined && values.clients) {
    throw new InvalidOption('--soak', values.soak, 'is a run of its own: leave it out, or leave --clients out');
  }
  const scenarioOption = (['only', 'resume', 'get'] as const).find((name) => Boolean(values[name]));
  if (values.clients && scenarioOption !== undefined) {
    throw new InvalidOption(
      `--${scenarioOption}`,
      values[scenarioOption],
      'is for the scenarios: leave it out, or leave --clients out',
    );
  }
  return {
    only: values.only?.map((name) => oneOf('--only', name, scenarios)),
    ...amounts(values),
    soak: values.soak === undefined ? undefined : milliseconds('--soak', values.soak, { min: '1m', max: '7d' }),
    resume: values.resume,
    keep: values.keep,
    cluster: clusterName('--cluster', values.cluster),
    clients: values.clients,
    api: values.get === undefined ? exampleApi : ownApi(values.get, values.post),
  };
}

/** What is typed of numbers. */
export function amounts({ rate, seconds }: { readonly rate: string; readonly seconds: string }): {
  readonly rate: number;
  readonly seconds: number;
} {
  return {
    rate: integer('--rate', wholeNumber(rate), 1, 1000),
    seconds: integer('--seconds', wholeNumber(seconds), 1, 3600),
  };
}

/** An API whose paths are these. */
export function ownApi(get: string, post = get): ApiUnderLoad {
  return { own: true, getPath: urlPath('--get', get), postPath: urlPath('--post', post) };
}

export function clusterName(option: string, value: string): string {
  const name = dnsLabelName(option, value);
  if (!name.startsWith(clusterPrefix)) {
    throw new InvalidOption(
      option,
      name,
      `could be a cluster of yours, and a run removes its own: begin it with "${clusterPrefix}"`,
    );
  }
  return name;
}

function wholeNumber(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** What is asked of the API. */
export interface ApiUnderLoad {
  /** The container of main.ts, not the example API. */
  readonly own: boolean;
  readonly getPath: string;
  readonly postPath: string;
}

const exampleApi: ApiUnderLoad = { own: false, getPath: '/healthcheck', postPath: '/echo' };

/** The statuses that an API gives while nothing happens to it: any other, later, is not its own. */
export async function statusesOf(
  api: ApiUnderLoad,
  target: Pick<LoadOptions, 'url' | 'host' | 'certificates'>,
): Promise<{ readonly GET: number; readonly POST: number }> {
  const { getPath, postPath } = api;
  // Only statuses are looked at: what else the answers are counts as an error of another API, and is not one here.
  const { requests } = await new Load({ ...target, getPath, postPath, rate: 20, total: 20 }).finished;
  const statusOf = (method: 'GET' | 'POST', option: string, path: string): number => {
    const statuses = new Set(requests.filter((request) => request.method === method).map(({ status }) => status));
    const [status] = [...statuses];
    if (status === undefined || statuses.size > 1 || status >= 500) {
      throw new Failure(
        `${option}: ${method} ${path} answers ${[...statuses].map((one) => one ?? 'nothing').join(' and ')}: give a path that answers with one status below 500`,
      );
    }
    return status;
  };
  return { GET: statusOf('GET', '--get', getPath), POST: statusOf('POST', '--post', postPath) };
}
