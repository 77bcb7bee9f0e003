import { record } from '../../validation/collections';
import { InvalidOption } from '../../validation/invalid-option';

/** Statuses that nginx itself answers requests of a route with. */
const statuses = [400, 401, 403, 404, 405, 408, 412, 413, 416, 429, 500, 502, 503, 504] as const;

/** A status that a page may be given for. */
export type ErrorStatus = (typeof statuses)[number];

/** Pages by status, each a whole HTML document; `default` for all others. */
export type HtmlPages = Readonly<Partial<Record<ErrorStatus | 'default', string>>>;

/** Bytes of one page, and of all that a route has: nginx.conf has to fit in a ConfigMap. */
const longestPage = 16 * 1024;
const mostBytes = 64 * 1024;

/** What nginx's own errors look like. */
export class ErrorPages {
  private constructor(
    /** By status, the rest under 'default'; undefined for JSON. */
    readonly pages: ReadonlyMap<number | 'default', string> | undefined,
  ) {}

  /** A JSON object with `error` and `requestId`, as clients of an API expect it. */
  static json(): ErrorPages {
    return new ErrorPages(undefined);
  }

  /**
   * Pages for people, of at most 16 KiB each and 64 KiB together, as they are: nothing in them is replaced. A status without one has that of
   * `default`, or a plain one with what the status is called. Styles stand in the page and images are `data:` URLs, as nothing else is loaded
   * and no script runs.
   *
   * @example
   * edge.addRoute('/', shop, { errorPages: ErrorPages.html({ 404: '<!doctype html>…', default: '<!doctype html>…' }) });
   */
  static html(pages: HtmlPages): ErrorPages {
    const name = 'ErrorPages.html';
    const given = Object.entries(record(name, pages, '{ default: "<!doctype html>…" }'));
    if (given.length === 0) {
      throw new InvalidOption(name, {}, 'has no page: give one, such as { default: "<!doctype html>…" }');
    }
    const all = given.map(([key, text]) => [statusOf(name, key), page(`${name} ${key}`, text)] as const);
    const bytes = all.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
    if (bytes > mostBytes) {
      throw new InvalidOption(
        name,
        `${bytes} bytes`,
        `are more than ${mostBytes}, of all pages together: shorten them`,
      );
    }
    return new ErrorPages(new Map(all));
  }
}

function statusOf(name: string, key: string): number | 'default' {
  if (key === 'default') return key;
  const status = statuses.find((known) => String(known) === key);
  if (status !== undefined) return status;
  throw new InvalidOption(
    `${name} status`,
    key,
    `is not a status that nginx itself answers on a route: give one of ${statuses.join(', ')}, or "default"`,
  );
}

function page(option: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new InvalidOption(option, value, 'is not a page: give HTML, such as "<!doctype html><title>Gone</title>"');
  }
  if (!value.isWellFormed()) {
    throw new InvalidOption(
      option,
      value,
      'has half of a surrogate pair, which UTF-8 cannot carry: give whole characters',
    );
  }
  if (/[^\P{Cc}\t\n\r]/u.test(value)) {
    throw new InvalidOption(option, value, 'has a control character, which no HTML has: take it out');
  }
  const bytes = Buffer.byteLength(value);
  if (bytes <= longestPage) return value;
  throw new InvalidOption(option, `${bytes} bytes`, `are more than ${longestPage} for a page: shorten it`);
}
