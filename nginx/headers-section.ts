import { buffers } from '../model/memory-costs';
import { HostModel } from '../model/proxy';
import { errorPageHeaders, pageHeaders, securityHeaders } from '../model/proxy-options';
import { RouteModel } from '../model/routes/route';
import { block, directive, Directive, heading, Node, quoteWithVariables } from './directive';
import { ForwardingModule, forwardingModule, isForwarded, Plan } from './plan';
import { corsAnswerHeaders, hiddenByCors } from './routes/cors-section';

/** What the security headers are for, where they have the value of the default. */
const reasons: Readonly<Record<string, string>> = {
  'Content-Security-Policy': 'a browser that shows data loads nothing for it; a page loads what is its own',
  'Referrer-Policy': 'paths of an API stay between client and API, which may know its own pages',
  'Cross-Origin-Resource-Policy': 'no other site embeds an answer; CORS is not touched by it',
};

interface Header {
  readonly name: string;
  readonly value: string;
  /** What pages have instead. */
  readonly ofPages?: string | undefined;
  readonly reason?: string | undefined;
}

/** Headers that every answer has, a backend's own winning. */
export function headersSection(plan: Plan): Node[] {
  const defaults = defaultHeaders(plan);
  return [
    heading('Headers of answers'),
    directive('server_tokens off', 'no version in the Server header and on error pages'),
    directive('proxy_hide_header X-Powered-By', 'nor what the API is made with'),
    directive('proxy_hide_header X-Request-Id', 'sent once, by nginx'),
    directive('add_header_inherit merge', 'a location that adds a header keeps these'),
    directive('add_header X-Request-Id $accepted_request_id always', 'what a user can quote, and all logs have'),
    directive('proxy_hide_header X-Content-Type-Options', 'the same: it has no other value'),
    directive('add_header X-Content-Type-Options nosniff always', 'browsers go by Content-Type alone'),
    ...(defaults.some(({ ofPages }) => ofPages !== undefined) ? kindsOfAnswers : []),
    ...defaults.flatMap(defaultMaps),
    ...defaults.map(({ name }) => directive(`add_header ${name} ${defaultHeader(name)} always`)),
    ...strictTransportSecurity(plan),
  ];
}

/** What is said of an answer by what it is. A 304 has no type, and a browser puts its headers over those of the page that it kept. */
const kindsOfAnswers: readonly Node[] = [
  block(
    'map $sent_http_content_type $kind_of_answer',
    [
      directive('default data'),
      directive('application/json data', 'found without the regular expression, as most answers are'),
      directive('"application/json; charset=utf-8" data'),
      directive('"" $kind_without_type'),
      directive('"~*^(?:text/html|application/xhtml\\+xml)\\s*(?:;|$)" page'),
    ],
    "data, or a page; nginx's own answers too",
  ),
  block(
    'map $status $kind_without_type',
    [directive('default data'), directive('304 unchanged')],
    'a 304 gets neither: a browser would put it over that of a page that it kept',
  ),
];

/** The value that an answer has which brings none. */
function defaultMaps({ name, value, ofPages, reason }: Header): Node[] {
  const unlessGiven = (written: string, why: string): Directive =>
    block(`map ${upstreamHeader(name)} ${defaultHeader(name)}`, [directive(`"" ${written}`)], why);
  const option = `defaultResponseHeaders[${JSON.stringify(name)}]`;
  if (ofPages === undefined) {
    return [unlessGiven(quoteWithVariables(option, value), reason ?? "unless the API's answer has one")];
  }
  const byKind = `$${variable(name)}_of_kind`;
  return [
    block(
      `map $kind_of_answer ${byKind}`,
      [
        directive(`data ${quoteWithVariables(option, value)}`),
        directive(`page ${quoteWithVariables(option, ofPages)}`),
      ],
      reason,
    ),
    unlessGiven(byKind, "unless the API's answer has one"),
  ];
}

/** All that stands in `headersSection`, for a location that has to leave one out; values as nginx writes them. */
function commonHeaders(plan: Plan): Header[] {
  return [
    { name: 'X-Request-Id', value: '$accepted_request_id' },
    { name: 'X-Content-Type-Options', value: 'nosniff' },
    ...defaultHeaders(plan).map(({ name }) => ({ name, value: defaultHeader(name) })),
    ...(sendsTransportSecurity(plan)
      ? [{ name: 'Strict-Transport-Security', value: '$strict_transport_security' }]
      : []),
  ];
}

/** In the server of a host: what is said of CORS, of routes that have it. */
export function corsHeadersOfHost(host: HostModel): Directive[] {
  return corsAnswerHeaders(host).map(([name, value], index) => ({
    ...added(name, value),
    ...(index === 0
      ? { reason: 'of routes that pages of other origins may ask, in errors too: what is empty is not sent' }
      : {}),
  }));
}

/** What of a backend's answer is not passed on, through one host. */
function hiddenHeaders({ hstsMaxAge }: Pick<HostModel, 'hstsMaxAge'>): string[] {
  const ofHost = hstsMaxAge > 0 ? ['Strict-Transport-Security'] : [];
  return ['X-Powered-By', 'X-Request-Id', 'X-Content-Type-Options', ...ofHost];
}

/** The same through all hosts, but those that say otherwise. */
export function hiddenFromAll(plan: Plan): string[] {
  return hiddenHeaders({ hstsMaxAge: Number(sendsTransportSecurity(plan)) });
}

/** In the server of a host that leaves Strict-Transport-Security to its backends, if others do not. */
export function hiddenByHost(plan: Plan, host: HostModel): Directive[] {
  if (!sendsTransportSecurity(plan) || host.hstsMaxAge > 0) return [];
  const modules = new Set<ForwardingModule>(['proxy', ...host.routes.map(forwardingModule)]);
  return [...modules].flatMap((module) =>
    hiddenHeaders(host).map((name, index) =>
      directive(
        `${module}_hide_header ${name}`,
        index === 0 ? 'Strict-Transport-Security is left to the backends of this host' : undefined,
      ),
    ),
  );
}

/** In every location of a route: its own headers, which take the place of the answer's and of the default ones. */
export function answerHeaders(plan: Plan, host: HostModel, route: RouteModel): Directive[] {
  const responseHeaders = [...headersOfPages(plan, route), ...route.responseHeaders];
  const ofApi = [...hiddenByCors(route), ...responseHeaders.map(([name]) => name)];
  const own = new Set(responseHeaders.map(([name]) => name.toLowerCase()));
  const hidden = hiddenHeaders(host).filter((name) => !own.has(name.toLowerCase()));
  return [
    ...(isForwarded(route) && ofApi.length > 0
      ? [...hidden, ...ofApi].map((name, index) =>
          directive(
            `${forwardingModule(route)}_hide_header ${name}`,
            index === 0 ? 'a list of its own holds all of them' : undefined,
          ),
        )
      : []),
    ...replacedHeaders(plan, host, responseHeaders),
  ];
}

/** In a location whose answers have these headers in place of common ones. */
function replacedHeaders(plan: Plan, host: HostModel, headers: RouteModel['responseHeaders']): Directive[] {
  if (headers.length === 0) return [];
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const isReplaced = ({ name }: { readonly name: string }): boolean => names.has(name.toLowerCase());
  const common = commonHeaders(plan);
  return [
    ...(common.some(isReplaced)
      ? [
          directive('add_header_inherit off', 'some of them are replaced here'),
          ...common.filter((header) => !isReplaced(header)).map(({ name, value }) => added(name, value)),
          ...corsAnswerHeaders(host).map(([name, value]) => added(name, value)),
        ]
      : []),
    ...headers.flatMap(([name, value]) => {
      if (value === false) return [];
      return [added(name, quoteWithVariables(`responseHeaders[${JSON.stringify(name)}]`, value))];
    }),
  ];
}

/** In a location whose answer is a page for an error. */
export function headersOfErrorPage(plan: Plan, host: HostModel): Directive[] {
  return replacedHeaders(plan, host, unlessGiven(plan, errorPageHeaders));
}

/** Of headers that take the place of a default, those whose default the proxy was given no other value of. */
function unlessGiven({ proxy }: Plan, headers: typeof pageHeaders): typeof pageHeaders {
  return headers.filter(([name]) => proxy.defaultResponseHeaders.some((header) => isDefault(header, name)));
}

/** What files have in place of a default for answers of an API, unless the proxy or the route was given another value. */
function headersOfPages(plan: Plan, { target, responseHeaders }: RouteModel): typeof pageHeaders {
  if (target.kind !== 'files') return [];
  const own = new Set(responseHeaders.map(([name]) => name.toLowerCase()));
  return unlessGiven(plan, pageHeaders).filter(([name]) => !own.has(name.toLowerCase()));
}

/** Whether a header is one of the default, with its value. */
function isDefault([name, value]: readonly [string, string], of = name): boolean {
  return name === of && securityHeaders.some((header) => header[0] === name && header[1] === value);
}

function added(name: string, value: string): Directive {
  return directive(`add_header ${name} ${value} always`);
}

function defaultHeaders({ proxy }: Plan): Header[] {
  return proxy.defaultResponseHeaders.map((header) => {
    const [name, value] = header;
    if (!isDefault(header)) return { name, value };
    const [, ofPages] = pageHeaders.find(([each]) => each === name) ?? [];
    return { name, value, ofPages, reason: reasons[name] };
  });
}

function sendsTransportSecurity({ hosts }: Plan): boolean {
  return hosts.some(({ host }) => host.hstsMaxAge > 0);
}

function strictTransportSecurity(plan: Plan): Node[] {
  if (!sendsTransportSecurity(plan)) return [];
  const hosts = plan.hosts.map(({ host }) => host);
  const values = new Set(hosts.map(transportSecurity));
  const [one] = values;
  return [
    directive('proxy_hide_header Strict-Transport-Security', 'sent once, by nginx'),
    values.size === 1
      ? block(
          'map $https $strict_transport_security',
          [directive(`on "${String(one)}"`)],
          'browsers use HTTPS alone from now on; over plain HTTP they must ignore it',
        )
      : block(
          'map "$https $server_name" $strict_transport_security',
          hosts
            .filter(({ hstsMaxAge }) => hstsMaxAge > 0)
            .map((host) => directive(`"on ${host.names[0]}" "${transportSecurity(host)}"`)),
          'browsers use HTTPS alone from now on, by host; over plain HTTP they must ignore it',
        ),
    directive('add_header Strict-Transport-Security $strict_transport_security always'),
  ];
}

function transportSecurity({ hstsMaxAge, hstsIncludeSubDomains }: HostModel): string {
  return `max-age=${hstsMaxAge}${hstsIncludeSubDomains ? '; includeSubDomains' : ''}`;
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

export const compressedTypes = [
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
export function compressionSection({ proxy }: Plan): Node[] {
  if (!proxy.gzip) return [];
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
    directive(`gzip_types ${compressedTypes.join(' ')}`, 'text; images and archives are compressed already'),
  ];
}
