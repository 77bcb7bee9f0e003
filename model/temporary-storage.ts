import { InvalidOption } from '../validation/invalid-option';
import { type BudgetSettings, counted } from './budget-options';
import { mebibytes } from './memory-costs';
import type { CacheModel } from './routes/response-cache';

const MiB = 1024 * 1024;

/** Of nginx's default; a client that is given fewer is told so. */
export const mostStreamsPerConnection = 128;

/** Fewer requests at once than a connection of HTTP/2 may have are not taken for what was wanted. */
const fewRequests = mostStreamsPerConnection;
/** Temporary files that a node is sure to have room for. */
const storageWithoutAsking = 8 * 1024 * MiB;

/** What may come, at 100 MiB a second, until nginx looks at the size of its caches again after 10 s. */
const unnoticed = 1024 * MiB;

/** How many requests the disk has room for, if each has a body. So few that an API would suffer have to be asked for. */
export function requestsByDisk(settings: BudgetSettings, streams: number, byMemory: number): number {
  const fits = Math.floor((settings.temporaryStorage ?? storageWithoutAsking) / settings.maxBodySize) - streams;
  if (fits < Math.min(byMemory, fewRequests)) storage(settings, byMemory + streams);
  return fits;
}

/** Each may be fetching the largest answer that is kept. */
function largestAnswer(caches: readonly CacheModel[]): number {
  return Math.max(0, ...caches.map(({ maxAnswerSize }) => maxAnswerSize));
}

export function requestsByCache(caches: readonly CacheModel[], byMemory: number): number {
  const fits = Math.floor(storageWithoutAsking / Math.max(1, largestAnswer(caches)));
  if (fits < Math.min(byMemory, fewRequests)) cacheStorage(caches, byMemory);
  return fits;
}

/** All that is kept, what is just being fetched, and what nginx has not noticed yet: the kubelet would evict the pod beyond it. */
export function cacheStorage(caches: readonly CacheModel[], requests: number): number {
  if (caches.length === 0) return 0;
  const largest = largestAnswer(caches);
  const fetching = requests * largest;
  if (fetching > storageWithoutAsking) {
    throw new InvalidOption(
      'ResponseCache.of maxAnswerSize',
      `${Math.ceil(largest / MiB)}m`,
      `does not fit: ${requests} answers that are fetched at once are ${mebibytes(fetching)} of temporary files, and ${mebibytes(storageWithoutAsking)} are what a node is sure to have: give less, or clients.maxRequests ${Math.floor(storageWithoutAsking / largest)} or less`,
    );
  }
  return caches.reduce((all, { size }) => all + size, 0) + fetching + unnoticed;
}

/** Every body may have to wait in a file. The kubelet sees no unlinked file, so that this has to hold without it. */
export function storage(settings: BudgetSettings, inProgress: number): number {
  const { maxBodySize, maxBodyPath, temporaryStorage } = settings;
  const needed = inProgress * maxBodySize;
  const room = temporaryStorage ?? storageWithoutAsking;
  if (needed <= room) return temporaryStorage ?? needed;
  const whose = maxBodyPath === undefined ? '' : ` of the route ${maxBodyPath}`;
  const byDefault: [string, unknown] = ['maxBodySize', `${Math.ceil(maxBodySize / MiB)}m`];
  const [option, value] =
    temporaryStorage === undefined
      ? (counted(settings) ?? byDefault)
      : ['resources.temporaryStorage', mebibytes(temporaryStorage)];
  throw new InvalidOption(
    option,
    value,
    `does not fit: ${inProgress} requests at once with bodies of ${Math.ceil(maxBodySize / MiB)}m${whose} are ${mebibytes(needed)} of temporary files, and ${mebibytes(room)} are there: give the proxy resources.temporaryStorage ${JSON.stringify(mebibytes(needed))} if the nodes have as much, or clients.maxRequests ${Math.floor(room / maxBodySize)} or less`,
  );
}
