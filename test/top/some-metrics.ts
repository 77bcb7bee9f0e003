import { parsedScrape, type Scrape } from '../../dashboard/scrape';

/** Metrics as nginx serves them: what every proxy says, and these lines. */
export function someMetrics(lines: readonly string[] = [], hash = 'a1b2c3d4e5'): string {
  return [`fairlead_configuration_info{hash="${hash}",nginx="1.30.0"} 1`, ...lines, ''].join('\n');
}

export function someScrape(time: number, ...lines: readonly string[]): Scrape {
  return parsedScrape(someMetrics(lines), time);
}

/** So many requests of a route, with this code. */
export function answered(count: number, route = 'root', code = 200, backend = 'backend="orders"'): string {
  const labels = `host="shop.example.com",route="${route}",${backend},method="GET",code="${code}"`;
  return `fairlead_http_requests_total{${labels}} ${count}`;
}

/** So many tries at an instance. */
export function tried(count: number, peer: string, backend = 'backend="orders"'): string {
  return `fairlead_peer_requests_total{${backend},peer="${peer}"} ${count}`;
}

/** Until when a certificate is valid, in seconds, and whether another one is refused. */
export function certificate(name: string, notAfter: number, isRefused = false): string[] {
  return [
    `fairlead_certificate_not_after_timestamp_seconds{certificate="${name}"} ${notAfter}`,
    `fairlead_certificate_refused{certificate="${name}"} ${isRefused ? 1 : 0}`,
  ];
}
