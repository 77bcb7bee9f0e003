import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JwtAuthModel, longestClaims } from '../../model/auth/jwt';
import { TokenRules } from '../../model/budget-options';
import { RouteModel } from '../../model/routes/route';
import { InvalidOption } from '../../validation/invalid-option';
import { block, directive, Directive, heading, Node, quote } from '../directive';
import { provedVariable } from '../forwarding-section';
import { HostPlan, Plan } from '../plan';

/** What nginx runs, to be put beside nginx.conf whenever a route has `Auth.jwt`. */
export const accessTokensScript = {
  name: 'access-tokens.mjs',
  text: readFileSync(join(__dirname, 'access-tokens.mjs'), 'utf8'),
} as const;

/** In seconds: how often nginx looks at key sets. */
const keySetInterval = 5;

/** Bytes of shared memory: for the keys of each set of rules, twice while they are exchanged, and for tokens that were verified, some 2000 of them. */
const keySetZone = 128 * 1024;
const verifiedZone = 1024 * 1024;

/** Rules for tokens, with the routes that go by them. */
interface Rules {
  /** As variables and paths end with it: that of the first of its routes. */
  readonly name: string;
  readonly auth: JwtAuthModel;
}

/** What tokens of these routes take; nothing if there are none. */
export function tokenRules(routes: readonly RouteModel[]): TokenRules | undefined {
  const count = new Set(routes.flatMap(({ auth }) => (auth?.kind === 'jwt' ? [keyOf(auth)] : []))).size;
  return count === 0 ? undefined : { count, zone: verifiedZone + count * keySetZone };
}

/** Whether any route asks for tokens. */
export function hasTokens(routes: readonly RouteModel[]): boolean {
  return tokenRules(routes) !== undefined;
}

/** Who issues the tokens that routes ask for. */
export function accessTokensSection(plan: Plan): Node[] {
  const rules = rulesOf(plan);
  if (rules.length === 0) return [];
  const withFiles = rules.filter(({ auth }) => auth.keys.kind === 'file').map(({ name }) => name);
  return [
    heading('Access tokens (JWT): njs verifies them, once a request'),
    directive(`js_import access_tokens from ${accessTokensScript.name}`),
    directive(
      `js_shared_dict_zone zone=key_sets:${(rules.length * keySetZone) / 1024}k`,
      'the last good keys of each issuer, known to all workers',
    ),
    directive(
      `js_shared_dict_zone zone=verified_tokens:${verifiedZone / 1024}k timeout=5m evict`,
      'by their hashes: a signature is verified once, until the keys are others; the oldest make room',
    ),
    ...(withFiles.length === 0 ? [] : [directive(`js_var $token_rules_with_files ${together(withFiles)}`)]),
    ...rules.flatMap(({ name, auth }) => [
      directive(`js_var $token_rules_of_${name} ${encoded('Auth.jwt', rulesAsJson(plan, auth))}`),
      ...(auth.keys.kind === 'file' ? [] : auth.keys.keys).map((key, index) =>
        directive(`js_var $token_key_${index + 1}_of_${name} ${encoded('Jwks.fromText', key)}`),
      ),
    ]),
    directive('js_var $is_proved', 'the script sets these for the request'),
    directive('js_var $token_challenge'),
    ...[...new Set(rules.flatMap(({ auth }) => auth.claims.map(([header]) => claimVariable(header))))]
      .sort()
      .map((variable) => directive(`js_var ${variable}`)),
  ];
}

/** In the server of a host: what the routes of it ask. */
export function tokenLocations(plan: Plan, { host }: HostPlan): Directive[] {
  const names = new Set(host.routes.filter(({ auth }) => auth?.kind === 'jwt').map((route) => rulesNamed(plan, route)));
  return [...names].map((name) =>
    block(`location = ${locationOf(name)}`, [
      directive('internal', 'no client asks for it'),
      directive('client_max_body_size 0', 'it does not read the body'),
      block(`if ($is_proved = ${name})`, [directive('return 204')], 'by these rules, before another try'),
      directive('js_content access_tokens.verify'),
    ]),
  );
}

/** What a route asks before it goes on. */
export function tokenLocation(plan: Plan, route: RouteModel): string {
  return locationOf(rulesNamed(plan, route));
}

/** In the server of the probes: what looks at the files of key sets. */
export function keySetLocation(plan: Plan): Directive[] {
  if (!rulesOf(plan).some(({ auth }) => auth.keys.kind === 'file')) return [];
  return [
    block('location @key_sets', [
      directive(`js_periodic access_tokens.check interval=${keySetInterval}s`, 'in one worker; first at once'),
    ]),
  ];
}

/** No path of a route begins with a dot. */
function locationOf(name: string): string {
  return `/.tokens-${name}`;
}

function rulesNamed({ variableOf, first }: Plan, route: RouteModel): string {
  return variableOf(first.auth(route));
}

/** Each once. */
function rulesOf(plan: Plan): Rules[] {
  return plan.routes.flatMap((route) => {
    const { auth } = route;
    return auth?.kind === 'jwt' && plan.first.auth(route) === route ? [{ name: rulesNamed(plan, route), auth }] : [];
  });
}

function keyOf(auth: JwtAuthModel): string {
  return JSON.stringify(auth);
}

function claimVariable(header: string): string {
  return provedVariable(header, { proved: 'claim' });
}

/** Names as one parameter, which has to fit in the 4096 bytes that nginx reads at a time. */
function together(names: readonly string[]): string {
  const written = `"${names.join(' ')}"`;
  if (written.length < 4096) return written;
  throw new InvalidOption(
    'Auth.jwt',
    names.length,
    'is more sets of rules with keys of a file than nginx can read the names of: give routes the same rules, or shorter names',
  );
}

/** As the script reads them. */
function rulesAsJson({ place }: Plan, auth: JwtAuthModel): object {
  const { realm, issuer, audiences, algorithms, clockSkew, scopes, requiredClaims, claims, keys } = auth;
  return {
    ...{ realm: realm.replaceAll(/[\\"]/g, '\\$&'), issuer, audiences, algorithms, clockSkew, scopes },
    requiredClaims: requiredClaims.map(([claim, value]) => ({ claim, value })),
    claims: claims.map(([header, claim]) => ({ claim, variable: claimVariable(header).slice(1) })),
    longestClaims,
    ...(keys.kind === 'file'
      ? { keys: 0, file: `${place.authDirectory}/${keys.file.path}` }
      : { keys: keys.keys.length }),
  };
}

/** Without what nginx would read as its own; the script decodes it. */
function encoded(option: string, value: object): string {
  return quote(option, encodeURI(JSON.stringify(value)).replaceAll('$', '%24'));
}
