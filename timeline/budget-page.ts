import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { App } from 'cdk8s';
import { LoadBalancedApi, type LoadBalancedApiProps } from '../charts/load-balanced-api';
import type { Budget } from '../model/budget';
import type { MemoryShare } from '../model/memory-costs';
import type { RouteOptions } from '../model/routes/route-options';

type ProxyProps = NonNullable<LoadBalancedApiProps['proxy']>;

/** docs/budget.md. */
export function budgetPage(): string {
  const defaults = budgetOf({});
  return `# Budget

Made from the model by \`npm run docs:budget\`: how much one proxy takes on at a time, and what that takes of memory and disk. \`npx fairlead budget\` prints the same
for your own \`main.ts\`.

Whatever clients do, a proxy keeps within its memory, its disk and its open files. Each connection and each request has a price at
worst, read off nginx. As many are let in as four fifths of the memory limit (\`resources.memory.limit\` of the proxy) carry; options
that ask for more are refused at synth, with the sum. Raise the limit to let in more: it is a limit, and is used up only
while clients do their worst.

## The defaults

${markdownTable(['memory', 'how many', 'each at worst', 'in all'], memoryRows(defaults))}
${markdownTable(['limit of one proxy', 'in all', 'of one address'], limitRows(defaults))}
## What follows from memory

${markdownTable(
  ['options of the proxy', 'connections', 'requests', 'streams'],
  examples.map(([text, ...options]) => {
    const { connections, requests, streams } = budgetOf(...options);
    return [text, String(connections), String(requests), String(streams)];
  }),
)}
A host with a certificate of its own takes 160 KiB in each worker and 48 KiB once, measured with chains of three RSA certificates that were renewed.

## What happens at a limit

- **A connection too many** is closed at once, before TLS. nginx counts connections before it reads anything from them, so one that
  never sends a whole request counts too. The error log has \`limiting connections by zone "connections"\` (all) or
  \`"connections_of_client"\` (one address).
- **A request too many** is answered 503 with \`Retry-After: 1\` at once; each stream of HTTP/2 is a request. The error log says \`"requests"\`, \`"streams"\` or
  \`"requests_of_client"\`.
- **Requests too often** (\`rateLimit\` of a route) are answered 429 with \`Retry-After\`: [limits of rates](operations.md#limits-of-rates). Each limit
  takes up to 2 MiB; together they take up to a 32nd of the memory limit, or 128 KiB each if that is more.
- **Too many requests of one client at once** on a route (\`maxConnectionsPerClient\` of the route) are answered 503: [access](access.md#requests-at-once).
- **Probes and the certificate check** have connections of their own: \`worker_connections\` is greater than all that clients and instances can take, in
  each worker. A full proxy stays ready and alive.
- **A body** of more than 16 KiB waits in a file until it is whole. \`/tmp\` has room for \`maxRequests\` of them, each as large as the greatest \`maxBodySize\` of any route
  (${amount(defaults.temporaryStorage)} by default). Neither \`du\` nor the kubelet sees them, as nginx has unlinked them: it is the count that bounds them.
- **Answers that are kept** (\`cache\` of a route) take \`size\` on the disk, and room for \`maxRequests\` answers of \`maxAnswerSize\` that are just being fetched, and
  1 GiB more: nginx looks every 10 s whether there is too much, and by then 100 MiB a second may have come. Their keys take a 64th of \`size\` in memory, 16 MiB at most.

## One address is not always one client

Whoever has IPv6 has a network of 64 bits at least, and could take another address for each request: such a network counts as one address here, and in \`maxConnectionsPerClient\` and \`rateLimit\` of a route.

One address may have an eighth of the connections and a quarter of the requests of each proxy. A load balancer or a node that hides the addresses of
clients (\`externalTrafficPolicy: 'Cluster'\`, a TCP proxy) has one for all of them, so private addresses are not limited:
\`clients.unlimited\` says which ones those are. \`trustedProxies\` are always among them; the address that their \`X-Forwarded-For\` names is limited
instead. Give \`clients: { unlimited: [] }\` where every address that arrives is a client's.

An address has its part of **each** proxy. If the Service has \`sessionAffinity: ClientIP\` ([how](customising.md#2-an-object-of-kubernetes-changed)), it stays on one; without that, it has its part as many times as there are proxies.

## What stock nginx cannot do

- **A total time, or a least rate, for a body.** \`clients.bodyTimeout\` (10 s) is between two reads: a client that sends a byte every nine seconds
  goes on. Meanwhile it uses up one request of its part, and no more.
- **The same for an answer that is read slowly** (\`clients.sendTimeout\`). What is not read waits at the API: a proxy keeps
  48 KiB of it, and the socket 128 KiB.
- **An answer to a head that is too large, over HTTP/2.** Over HTTP/1.1 it is 431; over HTTP/2 nginx ends the connection (ENHANCE_YOUR_CALM).
- **The rate of new connections.** Each costs a handshake, a millisecond of a core; \`maxConnectionsPerClient\` bounds how many are open.
`;
}

/** Options of a proxy, and of a route beside that of `/`. */
const examples: readonly (readonly [text: string, proxy: ProxyProps, other?: RouteOptions])[] = [
  ['the defaults (two workers, `768Mi`)', {}],
  ["`resources: { cpu: { limit: '1' } }` (one worker, `384Mi`)", { resources: { cpu: { limit: '1' } } }],
  ["`resources: { cpu: { limit: '4' } }` (four workers, `1536Mi`)", { resources: { cpu: { limit: '4' } } }],
  ["`resources: { memory: { limit: '2Gi' } }`", { resources: { memory: { limit: '2Gi' } } }],
  ["a route with `streaming: '1h'`", {}, { streaming: '1h' }],
  [
    "a route with `streaming: '1h'`, `clients: { maxStreams: 5000 }`, `resources: { memory: { limit: '3Gi' } }`",
    { clients: { maxStreams: 5000 }, resources: { memory: { limit: '3Gi' } } },
    { streaming: '1h' },
  ],
  ['`gzip: false`', { gzip: false }],
];

function budgetOf(options: ProxyProps, other?: RouteOptions): Budget {
  const { proxy, backend } = new LoadBalancedApi(new App(), 'api', { image: 'api:1.0.0', proxy: options });
  if (other !== undefined) proxy.addRoute('/events', backend, other);
  return proxy.budget;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** What memory goes to: what, how many, how much each, and in all. */
export function memoryRows({ memory, memorySum, memoryLimit }: Budget): readonly (readonly string[])[] {
  return [
    ...memory.map(({ what, count, each }: MemoryShare) => [
      what,
      count === 1 ? '' : String(count),
      count === 1 ? '' : amount(each),
      amount(count * each),
    ]),
    [
      'in all',
      '',
      '',
      `${amount(memorySum)} of ${amount(memoryLimit)} (${Math.round((memorySum / memoryLimit) * 100)} %)`,
    ],
  ];
}

/** Limits that follow: what, in all, of one address. */
export function limitRows(budget: Budget): readonly (readonly string[])[] {
  return [
    ['connections of clients', String(budget.connections), String(budget.connectionsPerClient)],
    ['requests in progress', String(budget.requests), String(budget.requestsPerClient)],
    ...(budget.streams === 0 ? [] : [['event streams and WebSockets', String(budget.streams), 'among the requests']]),
    ['streams of one connection of HTTP/2', '', String(budget.streamsPerConnection)],
    ['temporary files', amount(budget.temporaryStorage), ''],
    ...(budget.files === 0 ? [] : [['files that nginx serves', amount(budget.files), '']]),
    ...(budget.cacheStorage === 0
      ? []
      : [['answers that are kept, and room to fetch them', amount(budget.cacheStorage), '']]),
    ['open files of a worker', String(budget.openFiles), ''],
  ];
}

/** `12 KiB`, `1.5 GiB`; whole numbers up to a GiB. */
export function amount(bytes: number): string {
  if (bytes < MiB) return `${Math.round(bytes / KiB)} KiB`;
  if (bytes < 1024 * MiB) return `${Math.round(bytes / MiB)} MiB`;
  return `${Math.round(bytes / MiB / 102.4) / 10} GiB`;
}

/** Rows in columns of a terminal, the first to the left and the rest to the right. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => (row[column] ?? '').length));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(width(0)) : cell.padStart(width(column))))
      .join('   ')
      .trimEnd(),
  );
}

/** Rows as a table of Markdown, under these headings. */
function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = headings.map((_, column) => (column === 0 ? '---' : '---:'));
  return `${[line(headings), `|${rule.join('|')}|`, ...rows.map(line)].join('\n')}\n`;
}

if (require.main === module) writeFileSync(resolve(__dirname, '../docs/budget.md'), budgetPage());
