/** A line of a Corefile, with the block that it may have. */
interface Directive {
  readonly words: readonly string[];
  readonly block: readonly Directive[];
}

/** What the plugin `kubernetes` gives its records. https://coredns.io/plugins/kubernetes/ */
const usualTtl = 5;
/** What the plugin `cache` keeps at least, and at most where nothing is said. https://coredns.io/plugins/cache/ */
const [leastTtl, mostTtl] = [5, 3600];

/**
 * For how many seconds a DNS server with this Corefile goes on giving an old answer for names of the domain; undefined if none of
 * its servers is for that.
 */
export function cacheSeconds(corefile: string, domain: string): number | undefined {
  const servers = directives(corefile.split('\n'))
    .filter((server) => zonesOf(server).some((zone) => covers(zone, domain)))
    .sort((a, b) => longestZone(b, domain) - longestZone(a, domain));
  const [server] = servers;
  if (server === undefined) return undefined;
  const kubernetes = server.block.find(({ words }) => words[0] === 'kubernetes');
  const ttl = kubernetes === undefined ? mostTtl : numberAt(find(kubernetes, 'ttl'), 1, usualTtl);
  const cache = server.block.find(({ words }) => words[0] === 'cache');
  return cache === undefined ? 0 : kept(cache, ttl, domain);
}

/** `cache [TTL] [ZONE …] { success CAPACITY [TTL] [MINTTL]  disable success [ZONE …] }` */
function kept(cache: Directive, ttl: number, domain: string): number {
  const [, ...words] = cache.words;
  const zones = words.filter((word) => !/^\d+$/.test(word));
  if (zones.length > 0 && !zones.some((zone) => covers(zone, domain))) return 0;
  const disabled = cache.block.filter((each) => each.words[0] === 'disable' && each.words[1] === 'success');
  if (disabled.some(({ words: [, , ...of] }) => of.length === 0 || of.some((zone) => covers(zone, domain)))) return 0;
  const success = find(cache, 'success');
  const most = numberAt(success, 2, /^\d+$/.test(words[0] ?? '') ? Number(words[0]) : mostTtl);
  return Math.max(numberAt(success, 3, leastTtl), Math.min(most, ttl));
}

function find({ block }: Directive, name: string): Directive | undefined {
  return block.find(({ words }) => words[0] === name);
}

function numberAt(directive: Directive | undefined, index: number, otherwise: number): number {
  const word = directive?.words[index];
  return word !== undefined && /^\d+s?$/.test(word) ? Number.parseInt(word, 10) : otherwise;
}

/** `dns://.:53`, `cluster.local:53`, without what is around the zone. */
function zonesOf({ words }: Directive): string[] {
  return words.map((word) =>
    word
      .replace(/^\w+:\/\//, '')
      .replace(/:\d+,?$/, '')
      .replace(/,$/, ''),
  );
}

function covers(zone: string, domain: string): boolean {
  const name = zone.replace(/\.$/, '');
  return name === '' || domain === name || domain.endsWith(`.${name}`);
}

function longestZone(server: Directive, domain: string): number {
  return Math.max(...zonesOf(server).map((zone) => (covers(zone, domain) ? zone.replace(/\.$/, '').length : -1)));
}

function directives(lines: string[]): Directive[] {
  const found: Directive[] = [];
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const words = line
      .replace(/#.*$/, '')
      .split(/\s+/)
      .filter((word) => word !== '');
    if (words.length === 0) continue;
    if (words[0] === '}') return found;
    if (words.at(-1) === '{') found.push({ words: words.slice(0, -1), block: directives(lines) });
    else found.push({ words, block: [] });
  }
  return found;
}
