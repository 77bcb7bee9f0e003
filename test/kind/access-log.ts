import { pods } from './pods';
import { kubectl, suite } from './suite';

/** One line of nginx's access log, as far as it is looked at here. */
export interface AccessLogEntry {
  readonly request_id: string;
  readonly status: number;
  /** One entry a try, in the order of the tries. */
  readonly tries: readonly { readonly address: string; readonly bytesSent: number }[];
}

/** What the proxies logged about these requests. */
export async function accessLog(requestIds: ReadonlySet<string>): Promise<AccessLogEntry[]> {
  const { lines } = await proxyLogs();
  return lines
    .filter((line) => line.startsWith('{'))
    .map(accessLogEntry)
    .filter(({ request_id }) => requestIds.has(request_id));
}

/** What the proxies wrote besides the access log. */
export async function errorLog(): Promise<string[]> {
  const { lines } = await proxyLogs();
  return lines.filter((line) => !line.startsWith('{'));
}

/** nginx separates tries by commas, and by colons where it went to another location in between. */
export function accessLogEntry(line: string): AccessLogEntry {
  const { request_id, status, upstream_addr, upstream_bytes_sent } = JSON.parse(line) as {
    request_id: string;
    status: number;
    upstream_addr: string;
    upstream_bytes_sent: string;
  };
  const bytesSent = upstream_bytes_sent.split(/, | : /).map((count) => (count === '-' ? 0 : Number(count)));
  const tries = upstream_addr.split(/, | : /).map((address, index) => ({ address, bytesSent: bytesSent[index] ?? 0 }));
  return { request_id, status, tries };
}

async function proxyLogs(): Promise<{ lines: string[] }> {
  const lines: string[] = [];
  for (const { metadata } of await pods('proxy')) {
    const log = await kubectl.run(['logs', metadata.name, `--namespace=${suite().namespace}`, '--container=nginx']);
    lines.push(...log.split('\n').filter((line) => line !== ''));
  }
  return { lines };
}
