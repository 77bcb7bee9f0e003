import { AuthModel } from '../../model/auth';
import { RouteModel } from '../../model/route';
import { block, directive, Directive, Node, quoteWithVariables } from '../directive';
import { NamedError } from '../error-answer';
import { PlaceModel } from '../place';
import { Plan } from '../plan';

/** In every location of a route, so that none leads around it: who may go on. Asked after all that comes before "access": `if`, `return`, limits of rates. */
export function authentication({ place }: Plan, { auth }: RouteModel): Node[] {
  if (auth === undefined) return [];
  const file = quoteWithVariables('auth', pathOf(place, auth));
  return [
    block(`if (!-f ${file})`, [directive('return 500')], 'without the file nobody can be told from anybody else'),
    directive(`auth_basic ${quoteWithVariables('realm', quotedText(auth.realm))}`),
    directive(`auth_basic_user_file ${file}`, 'looked at for each request: a changed one needs no reload'),
  ];
}

function pathOf({ authDirectory }: PlaceModel, { file }: AuthModel): string {
  return `${authDirectory}/${file.path}`;
}

/** As it stands between the quotation marks of a header. @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.4 */
function quotedText(text: string): string {
  return text.replaceAll(/[\\"]/g, '\\$&');
}

/** What the answer is to who may not go on, wherever routes ask who it is; names of locations may end with whose pages they are. */
export function notAuthenticated(routes: readonly RouteModel[], suffix = ''): Directive[] {
  return routes.some(isAuthenticated)
    ? [directive(`error_page 401 @unauthorized${suffix}`, 'with the WWW-Authenticate that says how')]
    : [];
}

export function authenticationErrors(routes: readonly RouteModel[]): NamedError[] {
  return routes.some(isAuthenticated) ? [['unauthorized', 401, 'Unauthorized']] : [];
}

export function isAuthenticated({ auth }: RouteModel): boolean {
  return auth !== undefined;
}
