import { Failure } from '../../cluster/command-line';

/** Where an image is. */
interface Place {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** As it was written, without tag and digest. */
  readonly name: string;
}

/** In milliseconds, for each answer. */
const patience = 30_000;

/** An image may be one for each architecture, which an index leads to, or a single one. */
const manifests = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * An image with the digest that its tag has now: `nginx:1.30@sha256:…`. HEAD is no pull to Docker Hub.
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#checking-if-content-exists-in-the-registry
 */
export async function withCurrentDigest(image: string, signal: AbortSignal): Promise<string> {
  const place = placeOf(image);
  const url = new URL(`/v2/${place.repository}/manifests/${place.tag}`, originOf(place.registry));
  let response = await ask(url, { method: 'HEAD', headers: { Accept: manifests } }, signal);
  const challenge = response.headers.get('www-authenticate');
  if (response.status === 401 && challenge !== null) {
    const token = await anonymousToken(challenge, place.repository, signal);
    if (token !== undefined) {
      const headers = { Accept: manifests, Authorization: `Bearer ${token}` };
      response = await ask(url, { method: 'HEAD', headers }, signal);
    }
  }
  if (!response.ok) throw new Failure(whyNot(image, url.host, response.status));
  const digest = response.headers.get('docker-content-digest') ?? '';
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Failure(`${url.host} says no digest of it`);
  return `${place.name}:${place.tag}@${digest}`;
}

/** As Docker reads a name: what has no registry is on Docker Hub, and what has one word there is of its library. */
function placeOf(image: string): Place {
  const [tagged = '', digest] = image.split('@');
  const [, name = tagged, given] = /^(.+):([^:/]+)$/.exec(tagged) ?? [];
  if (given === undefined && digest !== undefined) {
    throw new Failure('has a digest and no tag, by which another would be found: write both');
  }
  const tag = given ?? 'latest';
  const [first = '', ...rest] = name.split('/');
  const isNamed = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const registry = isNamed && !/^(?:index\.)?docker\.io$/.test(first) ? first : 'docker.io';
  const path = isNamed ? rest.join('/') : name;
  const isOfLibrary = registry === 'docker.io' && !path.includes('/');
  return { registry, repository: isOfLibrary ? `library/${path}` : path, tag, name };
}

/** Without TLS on this machine, as Docker does it too. */
function originOf(registry: string): string {
  if (/^(?:localhost|127\.[\d.]+|\[::1\])(?::\d+)?$/.test(registry)) return `http://${registry}`;
  return registry === 'docker.io' ? 'https://registry-1.docker.io' : `https://${registry}`;
}

/**
 * What anybody is given who asks; undefined if this registry gives nobody any.
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
async function anonymousToken(challenge: string, repository: string, signal: AbortSignal): Promise<string | undefined> {
  const pairs = [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value] as const);
  const { realm, service, scope } = Object.fromEntries(pairs);
  if (!challenge.startsWith('Bearer ') || realm === undefined || !URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  url.searchParams.set('scope', scope ?? `repository:${repository}:pull`);
  if (service !== undefined) url.searchParams.set('service', service);
  const response = await ask(url, {}, signal);
  if (!response.ok) return undefined;
  const { token, access_token: other } = (await response.json()) as {
    readonly token?: string;
    readonly access_token?: string;
  };
  return token ?? other;
}

async function ask(url: URL, request: RequestInit, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { ...request, signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
  } catch (error) {
    signal.throwIfAborted();
    const { cause, message } = error as Error & { readonly cause?: { readonly code?: string } };
    throw new Failure(`${url.host} does not answer (${cause?.code ?? message}): try again when it can be reached`);
  }
}

function whyNot(image: string, host: string, status: number): string {
  if (![401, 403, 404].includes(status)) return `${host} answers HTTP ${status}: try again later`;
  return `${host} does not show it without a login, or has none (HTTP ${status}): docker buildx imagetools inspect ${image} says its digest`;
}
