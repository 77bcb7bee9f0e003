import type { IncomingMessage } from 'node:http';

/** On the request itself, by a name that both know: metrics and tracing are built apart, each with what is here. */
const taken = Symbol.for('fairlead-serve.route');

/**
 * Says which route a request has taken, where that cannot be seen: in Fastify, Koa and `node:http`. undefined says nothing.
 *
 * @param route the path as the app has it, `/orders/:id`, and never as the client wrote it
 *
 * @example
 * app.addHook('onRequest', async ({ raw, routeOptions }) => setRoute(raw, routeOptions.url)); // Fastify
 */
export function setRoute(request: IncomingMessage, route: string | RegExp | undefined): void {
  if (route === undefined) return;
  Object.defineProperty(request, taken, { value: String(route), configurable: true });
}

/** The route that a request has taken; undefined as long as nobody has said. */
export function routeOf(request: IncomingMessage): string | undefined {
  return (request as { readonly [taken]?: string })[taken];
}

type Params = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Follows a request through Express, whose routers set `baseUrl` where they are mounted and `route` when one matches. It is
 * looked at then, as `baseUrl` is that of the app again when an error is handled.
 */
export function followExpress(request: IncomingMessage & { readonly params?: Params }): void {
  let baseUrl: unknown;
  let route: unknown;
  /** Paths that routers are mounted at, as the app has them, by what the client wrote. */
  const mounts = new Map<string, string>();
  const mountOf = (url: unknown): string => (typeof url === 'string' ? (mounts.get(url) ?? '') : '');
  const shared = { configurable: true, enumerable: true };
  Object.defineProperties(request, {
    baseUrl: {
      ...shared,
      get: () => baseUrl,
      set: (given: unknown) => {
        const outer = typeof baseUrl === 'string' ? baseUrl : '';
        if (typeof given === 'string' && given.length > outer.length && given.startsWith(outer)) {
          const mount = mountOf(outer);
          mounts.set(given, mount + mountedAt(given.slice(outer.length), request.params ?? {}, mount));
        }
        baseUrl = given;
      },
    },
    route: {
      ...shared,
      get: () => route,
      set: (given: unknown) => {
        route = given;
        const [path, mount] = [pathOf(given), mountOf(baseUrl)];
        if (path !== undefined) setRoute(request, path === '/' && mount !== '' ? mount : mount + path);
      },
    },
  });
}

/** Of a route of Express: text, an expression, or several of them. */
function pathOf(route: unknown): string | undefined {
  if (typeof route !== 'object' || route === null || !('path' in route)) return undefined;
  return (Array.isArray(route.path) ? route.path : [route.path]).join(',');
}

/**
 * A path that a router is mounted at, with names of parameters in the place of what a client wrote there. Of a router that is
 * mounted by an expression without parameters it is the text that was found. Express takes letters of either case.
 */
function mountedAt(path: string, params: Params, outer: string): string {
  let pattern = `${decoded(path).toLowerCase()}/`;
  let end = pattern.length;
  // From behind, where parameters are: what a client wrote may be called as what stands before it.
  for (const [name, value] of Object.entries(params).reverse()) {
    if (value === undefined) continue;
    const text = (typeof value === 'string' ? value : value.join('/')).toLowerCase();
    const at = pattern.slice(0, end).lastIndexOf(`/${text}/`);
    if (at !== -1) {
      pattern = `${pattern.slice(0, at)}/:${name}${pattern.slice(at + 1 + text.length)}`;
      end = at + 1;
    } else if (!outer.includes(`/:${name}`)) {
      // A part of what is between two slashes: where it ends is not known, so that nothing of what the client wrote is left.
      return `/:${name}`;
    }
  }
  return pattern.slice(0, -1);
}

/** As Express decodes parameters. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
