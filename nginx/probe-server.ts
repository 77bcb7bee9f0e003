import { BackendModel } from '../model/proxy';
import { keySetLocation } from './auth/access-tokens-section';
import { awaitedBackends, awaitsBackends } from './backends/awaited-backends-section';
import { weightsLocation } from './backends/live-weights-section';
import { block, directive, Directive, heading, Node, quoteWithVariables } from './directive';
import { listen } from './listen';
import { backendsOf, Plan } from './plan';
import { staleAnswersLocation } from './routes/cache-section';
import {
  awaitHostCertificates,
  certificateLocations,
  refuseWithoutGoodCertificate,
} from './tls/last-good-certificate-section';
import { certificateDirectives } from './tls/tls-section';
import { spansLocation } from './tracing/tracing-section';

/**
 * What asks whether this proxy works. A port of its own, in no Service, since the kubelet sends no SNI: its handshake
 * with the certificate that clients get proves certificate and key, which `nginx -t` does not read.
 */
export function probeServer(plan: Plan): Node[] {
  const { place, backends } = plan;
  const isEachAsked = backends.length < 2 || awaitsBackends(place, backends);
  const groups = isEachAsked ? backends.map((backend) => [backend]) : groupsOf(backends);
  return [
    heading('Server: probes, on a port that no client reaches'),
    ...(isEachAsked ? awaitedBackends(plan) : chooseGroup(groups)),
    block('server', [
      ...listen(place, place.probePort, 'ssl'),
      ...certificateDirectives(),
      directive('access_log off'),
      ...(isEachAsked ? [] : [directive('recursive_error_pages on', 'from one backend to the next')]),
      block(
        'location = /healthz',
        [...refuseWithoutGoodCertificate(place), directive('return 200')],
        'ready and alive: the certificate can be served',
      ),
      block(
        'location = /startup',
        [...refuseWithoutGoodCertificate(place), ...awaitHostCertificates(plan), ...startup(plan, groups)],
        'started: DNS and the way to the API work, before an older proxy is let go',
      ),
      ...(awaitsBackends(place, backends) ? reach(plan) : []),
      ...(isEachAsked ? [] : groups.flatMap((group) => ladder(plan, group))),
      ...groups.flatMap((group) => calls(plan, group)),
      ...certificateLocations(plan),
      ...weightsLocation(plan),
      ...staleAnswersLocation(plan),
      ...keySetLocation(plan),
      ...spansLocation(plan),
      block('location /', [directive('return 404')]),
    ]),
  ];
}

/** Backends that one probe asks, one after the other: as many as it has time for. A probe that failed is followed by another. */
const mostAsked = 4;
/** In seconds, for all of them: within what the kubelet waits for the answer. */
const patience = 4;

function groupsOf(backends: readonly BackendModel[]): BackendModel[][] {
  const count = Math.ceil(backends.length / mostAsked);
  const length = Math.ceil(backends.length / count);
  return Array.from({ length: count }, (_, index) => backends.slice(index * length, (index + 1) * length));
}

/** Chance names the backends of a probe, where there are more than one has time for. */
function chooseGroup(groups: readonly (readonly BackendModel[])[]): Directive[] {
  if (groups.length < 2) return [];
  const share = Math.floor(10_000 / groups.length) / 100;
  return [
    block(
      'split_clients $request_id $asked_first',
      groups.map(([first], index) =>
        directive(`${index + 1 < groups.length ? `${share}%` : '*'} ${first === undefined ? '' : locationOf(first)}`),
      ),
      'a probe has no time to ask all of them',
    ),
  ];
}

function startup(plan: Plan, groups: readonly (readonly BackendModel[])[]): Directive[] {
  const [first, ...others] = plan.backends;
  if (first === undefined) return [directive('return 200')];
  if (others.length === 0) return question(plan, first);
  if (awaitsBackends(plan.place, plan.backends)) {
    return [
      directive(
        'js_content awaited_backends.startup',
        'every backend is there, too: what a new one takes over is served by older proxies until then',
      ),
    ];
  }
  const asked = groups.length === 1 ? locationOf(first) : '$asked_first';
  return [
    directive(`error_page 418 = ${asked}`, 'one backend is enough: another without pods keeps no proxy back'),
    directive('return 418'),
  ];
}

/** What the script asks, for each backend. */
function reach(plan: Plan): Directive[] {
  return plan.backends.map((backend) =>
    block(`location = /.reach-${backend.name}`, [
      directive('internal'),
      directive(`proxy_connect_timeout ${patience / 2}s`, 'all are asked at once: both are the time that a probe has'),
      directive(`proxy_read_timeout ${patience / 2}s`),
      directive('proxy_next_upstream_tries 1'),
      ...question(plan, backend),
    ]),
  );
}

/** Asks the backends of a group in turn, until one answers 2xx. */
function ladder(plan: Plan, group: readonly BackendModel[]): Directive[] {
  const time = Math.floor(patience / group.length);
  return group.map((backend, index) => {
    const next = group[index + 1];
    return block(`location ${locationOf(backend)}`, [
      directive(`proxy_connect_timeout ${time}s`, 'its part of the time that a probe has'),
      directive(`proxy_read_timeout ${time}s`),
      directive('proxy_next_upstream_tries 1'),
      ...(next === undefined
        ? []
        : [
            directive('proxy_intercept_errors on'),
            directive(`error_page ${failures.join(' ')} = ${locationOf(next)}`, 'all but 2xx: the next one is asked'),
          ]),
      ...question(plan, backend),
    ]);
  });
}

function question(plan: Plan, backend: BackendModel): Directive[] {
  const host = directive(`proxy_set_header Host ${hostOf(plan, backend)}`);
  if (backend.protocol === 'grpc') {
    return [
      directive(
        'proxy_method POST',
        'a probe asks with GET, which is no call of gRPC: nginx makes one of it, and asks itself',
      ),
      directive('proxy_pass_request_body off'),
      host,
      directive(`set $health_check_path ${callOf(backend)}`),
      directive(`proxy_pass https://${itself(plan)}$health_check_path`),
    ];
  }
  return [
    host,
    directive('proxy_set_header X-Request-Id $accepted_request_id'),
    directive(`set $health_check_path ${quoteWithVariables('healthCheckPath', backend.healthCheckPath)}`),
    directive(`proxy_pass http://${backend.name}$health_check_path`),
  ];
}

/** Locations that call those of some backends that speak gRPC. Whatever they say, they are reached; their pods' own probes judge what it is. */
function calls(plan: Plan, group: readonly BackendModel[]): Directive[] {
  const time = Math.floor(patience / group.length);
  return group
    .filter(({ protocol }) => protocol === 'grpc')
    .map((backend) =>
      block(`location = ${callOf(backend)}`, [
        directive(
          `rewrite ^ ${quoteWithVariables('healthCheckPath', backend.healthCheckPath)} break`,
          'a call without a message, which every server answers with a status',
        ),
        directive(`grpc_set_header Host ${hostOf(plan, backend)}`),
        directive('grpc_set_header X-Request-Id $accepted_request_id'),
        directive('grpc_set_header Content-Type application/grpc'),
        directive('grpc_set_header TE trailers'),
        directive(`grpc_connect_timeout ${time}s`),
        directive(`grpc_read_timeout ${time}s`),
        directive(`grpc_pass grpc://${backend.name}`),
      ]),
    );
}

function callOf({ name }: BackendModel): string {
  return `/.call-${name}`;
}

/** This server, as nginx reaches it. */
function itself({ place: { listenAddress, ipFamilies, probePort } }: Plan): string {
  return `${listenAddress ?? (ipFamilies.includes('IPv4') ? '127.0.0.1' : '[::1]')}:${probePort}`;
}

function locationOf({ name }: BackendModel): string {
  return `@startup_${name}`;
}

/** A host that the backend answers for. */
function hostOf({ proxy }: Plan, { name }: BackendModel): string {
  const host = proxy.hosts.find(({ routes }) => routes.some((route) => backendsOf(route).includes(name)));
  return (host ?? proxy.hosts[0]).names[0];
}

/** Every registered status that is not a success. @see https://www.iana.org/assignments/http-status-codes */
const failures = [
  ...range(300, 308),
  ...range(400, 418),
  ...range(421, 426),
  ...[428, 429, 431, 451],
  ...range(500, 508),
  ...[510, 511],
];

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
