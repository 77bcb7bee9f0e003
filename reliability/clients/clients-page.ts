import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeSpan, count, duration, markdownText, plural, tableRow } from '../report/format';
import type { ClientRow, ClientsResult, PhaseName } from './clients-result';
import { shippedClients } from './shipped-clients';

const phaseTitles: Readonly<Record<PhaseName, string>> = {
  'at-rest': 'at rest',
  'rollout-api': 'rollout of the API',
  'rollout-nginx': 'rollout of nginx',
  'keepalive-time': 'connections end after 20 s (`keepalive_time`)',
};

/** Writes clients.md and clients.json into a directory, which is `docs` of the checkout. */
export function writeClientsReport(directory: string, result: ClientsResult): void {
  writeFileSync(join(directory, 'clients.json'), `${JSON.stringify(result, undefined, 2)}\n`);
  writeFileSync(join(directory, 'clients.md'), clientsPage(result));
}

/** docs/clients.md: the table of what was lost, with what each client says, and what it does on GOAWAY. */
export function clientsPage(result: ClientsResult): string {
  const { run, rate, clients, missing, rows } = result;
  return `# Clients

How many requests common HTTP clients lose, over HTTP/2 and over HTTP/1.1. \`npm run reliability -- --clients\` wrote this page and makes it
again, with a kind cluster of its own; the same figures are in [clients.json](clients.json).

This run: ${markdownText(run.date)}, Kubernetes ${markdownText(run.kubernetesVersion)}, ${plural(run.nodes, 'node')}, all on one machine with ${plural(run.cores, 'core')}, ${duration(run.seconds)}, by ${codeSpan(run.command)}.

Each client sends ${count(rate)} requests a second, half of them POST, from 20 tasks at random times, and repeats only what it repeats by default. All clients
send at once. A request counts as lost if it got no answer, or one other than 200.

${[
  ...clients.map(({ name, version }) => `- ${markdownText(name)}: ${markdownText(version)}`),
  ...missing.map(({ name, reason }) => `- ${markdownText(name)}: **missing**, ${markdownText(reason)}`),
].join('\n')}

## Results

Requests that were lost, of those that were sent:

${resultsTable(rows)}
${errorList(rows)}
## GOAWAY

A server ends an HTTP/2 connection with GOAWAY, which names the last stream that it takes. Later streams, which a client had opened by then or opens until it knows,
were not processed, and may be sent again, whatever their method ([RFC 9113, 6.8](https://www.rfc-editor.org/rfc/rfc9113#section-6.8)). nginx sends GOAWAY at
\`keepalive_requests\`, at \`keepalive_time\` and when a worker ends. A client that does not send them again loses at most one round trip of requests for each connection
that ends so; one that also fails requests that the server has accepted loses those too. Over HTTP/1.1 nothing is lost: there the server says \`Connection: close\` with an answer.

How many connections carry the streams does not change the sum. undici 7 with 100 requests a second lost, at each of 40 ends of nginx's workers with a round trip of 50 ms, 5.6 requests
on one connection, 5.1 on 4 and 5.4 on 20, and 0.6 to 0.8 without that round trip: what is on its way at that moment. When the workers end does not either, as each
connection is told once. What helps are fewer ends, which is why connections of HTTP/2 live for a day, and clients that repeat.

${tableRow(['client', 'on GOAWAY', 'mended in'])}
${tableRow(['---', '---', '---'])}
${shippedClients.map(({ name, onGoaway, mended }) => tableRow([markdownText(name), onGoaway, mended])).join('\n')}
`;
}

/** A line for each client and protocol, a column for each phase and round trip, in the order of the run. */
function resultsTable(rows: readonly ClientRow[]): string {
  const columns = distinct(rows, columnOf);
  return [
    tableRow(['client', 'protocol', ...columns]),
    tableRow(['---', '---', ...columns.map(() => '---:')]),
    ...distinct(rows, lineOf).map((line) => {
      const ofLine = rows.filter((row) => lineOf(row) === line);
      return tableRow([
        line,
        ...columns.map((column) => {
          const row = ofLine.find((one) => columnOf(one) === column);
          return row === undefined ? '' : `${count(row.failed)} of ${count(row.sent)}`;
        }),
      ]);
    }),
  ].join('\n');
}

function errorList(rows: readonly ClientRow[]): string {
  const lines = rows
    .filter(({ failed }) => failed > 0)
    .map((row) => {
      const errors = Object.entries(row.errors).sort(
        ([a, timesOfA], [b, timesOfB]) => timesOfB - timesOfA || (a < b ? -1 : 1),
      );
      const said = errors.map(([text, times]) => `${count(times)} × ${codeSpan(text)}`).join(', ');
      return `- ${markdownText(row.client)}, ${row.protocol}, ${columnOf(row)}: ${said}`;
    });
  return lines.length === 0 ? '' : `\nWhat they said:\n\n${lines.join('\n')}\n`;
}

function columnOf({ phase, roundTrip }: ClientRow): string {
  return roundTrip === 0 ? phaseTitles[phase] : `${phaseTitles[phase]}, ${roundTrip} ms`;
}

function lineOf({ client, protocol }: ClientRow): string {
  return `${markdownText(client)} | ${protocol === 'h2' ? 'HTTP/2' : 'HTTP/1.1'}`;
}

function distinct<T>(list: readonly T[], name: (item: T) => string): readonly string[] {
  return [...new Set(list.map(name))];
}
