import { AuthModel } from '../../model/auth/auth';
import { AuthFile } from '../../model/auth/auth-file';
import { RouteModel } from '../../model/routes/route';
import { askingLocation } from '../auth/asking-section';
import { hasTokens, tokenLocation } from '../auth/access-tokens-section';
import { leadToSignIn } from '../auth/sign-in-section';
import { block, directive, Directive, Node, quoteWithVariables } from '../directive';
import { NamedError } from '../error-answer';
import { provedVariable } from '../forwarding-section';
import { PlaceModel } from '../place';
import { Plan } from '../plan';

/**
 * In every location of a route, so that none leads around it: who may go on. nginx asks after `if`, `return` and limits of rates: what a
 * browser asks first (a CORS preflight) is led away by one of those.
 */
export function authentication(plan: Plan, route: RouteModel): Node[] {
  const { auth } = route;
  switch (auth?.kind) {
    case undefined:
    case 'clientCertificate':
      // Which is a condition, and comes after that for preflights.
      return [];
    case 'basic':
      return password(plan, auth);
    case 'jwt':
      return [directive(`auth_request ${tokenLocation(plan, route)}`, 'a token, verified once a request')];
    case 'external':
      return [directive(`auth_request ${askingLocation(plan, route)}`, 'a service, asked once a request')];
  }
}

/** In the location of a route's first try, as another one asks nobody: what the answer says, for it and for all further ones. */
export function whatWasProved(plan: Plan, route: RouteModel): Directive[] {
  const { auth } = route;
  if (auth?.kind !== 'external') return [];
  return [
    directive(`auth_request_set $asked_status "${askingLocation(plan, route)} $upstream_status"`),
    ...auth.responseHeaders.map((header) =>
      directive(
        `auth_request_set ${provedVariable(header, { proved: 'answer' })} $upstream_http_${header.toLowerCase().replaceAll('-', '_')}`,
      ),
    ),
  ];
}

function password({ place }: Plan, auth: AuthModel & { readonly kind: 'basic' }): Node[] {
  const file = quoteWithVariables('auth', pathOf(place, auth));
  return [
    block(`if (!-f ${file})`, [directive('return 500')], 'without the file nobody can be told from anybody else'),
    directive(`auth_basic ${quoteWithVariables('realm', quotedText(auth.realm))}`),
    directive(`auth_basic_user_file ${file}`, 'looked at for each request: a changed one needs no reload'),
  ];
}

function pathOf({ authDirectory }: PlaceModel, { file }: { readonly file: AuthFile }): string {
  return `${authDirectory}/${file.path}`;
}

/** As it stands between the quotation marks of a header. @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.4 */
function quotedText(text: string): string {
  return text.replaceAll(/[\\"]/g, '\\$&');
}

/** What the answer is to who may not go on, wherever routes ask who it is; names of locations may end with whose pages they are. */
export function notAuthenticated(routes: readonly RouteModel[], suffix = ''): Directive[] {
  return [
    ...(routes.some(asksForCredentials)
      ? [directive(`error_page 401 @unauthorized${suffix}`, 'with the WWW-Authenticate that says how')]
      : []),
    ...(hasTokens(routes)
      ? [directive(`error_page 403 @forbidden${suffix}`, 'the same, of what a token does not allow')]
      : []),
  ];
}

export function authenticationErrors(routes: readonly RouteModel[]): NamedError[] {
  const challenge = hasTokens(routes) ? [directive('add_header WWW-Authenticate $token_challenge always')] : [];
  const errors: NamedError[] = routes.some(asksForCredentials)
    ? [['unauthorized', 401, 'Unauthorized', [...challenge, ...leadToSignIn(routes)]]]
    : [];
  return hasTokens(routes) ? [...errors, ['forbidden', 403, 'Forbidden', challenge]] : errors;
}

/** Whether a request brings what proves who it is, and may be sent again with it. */
function asksForCredentials({ auth }: RouteModel): boolean {
  return auth !== undefined && auth.kind !== 'clientCertificate';
}

export function isAuthenticated({ auth }: RouteModel): boolean {
  return auth !== undefined;
}
