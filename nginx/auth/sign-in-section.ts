import { SignInModel } from '../../model/auth/external';
import { RouteModel } from '../../model/routes/route';
import { block, directive, Directive, heading, Node, quote, quoteWithVariables } from '../directive';
import { authority, PlaceModel } from '../place';
import { Plan } from '../plan';

/** Whether browsers that a route does not know are led to where people sign in. */
export function hasSignIn({ auth }: RouteModel): boolean {
  return auth?.kind === 'external' && auth.signIn !== undefined;
}

/** Gives `$sign_in_address`, where a page was asked for on a route that has one. */
export function signInSection({ place, routes }: Plan): Node[] {
  const pages = routes.flatMap(({ name, auth }) =>
    auth?.kind === 'external' && auth.signIn !== undefined ? [{ name, signIn: auth.signIn }] : [],
  );
  if (pages.length === 0) return [];
  return [
    heading('Where people sign in: browsers are led there, programs are told 401'),
    block(
      'map "$request_method $http_accept" $is_visit',
      [
        directive('default 0'),
        directive(
          `${quote('accept', '~*^(?:GET|HEAD) (?:.*[\\s,])?text/html(?!\\s*;\\s*q=0(?:\\.0*)?\\s*(?:,|$))(?:[\\s;,]|$)')} 1`,
        ),
      ],
      'what a script asks for has no page to show',
    ),
    block(
      'map "$route $is_visit" $sign_in_address',
      pages.map(({ name, signIn }) => directive(`"~^${name} 1$" ${address(place, signIn)}`)),
      'named by the deployment; what a client wrote is but an argument of it, encoded',
    ),
  ];
}

/** In the location that answers 401. */
export function leadToSignIn(routes: readonly RouteModel[]): Directive[] {
  if (!routes.some(hasSignIn)) return [];
  return [block('if ($sign_in_address)', [directive('return 302 $sign_in_address')], 'a browser')];
}

/** With the address that was asked for, of a host of ours. */
function address(place: PlaceModel, { url, returnTo }: SignInModel): string {
  const own = authority(place);
  const page = url.startsWith('/') ? `https://${own}` : '';
  const start = quoteWithVariables('signIn', `${url}${url.includes('?') ? '&' : '?'}${returnTo}=`).slice(1, -1);
  return `"${page}${start}https%3A%2F%2F${own.replace(':', '%3A')}$encoded_request_uri"`;
}
