import { buffers } from '../model/budget';
import { block, directive, heading, Node, quoteWithVariables } from './directive';
import { ProxyModel } from './model';

/** Security headers that the API may replace; each of them is sent by nginx otherwise. */
const securityHeaders: readonly (readonly [name: string, value: string, reason: string])[] = [
  ['Referrer-Policy', 'no-referrer', 'paths of an API stay between client and API'],
  ['Cross-Origin-Resource-Policy', 'same-origin', 'no other site embeds an answer; CORS is not touched by it'],
];

interface Header {
  readonly name: string;
  readonly value: string;
  readonly reason?: string;
}

/** Headers that every answer has, the API's own winning. */
export function headersSection(proxy: ProxyModel): Node[] {
  const headers = defaultHeaders(proxy);
  return [
    heading('Headers of answers'),
    directive('server_tokens off', 'no version in the Server header and on error pages'),
    directive('proxy_hide_header X-Powered-By', 'nor what the API is made with'),
    directive('proxy_hide_header X-Request-Id', 'sent once, by nginx'),
    directive('add_header_inherit merge', 'a location that adds a header keeps these'),
    directive('add_header X-Request-Id $accepted_request_id always', 'what a user can quote, and all logs have'),
    directive('proxy_hide_header X-Content-Type-Options', 'the same: it has no other value'),
    directive('add_header X-Content-Type-Options nosniff always', 'browsers go by Content-Type alone'),
    ...headers.map(({ name, value, reason }) =>
      block(
        `map ${upstreamHeader(name)} ${defaultHeader(name)}`,
        [directive(`"" ${quoteWithVariables(name, value)}`)],
        reason ?? "unless the API's answer has one",
      ),
    ),
    ...headers.map(({ name }) => directive(`add_header ${name} ${defaultHeader(name)} always`)),
    ...strictTransportSecurity(proxy),
  ];
}

function defaultHeaders({ contentSecurityPolicy, responseHeaders }: ProxyModel): Header[] {
  const headers = new Map<string, Header>();
  const set = (header: Header): unknown => headers.set(header.name.toLowerCase(), header);
  set({
    name: 'Content-Security-Policy',
    value: contentSecurityPolicy,
    reason: 'a browser that shows an answer loads nothing for it',
  });
  for (const [name, value, reason] of securityHeaders) set({ name, value, reason });
  for (const [name, value] of responseHeaders) set({ name, value });
  return [...headers.values()];
}

function strictTransportSecurity({ hstsMaxAge, hstsIncludeSubDomains }: ProxyModel): Node[] {
  if (hstsMaxAge === 0) return [];
  const value = `max-age=${hstsMaxAge}${hstsIncludeSubDomains ? '; includeSubDomains' : ''}`;
  return [
    directive('proxy_hide_header Strict-Transport-Security', 'sent once, by nginx'),
    block(
      'map $https $strict_transport_security',
      [directive(`on "${value}"`)],
      'browsers use HTTPS alone from now on; over plain HTTP they must ignore it',
    ),
    directive('add_header Strict-Transport-Security $strict_transport_security always'),
  ];
}

function upstreamHeader(name: string): string {
  return `$upstream_http_${variable(name)}`;
}

function defaultHeader(name: string): string {
  return `$default_${variable(name)}`;
}

function variable(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

const types = [
  'application/javascript',
  'application/json',
  'application/manifest+json',
  'application/problem+json',
  'application/xml',
  'image/svg+xml',
  'text/css',
  'text/csv',
  'text/plain',
  'text/xml',
];

/** text/html is always among the types, and text/event-stream must not be: it would wait in the compressor. */
export function compressionSection({ gzip }: ProxyModel): Node[] {
  if (!gzip) return [];
  return [
    heading('Compression'),
    directive('gzip on'),
    directive('gzip_min_length 1024', 'a smaller answer fits in one packet anyway'),
    directive('gzip_proxied any', 'also for clients behind a proxy of their own'),
    directive(`gzip_buffers ${buffers.gzipOutputs} ${buffers.gzipOutput}k`),
    directive(
      `gzip_window ${buffers.gzipWindow}k`,
      'a quarter of the memory of an answer that is not read, for some percent of its size',
    ),
    directive(`gzip_hash ${buffers.gzipWindow}k`),
    directive('gzip_vary on', 'caches keep both forms apart'),
    directive(`gzip_types ${types.join(' ')}`, 'text; images and archives are compressed already'),
  ];
}
