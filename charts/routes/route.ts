import { createHash } from 'node:crypto';
import { Construct } from 'constructs';
import type { AuthFile } from '../../model/auth/auth-file';
import { type ConditionModel, Match, type Path } from '../../model/routes/matching';
import type { RouteBackend, RouteModel, TargetModel } from '../../model/routes/route';
import { routeModel } from '../../model/routes/route-model';
import { inherited, type RouteOptions } from '../../model/routes/route-options';
import { directives } from '../../model/snippet';
import type { Timeline } from '../../model/timeline';
import { record } from '../../validation/collections';
import { InvalidOption, named } from '../../validation/invalid-option';
import type { Backend } from '../backend';
import type { ExternalService } from './external-service';
import type { NginxProxy } from '../proxy/nginx-proxy';
import type { StaticFiles } from './static-files';

/** What can answer the requests of a route. */
export interface IRouteTarget {
  /** Called once for each route: gives what nginx does with its requests, and lets the proxy connect. */
  bindRoute(route: Route): TargetModel;
}

/** A host of a proxy, whose routes inherit from it. */
export interface RouteHost extends Construct {
  readonly proxy: NginxProxy;
  readonly host: string;
  readonly routeDefaults: RouteOptions;
}

/** What becomes of the requests to one path of a host. */
export class Route extends Construct {
  readonly proxy: NginxProxy;
  /** Every timeout of its requests. */
  readonly timeline: Timeline;
  /** Whether it was given a requestTimeout, and does not have that of its backend. */
  readonly hasOwnRequestTimeout: boolean;
  /** What nginx.conf is made from; another one with a snippet. */
  model: RouteModel;
  /** What answers its requests, if it is not a backend. */
  external: ExternalService | undefined;
  /** What is asked who may use it, if it is not a backend. */
  authService: ExternalService | undefined;
  /** What nginx itself serves, if it is files. */
  files: StaticFiles | undefined;
  private readonly targets: RouteBackend[] = [];

  /** Made by `addRoute`. */
  constructor(
    host: RouteHost,
    readonly path: Path,
    target: IRouteTarget,
    /** What was given for it alone. */
    readonly options: RouteOptions = {},
  ) {
    const given = inherited(host.routeDefaults, optionsOf(host, options));
    const conditions = given.when instanceof Match ? given.when.conditions : [];
    const name = routeName(host, path, conditions);
    refuseTwice(host, path, conditions, name);
    super(host, constructId(name));
    this.proxy = host.proxy;
    this.hasOwnRequestTimeout = given.requestTimeout !== undefined;
    const { model, timeline } = named(`${host.node.path}, route ${routeText(path, conditions)}`, () => {
      const bound = bindTarget(this, target);
      return routeModel({
        ...{ name, path, target: bound, times: this.proxy.times },
        ...{ options: given, own: options, backends: this.targets },
        bindMirror: (mirror) => mirror.bindMirror(this),
        bindAuth: (asked) => asked.bindAuth(this),
      });
    });
    this.model = model;
    this.timeline = timeline;
    named(`${host.node.path}, route ${routeText(path, conditions)}`, () => {
      refuseOtherAuthority(host, this);
    });
  }

  /** Raw directives of nginx in every location of the route; see `addSnippet` of the proxy. */
  addSnippet(text: string): void {
    const checked = named(this.node.path, () => directives('snippet', text));
    this.model = { ...this.model, snippets: [...(this.model.snippets ?? []), checked] };
    this.proxy.changed();
  }

  /** Whether it waits for someone's answer: a redirect, say, does not. */
  get isForwarded(): boolean {
    return this.targets.length > 0 || this.external !== undefined;
  }

  /** Called by each backend that the target leads to. */
  connect(backend: Backend): void {
    this.targets.push({ name: backend.node.id, protocol: backend.settings.protocol, ...backend.timeline });
    this.proxy.connect(backend);
  }

  /** Called by the service that answers in the place of backends. */
  connectExternal(service: ExternalService): void {
    this.external = service;
  }

  /** Called by the files that the target is. */
  serve(files: StaticFiles): void {
    this.files = files;
  }
}

function optionsOf(host: RouteHost, options: unknown): RouteOptions {
  return named(host.node.path, () => record('options', options, '{ maxBodySize: "8m" }'));
}

function bindTarget(route: Route, target: unknown): TargetModel {
  const { bindRoute } = (target ?? {}) as Partial<IRouteTarget>;
  if (typeof bindRoute === 'function') return bindRoute.call(target, route);
  throw new InvalidOption(
    'target',
    typeof target === 'object' ? '(object)' : target,
    'cannot answer requests: give a Backend, TrafficSplit.weighted(…), ExternalService.fromUrl(…), StaticFiles.fromImage(…), Redirect.to(…) or FixedResponse.of(…)',
  );
}

/** A name in nginx.conf that follows from what the route is for: the order in which routes are added does not matter. */
function routeName(host: RouteHost, path: Path, given: readonly ConditionModel[]): string {
  const conditions = [...given].sort((a, b) => (conditionKey(a) < conditionKey(b) ? -1 : 1));
  const own = host === host.proxy ? '' : host.host;
  const words = path.path === '/' ? 'root' : path.path.slice(1).replaceAll('/', '_');
  const parts = [
    own === '' ? words : `${own.replaceAll('.', '_')}__${words}`,
    ...(path.kind === 'exact' ? ['exact'] : []),
    ...conditions.map((condition) => (condition.kind === 'method' ? condition.methods.join('-') : condition.name)),
  ];
  const name = parts
    .join('_')
    .replaceAll(/[^\w-]/g, '-')
    .toLowerCase();
  // Names that another route could have too are told apart by what they stand for.
  const isPlain = path.path === '/' || (/^\/[a-z0-9-]+(?:\/[a-z0-9-]+)*$/.test(path.path) && words !== 'root');
  if (isPlain && path.kind === 'prefix' && conditions.length === 0 && name.length <= 50) return name;
  const key = JSON.stringify([own, path.kind, path.path, ...conditions.map(conditionKey)]);
  return `${name.slice(0, 50)}_${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
}

/** The same for the same requests: the names of headers have no case. */
function conditionKey(condition: ConditionModel): string {
  if (condition.kind !== 'header') return JSON.stringify(condition);
  return JSON.stringify({ ...condition, name: condition.name.toLowerCase() });
}

function refuseTwice(host: RouteHost, path: Path, conditions: readonly ConditionModel[], name: string): void {
  if (host.node.tryFindChild(constructId(name)) === undefined) return;
  throw new InvalidOption(
    `${host.node.path}, path`,
    routeText(path, conditions),
    'has a route already: take one out, or tell them apart with `when`',
  );
}

/** nginx verifies what a client shows in the handshake, before it knows the path. */
function refuseOtherAuthority(host: RouteHost, route: Route): void {
  const own = authorityOf(route);
  const other = host.node.children
    .flatMap((child) => (child instanceof Route && child !== route ? [child] : []))
    .find((child) => own !== undefined && (authorityOf(child)?.path ?? own.path) !== own.path);
  if (own === undefined || other === undefined) return;
  throw new InvalidOption(
    'auth',
    `${own.name} ${own.key}`,
    `is another CA than ${authorityOf(other)?.name ?? ''} ${authorityOf(other)?.key ?? ''} of the route ${other.path.path}, and nginx verifies a certificate before it knows the path, so that a client of the one would be let in where the other is asked for: give the route a host of its own by addHost`,
  );
}

/** Where the CA is whose certificates a route asks for. */
function authorityOf({ model: { auth } }: Route): AuthFile | undefined {
  return auth?.kind === 'clientCertificate' ? auth.authority : undefined;
}

/** No host, and nothing else that a proxy makes, has such an id: a path may be `/tls`. */
function constructId(name: string): string {
  return `route ${name}`;
}

/** `/orders`, `= /orders with X-Canary`. */
function routeText(path: Path, conditions: readonly ConditionModel[]): string {
  const needs = conditions.map((condition) =>
    condition.kind === 'method' ? condition.methods.join('|') : condition.name,
  );
  return `${path.kind === 'exact' ? '= ' : ''}${path.path}${needs.length === 0 ? '' : ` with ${needs.join(', ')}`}`;
}
