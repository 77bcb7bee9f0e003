/** One line of nginx's access log, as far as it is looked at here. */
export interface AccessLogEntry {
  readonly request_id: string;
  readonly status: number;
  /** One entry a try, in the order of the tries. */
  readonly tries: readonly { readonly address: string; readonly bytesSent: number }[];
}

/** What proxies logged about these requests. */
export function accessLog(lines: readonly string[], requestIds: ReadonlySet<string>): AccessLogEntry[] {
  return lines
    .filter((line) => line.startsWith('{'))
    .map(accessLogEntry)
    .filter(({ request_id }) => requestIds.has(request_id));
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
