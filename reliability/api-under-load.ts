import { Load } from '../load/load';
import { Failure } from '../cluster/failure';

/** What is asked of the API. */
export interface ApiUnderLoad {
  /** The container of main.ts, not the example API. */
  readonly own: boolean;
  readonly getPath: string;
  readonly postPath: string;
}

export const exampleApi: ApiUnderLoad = { own: false, getPath: '/healthcheck', postPath: '/echo' };

/** The statuses that an API gives while nothing happens to it: any other, later, is not its own. */
export async function statusesOf(
  api: ApiUnderLoad,
  url: string,
  certificates: readonly string[],
): Promise<{ readonly GET: number; readonly POST: number }> {
  const { getPath, postPath } = api;
  // Only statuses are looked at: what else the answers are counts as an error of another API, and is not one here.
  const { requests } = await new Load({ url, certificates, getPath, postPath, rate: 20, total: 20 }).finished;
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
