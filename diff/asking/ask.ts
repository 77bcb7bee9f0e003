import { Failure } from '../../cluster/command-line';
import { findNginx } from '../../local/find-nginx/find-nginx';
import type { Nginx } from '../../local/find-nginx/nginx';
import type { Difference, ProxyDifference } from '../difference';
import { fullName } from '../objects/manifest';
import type { RequestDifference } from '../requests/request-differences';
import { say, type Text } from '../text';
import { type RealAnswer, RealSide } from './real-answers';

/** A difference whose witnesses were asked of both configurations, and what could not be asked. */
export interface AskedDifference {
  readonly difference: Difference;
  readonly notes: readonly Text[];
}

/** Asks a real nginx each witness, with the configuration of before and with that of now. */
export async function asked(difference: Difference, signal: AbortSignal): Promise<AskedDifference> {
  const isAsked = ({ requests, files }: ProxyDifference): boolean => requests?.length !== 0 && files !== undefined;
  if (!difference.proxies.some(isAsked)) return { difference, notes: [] };
  const nginx = await findNginx({ signal });
  const notes: Text[] = [say`witnesses were asked of ${nginx.describe}, with stubs in the place of all backends`];
  const proxies: ProxyDifference[] = [];
  for (const proxy of difference.proxies) {
    try {
      proxies.push(isAsked(proxy) ? await askedOf(proxy, nginx, signal) : proxy);
    } catch (error) {
      if (!(error instanceof Failure) || signal.aborted) throw error;
      notes.push(say`${fullName(proxy.proxy)}: its witnesses were not asked: ${error.message}`);
      proxies.push(proxy);
    }
  }
  return { difference: { ...difference, proxies }, notes };
}

async function askedOf(proxy: ProxyDifference, nginx: Nginx, signal: AbortSignal): Promise<ProxyDifference> {
  const { requests = [], files } = proxy;
  if (files === undefined) return proxy;
  const before = await started(nginx, files.before, 'before', signal);
  try {
    const after = await started(nginx, files.after, 'now', signal);
    try {
      const all: RequestDifference[] = [];
      for (const request of requests) {
        all.push(await askedBoth(request, before, after));
        // What an nginx says that ends is no answer.
        signal.throwIfAborted();
      }
      return { ...proxy, requests: all };
    } finally {
      await after?.stop();
    }
  } finally {
    await before?.stop();
  }
}

/** Undefined of a proxy that is not there. */
async function started(
  nginx: Nginx,
  files: Readonly<Record<string, string>>,
  side: string,
  signal: AbortSignal,
): Promise<RealSide | undefined> {
  if (!('nginx.conf' in files)) return undefined;
  try {
    return await RealSide.start(nginx, files, signal);
  } catch (error) {
    throw error instanceof Failure ? new Failure(`${side}, ${error.message}`) : error;
  }
}

async function askedBoth(
  request: RequestDifference,
  before: RealSide | undefined,
  after: RealSide | undefined,
): Promise<RequestDifference> {
  const answer = async (side: RealSide | undefined): Promise<RealAnswer> => {
    try {
      return (await side?.answerTo(request.witness)) ?? { shown: 'nobody', headers: [] };
    } catch (error) {
      // A host that is not known is refused in the handshake.
      return { shown: `no answer (${(error as Error).message})`, headers: [] };
    }
  };
  const [one, other] = [await answer(before), await answer(after)];
  return { ...request, asked: { before: one.shown, after: other.shown, headers: otherHeaders(one, other) } };
}

/** Those that one of both has alone. */
function otherHeaders(one: RealAnswer, other: RealAnswer): readonly string[] {
  return [
    ...one.headers.filter((line) => !other.headers.includes(line)).map((line) => `before, ${line}`),
    ...other.headers.filter((line) => !one.headers.includes(line)).map((line) => `now, ${line}`),
  ];
}
