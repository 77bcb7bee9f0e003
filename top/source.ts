import { Failure } from '../cluster/command-line';

/** A proxy whose metrics can be asked for. */
export interface KnownProxy {
  /** What people call it: where it is, or its pod. */
  readonly name: string;
  /** Its metrics, in Prometheus' text format; rejects with what is wrong, as one says it after the name. */
  readonly scrape: () => Promise<string>;
}

/** Where proxies are. */
export interface Source {
  /** Those that are there at this moment; one that stays is the same object. */
  readonly proxies: () => readonly KnownProxy[];
  /** What to do if none of them answers. */
  readonly mend: string;
  /** Ends what was started to reach them. */
  readonly close: () => Promise<void>;
}

/** Proxies by the URLs of their metrics. */
export function proxiesAt(urls: readonly string[], mend: string): Source {
  const proxies = urls.map((url) => ({ name: shortened(url), scrape: () => metricsAt(url) }));
  return { proxies: () => proxies, mend, close: () => Promise.resolve() };
}

/** `127.0.0.1:9113`, of `http://127.0.0.1:9113/metrics`. */
function shortened(url: string): string {
  return url.replace(/^http:\/\//, '').replace(/\/metrics$/, '');
}

/** In milliseconds. */
const scrapeTimeout = 3000;

/** The metrics at a URL, with those of each instance. */
export async function metricsAt(url: string): Promise<string> {
  const { status, text } = await answerOf(`${url}?peers`).catch((error: unknown) => {
    throw new Failure(`does not answer (${reasonOf(error)})`);
  });
  if (status !== 200) throw new Failure(`answers ${status}, and no metrics`);
  return text;
}

async function answerOf(url: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(scrapeTimeout) });
  return { status: response.status, text: await response.text() };
}

/** What went wrong: fetch says it in the cause of its error. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `nothing within ${scrapeTimeout / 1000} s`;
  const { code, message: inner } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  return code ?? inner ?? message;
}
