import { InvalidOption } from '../validation/invalid-option';

/** Directives of nginx as they are written into nginx.conf. */
export class Snippet {
  private constructor(
    readonly place: 'http' | 'server',
    readonly text: string,
  ) {}

  /** In the http block: zones, maps, defaults of all servers. */
  static http(text: string): Snippet {
    return new Snippet('http', directives('Snippet.http', text));
  }

  /** In the server of each host that clients reach. */
  static server(text: string): Snippet {
    return new Snippet('server', directives('Snippet.server', text));
  }
}

/** Whole directives, and no more than their block: what would end it early is refused. */
export function directives(option: string, text: unknown): string {
  if (typeof text !== 'string' || text.trim() === '' || text.includes('\0') || !text.isWellFormed()) {
    throw new InvalidOption(option, text, 'is not text of nginx.conf: give directives, such as "gzip_comp_level 4;"');
  }
  const bare = text.replaceAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\$\{\w+\}|#.*$/gm, '');
  let depth = 0;
  for (const brace of bare.match(/[{}]/g) ?? []) {
    depth += brace === '{' ? 1 : -1;
    if (depth < 0) break;
  }
  if (depth !== 0 || !/[;}]\s*$/.test(bare)) {
    throw new InvalidOption(option, text, 'is not whole: end each directive with ";", and give every "{" its "}"');
  }
  return text;
}
