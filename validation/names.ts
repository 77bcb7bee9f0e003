import { InvalidOption } from './invalid-option';
import type { Reader } from './options';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const dnsName = new RegExp(`^${label}(?:\\.${label})*$`);
const dnsLabel = new RegExp(`^${label}$`);

/** A DNS host name in lower case, without a final dot. @see https://www.rfc-editor.org/rfc/rfc1123#section-2 */
export function hostName(option: string, value: unknown): string {
  // A last label of digits alone would be an IPv4 address to a client, which sends no SNI for it.
  if (typeof value !== 'string' || value.length > 253 || !dnsName.test(value) || /(?:^|\.)\d+$/.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not a DNS name: give letters, digits and hyphens in lower case, separated by dots, such as "api.example.com"',
    );
  }
  return value;
}

/** A Kubernetes object name that is also a DNS label. @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
export function dnsLabelName(option: string, value: unknown): string {
  if (typeof value !== 'string' || !dnsLabel.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not a DNS label: give at most 63 letters, digits and hyphens in lower case, such as "orders"',
    );
  }
  return value;
}

/** The name of most Kubernetes objects. @see https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names */
export function dnsSubdomainName(option: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > 253 || !dnsName.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not the name of a Kubernetes object: give letters, digits, hyphens and dots in lower case, such as "orders-tls"',
    );
  }
  return value;
}

/** The name of an entry in a Secret or a ConfigMap, which is that of a file. @see https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data */
export function objectKey(option: string, value: unknown): string {
  if (typeof value !== 'string' || !/^[\w.-]{1,253}$/.test(value) || /^\.\.?$|^\.\./.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not the name of an entry of a Secret or ConfigMap: give letters, digits, "-", "_" and ".", such as "auth"',
    );
  }
  return value;
}

/**
 * The key of a label or an annotation, or another name that may have a DNS name before it: `team`, `example.com/team`.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */
export function isQualifiedName(value: unknown): value is string {
  const [, prefix, name = ''] = /^(?:([^/]*)\/)?([^/]*)$/.exec(typeof value === 'string' ? value : '') ?? [];
  const prefixFits = prefix === undefined || (prefix.length <= 253 && dnsName.test(prefix));
  return prefixFits && /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(name);
}

/** The path of a request, as it stands in a request line: no query, no fragment, no control characters. */
export function urlPath(option: string, value: unknown): string {
  if (typeof value !== 'string' || !/^\/[\w\-.~!$&'()*+,;=:@%/]*$/.test(value) || /%(?![0-9A-Fa-f]{2})/.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not a URL path: start it with "/" and percent-encode what RFC 3986 does not allow in a path, such as "/healthcheck"',
    );
  }
  return value;
}

/** The name by which a gRPC server is asked how a service of it is; empty for the server. @see https://grpc.io/docs/guides/health-checking/ */
export function grpcServiceName(option: string, value: unknown): string {
  if (typeof value !== 'string' || !/^[\w.\-/]{0,253}$/.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not the name of a gRPC service: give it with its package, such as "shop.Orders", or "" for the server as a whole',
    );
  }
  return value;
}

/** One of a fixed set of words. */
export function oneOf<T extends string>(option: string, value: unknown, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found === undefined) {
    throw new InvalidOption(option, value, `is unknown: give one of ${words.join(', ')}`);
  }
  return found;
}

/** The same as the reader of an option. */
export function wordOf<const T extends string>(words: readonly T[]): Reader<T> {
  return (option, given) => oneOf(option, given, words);
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const registry = '(?:[A-Za-z0-9][A-Za-z0-9.-]*|\\[[0-9a-fA-F:]+\\])(?::\\d{1,5})?';
const reference = new RegExp(
  `^(?:${registry}/)?${component}(?:/${component})*(?::\\w[\\w.-]{0,127})?(?:@[A-Za-z][\\w+.-]*:[0-9a-fA-F]{32,})?$`,
);

/** The name of an image. @see https://github.com/distribution/reference/blob/main/reference.go */
export function imageReference(option: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > 512 || !reference.test(value)) {
    throw new InvalidOption(
      option,
      value,
      'is not the name of an image: give one, such as "ghcr.io/acme/orders:1.4.2"',
    );
  }
  return value;
}

/** nginx has a variable for a header of these letters. */
export function headerName(option: string, name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(name)) return name;
  throw new InvalidOption(
    option,
    name,
    'is not a header name that nginx has a variable for: give letters, digits and hyphens',
  );
}

/** nginx has a variable for a cookie or an argument of these letters. */
export function variableName(option: string, name: unknown): string {
  if (typeof name === 'string' && /^\w{1,64}$/.test(name)) return name;
  throw new InvalidOption(
    option,
    name,
    'is not a name that nginx has a variable for: give letters, digits and underscores',
  );
}
