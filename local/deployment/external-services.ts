import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rootCertificates } from 'node:tls';
import { type ExternalService, targetByUrl } from '../../charts/routes/external-service';
import type { NginxProxy } from '../../charts/proxy/nginx-proxy';
import { externalServiceModel } from '../../model/routes/external-service';
import type { ProxyModel } from '../../model/proxy';
import type { RouteModel, TargetModel } from '../../model/routes/route';
import { externalServicesOf } from '../../nginx/plan';
import type { ServiceUrl } from '../../validation/urls';
import type { Names } from '../dns-server';
import { existingFile } from './existing-paths';

/** Routes to external services, as they are where there is no cluster. */
export interface LocalExternalServices {
  readonly hosts: ProxyModel['hosts'];
  /** DNS names of services. */
  readonly names: readonly string[];
  /** The file of each private CA, by its name. */
  readonly authorities: Readonly<Record<string, string>>;
  /** Of each that is not reached here what it is, and what would be needed: a line. */
  readonly missing: readonly string[];
}

/** By what name nginx finds what listens on this machine's loopback interface. */
export interface ThisMachine {
  readonly host: string;
  /** Whether it asks DNS for it. */
  readonly isFollowed: boolean;
}

/** Leads each route to where its service is by its `local` option; one that is nowhere answers 503. */
export function externalServicesHere(
  proxy: NginxProxy,
  hosts: ProxyModel['hosts'],
  machine: ThisMachine,
): LocalExternalServices {
  const services = new Map(proxy.routes.map(({ model, external }) => [model.name, external]));
  const asked = new Map(proxy.routes.map(({ model, authService }) => [model.name, authService]));
  const authorities: Record<string, string> = {};
  const missing = new Set<string>();
  const here = (route: RouteModel): RouteModel => {
    const service = services.get(route.name);
    if (service === undefined) return route;
    const found = reachedHere(service, machine);
    if ('missing' in found) {
      missing.add(`${found.missing}: its routes answer 503 here; ${found.remedy}`);
      return { ...route, target: notHere(service) };
    }
    if (found.authority !== undefined) authorities[found.authority.name] = found.authority.file;
    return withTarget(route, found.target);
  };
  const askingHere = (route: RouteModel): RouteModel => {
    const service = asked.get(route.name);
    if (service === undefined || route.auth?.kind !== 'external') return route;
    const found = reachedHere(service, machine);
    if ('missing' in found) {
      missing.add(`${found.missing}: routes that ask it answer 500 here; ${found.remedy}`);
      return { ...route, auth: { ...route.auth, target: { kind: 'nowhere' } } };
    }
    if (found.authority !== undefined) authorities[found.authority.name] = found.authority.file;
    return { ...route, auth: { ...route.auth, target: found.target } };
  };
  const [first, ...others] = hosts.map((host) => ({ ...host, routes: host.routes.map(here).map(askingHere) }));
  if (first === undefined) throw new Error('no host');
  const all = [first, ...others] as const;
  const followed = externalServicesOf(all.flatMap(({ routes }) => routes)).filter(({ isFollowed }) => isFollowed);
  return { hosts: [...all], names: [...new Set(followed.map(({ host }) => host))], authorities, missing: [...missing] };
}

type External = TargetModel & { readonly kind: 'external' };

type Found =
  | { readonly target: External; readonly authority: { readonly name: string; readonly file: string } | undefined }
  | { readonly missing: string; readonly remedy: string };

function reachedHere({ name, source }: ExternalService, machine: ThisMachine): Found {
  const { local, keepAliveTimeout } = source;
  const url = local?.url ?? (source.kind === 'url' ? source.url : undefined);
  if (url === undefined) {
    return {
      missing: `${name} is a Service of the cluster`,
      remedy: 'give it local: { url: "http://localhost:3001" }',
    };
  }
  const file = local?.certificateAuthority;
  if (source.kind === 'url' && source.caSecret !== undefined && local?.url === undefined && file === undefined) {
    return {
      missing: `${name} has a CA that is in the Secret ${source.caSecret} of the cluster`,
      remedy: 'give it local: { certificateAuthority: "ca.crt" }',
    };
  }
  const authority =
    file === undefined
      ? undefined
      : { name: shortName(file), file: existingFile(`${name} local.certificateAuthority`, file) };
  const target = targetByUrl(url, {
    certificateAuthority: authority?.name,
    keepAliveTimeout,
    identifiesClients: source.kind === 'service' || source.identifiesClients,
  });
  if (!isThisMachine(url)) return { target, authority };
  return { target: { ...target, service: externalServiceModel({ ...target.service, ...machine }) }, authority };
}

/** By a name or an address that every machine has for itself. */
export function isThisMachine({ host }: ServiceUrl): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(host);
}

/** With the headers of that target in place of those that the route has of its own one. */
function withTarget(route: RouteModel, target: External): RouteModel {
  const before = route.target.kind === 'external' ? route.target.requestHeaders : [];
  const own = route.requestHeaders.filter((header) => !before.includes(header));
  const given = new Set(own.map(([name]) => name.toLowerCase()));
  const added = target.requestHeaders.filter(([name]) => !given.has(name.toLowerCase()));
  return { ...route, target, requestHeaders: [...added, ...own] };
}

function notHere({ name }: ExternalService): TargetModel {
  const body = JSON.stringify({ error: `${name} is not on this machine` });
  return { kind: 'response', status: 503, body, contentType: 'application/json' };
}

/** A directory for each file. */
function shortName(file: string): string {
  return createHash('sha256').update(resolve(file)).digest('hex').slice(0, 8);
}

/** Where systems keep the CAs that they trust. */
const systemFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** What this machine trusts, its company's own CAs too; what Node does where that is not found. */
function trustedHere(): string {
  const file = [process.env.SSL_CERT_FILE, ...systemFiles].find((path) => path !== undefined && existsSync(path));
  return file === undefined ? `${rootCertificates.join('\n')}\n` : readFileSync(file, 'utf8');
}

/** Writes private CAs into a directory, as nginx reads them. */
export function writeAuthorities(authorities: LocalExternalServices['authorities'], directory: string): void {
  for (const [name, file] of Object.entries(authorities)) {
    mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, name, 'ca.crt'), readFileSync(file));
  }
}

/** Writes what this machine trusts into a file, if a service or a collector is judged by that: an nginx in a container sees no other. */
export function writeSystemAuthorities({ hosts, tracing }: Pick<ProxyModel, 'hosts' | 'tracing'>, file: string): void {
  const services = externalServicesOf(hosts.flatMap(({ routes }) => routes));
  const isJudging = services.some(({ tls }) => tls !== undefined && tls.certificateAuthority === undefined);
  if (isJudging || tracing?.collector.isSecure === true) writeFileSync(file, trustedHere());
}

/** What this machine knows of the names of services; of its own, where nginx finds it. */
export function lookedUpHere({ names }: LocalExternalServices, machineAddress: () => string): Names {
  return Object.fromEntries(
    names.map((name) => [
      name,
      async () =>
        name === 'localhost'
          ? [machineAddress()]
          : (await lookup(name, { family: 4, all: true })).map(({ address }) => address),
    ]),
  );
}
