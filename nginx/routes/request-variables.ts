/** What nginx finds a part of a request by; it has header names with underscores for hyphens. */
export function requestVariable(
  part:
    | { readonly kind: 'clientAddress' | 'uri' | 'method' }
    | { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string },
): string {
  switch (part.kind) {
    case 'clientAddress':
      return '$binary_remote_addr';
    case 'uri':
      return '$request_uri';
    case 'method':
      return '$request_method';
    case 'header':
      return `$http_${part.name.toLowerCase().replaceAll('-', '_')}`;
    case 'cookie':
      return `$cookie_${part.name}`;
    case 'query':
      return `$arg_${part.name}`;
  }
}
