import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RouteModel } from '../../model/routes/route';
import { directive, heading, Node } from '../directive';
import { Plan } from '../plan';
import { asksForCertificates } from './client-certificates-section';
import { hasSignIn } from './sign-in-section';

/** What nginx runs, to be put beside nginx.conf whenever `hasAuthVariables`. */
export const authVariablesScript = {
  name: 'auth-variables.mjs',
  text: readFileSync(join(__dirname, 'auth-variables.mjs'), 'utf8'),
} as const;

/** Whether who may use these routes goes by what nginx has no variable for. */
export function hasAuthVariables(routes: readonly RouteModel[]): boolean {
  return asksForCertificates(routes) || routes.some(hasSignIn);
}

/** Variables that njs gives, each when a request needs it. */
export function authVariablesSection({ routes }: Plan): Node[] {
  if (!hasAuthVariables(routes)) return [];
  return [
    heading('What nginx has no variables for'),
    directive(`js_import auth_variables from ${authVariablesScript.name}`),
    ...(asksForCertificates(routes)
      ? [
          directive(
            'js_set $certificate_is_valid auth_variables.certificateIsValid',
            'verified, and not expired since: a session is resumed, and a connection lasts, beyond that',
          ),
        ]
      : []),
    ...(routes.some(hasSignIn)
      ? [directive('js_set $encoded_request_uri auth_variables.encodedRequestUri', 'as an argument of another query')]
      : []),
  ];
}
