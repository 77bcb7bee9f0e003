import { InvalidOption } from '../validation/invalid-option';
import { directive, Directive, heading, Node } from './directive';

/** A hash table of nginx, and the names that go into it. */
interface Table {
  readonly name: string;
  /** So many names surely fit into one of nginx's own size. */
  readonly fits: number;
  readonly names: (http: string) => string[];
}

/** So long a name surely fits, in any of them. */
const fittingLength = 38;

const tables: readonly Table[] = [
  { name: 'server_names_hash', fits: 32, names: found(/^ *server_name (.*);/gm, ' ') },
  {
    name: 'map_hash',
    fits: 32,
    names: found(/^ *"(on [^"]*)" "max-age=|^ *([a-z0-9.-]+) "[a-z0-9.-]+";|^ *"([a-z0-9+.-]+:\/\/[^"]+)" "/gm),
  },
  {
    name: 'variables_hash',
    fits: 32,
    names: found(
      /^ *(?:map|geo|split_clients|set) .*\$(\w+)[ ;]|\?<(\w+)>|^ *(?:js_set|js_var|auth_request_set) \$(\w+)/gm,
    ),
  },
  { name: 'proxy_headers_hash', fits: 40, names: found(/^ *proxy_(?:set|hide)_header (\S+)[ ;]/gm) },
];

/** What an expression captures, in lists or one by one. */
function found(expression: RegExp, separator = '\0'): Table['names'] {
  return (http) =>
    [...http.matchAll(expression)].flatMap(([, first, second, third]) =>
      (first ?? second ?? third ?? '').split(separator),
    );
}

/** Sizes of hash tables that outgrow nginx's own with this configuration: it would warn, or not start. */
export function hashSizes(http: string): Node[] {
  refuseLongNames(http);
  const sizes = tables.flatMap((table) => sizesOf(table, http));
  return sizes.length === 0 ? [] : [heading('Hash tables: room for all names'), ...sizes];
}

function sizesOf({ name, fits, names }: Table, http: string): Directive[] {
  const all = new Set(names(http));
  const longest = Math.max(0, ...[...all].map((text) => text.length));
  return [
    ...(all.size > fits ? [directive(`${name}_max_size ${powerOfTwo(8 * all.size)}`)] : []),
    ...(all.size > fits || longest > fittingLength
      ? [directive(`${name}_bucket_size ${Math.max(128, powerOfTwo(longest + 32))}`)]
      : []),
  ];
}

/** The module of gRPC has tables of its own, whose buckets of 64 bytes no directive makes larger. */
const longestOfGrpc = 46;

function refuseLongNames(http: string): void {
  const names = [...http.matchAll(/^ *grpc_(?:set|hide)_header (\S+)[ ;]/gm)].map(([, name = '']) => name);
  const tooLong = names.find((name) => name.length > longestOfGrpc);
  if (tooLong === undefined) return;
  throw new InvalidOption(
    'header',
    tooLong,
    `is longer than ${longestOfGrpc} characters, for which nginx has no room beside a gRPC backend: shorten it`,
  );
}

/** The least that is not smaller. */
function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}
