/* global Buffer, crypto, ngx */
/* eslint no-unused-vars: ["error", { "caughtErrors": "none" }] -- njs' own engine has no "catch" without a name */

/**
 * Runs in nginx (njs, either engine): verifies the access tokens of requests (JWT, RFC 7519) by the public keys of who issues them. `verify`
 * answers a subrequest of `auth_request`, and says in variables of the request itself what it has found. `check` looks at the files of
 * key sets every few seconds; one that is broken changes nothing.
 *
 * Who issues which tokens is a set of rules, which goes by its name.
 *
 * Plain syntax: njs' own engine knows no destructuring, no spread, no `for … of` and no default parameters.
 * @see https://nginx.org/en/docs/njs/compatibility.html
 */
import cr from 'crypto';
import fs from 'fs';

/** By name what a key has to be, and how it is used: never `none`, and nothing with a shared secret. @see https://www.rfc-editor.org/rfc/rfc7518#section-3.1 */
const algorithms = {};
[256, 384, 512].forEach((bits) => {
  const hash = 'SHA-' + bits;
  const curve = bits === 512 ? 'P-521' : 'P-' + bits;
  algorithms['RS' + bits] = {
    kty: 'RSA',
    key: { name: 'RSASSA-PKCS1-v1_5', hash: hash },
    signature: { name: 'RSASSA-PKCS1-v1_5' },
  };
  algorithms['PS' + bits] = {
    kty: 'RSA',
    key: { name: 'RSA-PSS', hash: hash },
    signature: { name: 'RSA-PSS', saltLength: bits / 8 },
  };
  algorithms['ES' + bits] = {
    kty: 'EC',
    crv: curve,
    key: { name: 'ECDSA', namedCurve: curve },
    signature: { name: 'ECDSA', hash: hash },
  };
});

/** Bytes: more than the head of a request may have. */
const longestToken = 8192;
/** Of a file; and keys in it, as many as the other ones have. */
const longestFile = 256 * 1024;
const mostKeys = 32;
/** Bytes of a modulus: 2048 and 8192 bits. */
const leastModulus = 256;
const mostModulus = 1024;

/** Paths and texts come encoded, as nginx has no escape for `$`. */
function setting(session, name) {
  return decodeURIComponent(session.variables[name]);
}

function rulesOf(session, name) {
  return JSON.parse(setting(session, 'token_rules_of_' + name));
}

/** For `js_content` of a location that no client reaches; its path ends with the name of the rules. */
async function verify(request) {
  const name = request.uri.slice(request.uri.lastIndexOf('-') + 1);
  const rules = rulesOf(request, name);
  const given = /^Bearer +([^ ]+) *$/i.exec(request.headersIn.Authorization || '');
  if (given === null) {
    // Without a reason, as who has not asked in this way need not know it (RFC 6750, 3.1).
    challenge(request, rules, '', '');
    request.return(401);
    return;
  }
  const keys = keysOf(request, name, rules);
  if (keys === undefined) {
    request.return(503);
    return;
  }
  const found = await factsOf(given[1], name, rules, keys);
  if (found.problem !== undefined) {
    challenge(request, rules, found.error, found.problem);
    request.return(found.error === 'insufficient_scope' ? 403 : 401);
    return;
  }
  rules.claims.forEach((claim, index) => {
    request.variables[claim.variable] = found.headers[index];
  });
  request.variables.is_proved = name;
  request.return(204);
}

/** @see https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function challenge(request, rules, error, description) {
  const scope =
    error === 'insufficient_scope' && rules.scopes.length > 0 ? ', scope="' + rules.scopes.join(' ') + '"' : '';
  request.variables.token_challenge =
    'Bearer realm="' +
    rules.realm +
    '"' +
    (error === '' ? '' : ', error="' + error + '", error_description="' + description + '"') +
    scope;
}

/** What a token proves, from before if it is known; or what is wrong with it. */
async function factsOf(token, name, rules, keys) {
  const now = Date.now() / 1000;
  const key = cr
    .createHash('sha256')
    .update(name + ' ' + keys.generation + ' ' + token)
    .digest('base64url');
  const known = ngx.shared.verified_tokens.get(key);
  if (known !== undefined) {
    const facts = JSON.parse(known);
    return now < facts.until ? facts : invalid('the token has expired');
  }
  const verified = await verifiedClaims(token, rules, keys.all);
  if (verified.problem !== undefined) return verified;
  const facts = allowed(verified.claims, rules, now);
  if (facts.problem === undefined) remember(key, facts);
  return facts;
}

function remember(key, facts) {
  try {
    ngx.shared.verified_tokens.set(key, JSON.stringify(facts));
  } catch (error) {
    // What has no room is verified again.
  }
}

function invalid(problem) {
  return { error: 'invalid_token', problem: problem };
}

function insufficient(problem) {
  return { error: 'insufficient_scope', problem: problem };
}

/** What the issuer has signed; nothing of it is looked at before. */
async function verifiedClaims(token, rules, keys) {
  const parts = token.length > longestToken ? [] : token.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part)))
    return invalid('it is not a signed JWT');
  const header = objectIn(parts[0]);
  if (header === undefined) return invalid('it is not a signed JWT');
  // An extension that has to be understood (RFC 7515, 4.1.11).
  if (header.crit !== undefined) return invalid('the token has extensions');
  const isKnown = typeof header.alg === 'string' && rules.algorithms.indexOf(header.alg) >= 0;
  const algorithm = isKnown ? algorithms[header.alg] : undefined;
  if (algorithm === undefined) return invalid('the algorithm of its signature is not accepted');
  const suitable = keys.filter((key) => {
    return (
      key.kty === algorithm.kty &&
      key.crv === algorithm.crv &&
      (key.alg === undefined || key.alg === header.alg) &&
      (header.kid === undefined || key.kid === header.kid)
    );
  });
  // Who leaves the name of the key out does not have all of them tried.
  if (suitable.length !== 1) return invalid('the key of its signature is unknown');
  if (!(await isSigned(parts, algorithm, suitable[0]))) return invalid('its signature is wrong');
  const claims = objectIn(parts[1]);
  return claims === undefined ? invalid('it is not a signed JWT') : { claims: claims };
}

/** The JSON object that a part of a token is. */
function objectIn(part) {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch (error) {
    return undefined;
  }
}

async function isSigned(parts, algorithm, key) {
  // What the key is for was looked at: njs has names of its own for that.
  const bare = key.kty === 'RSA' ? { kty: 'RSA', n: key.n, e: key.e } : { kty: 'EC', crv: key.crv, x: key.x, y: key.y };
  try {
    const imported = await crypto.subtle.importKey('jwk', bare, algorithm.key, true, ['verify']);
    const signature = Buffer.from(parts[2], 'base64url');
    return await crypto.subtle.verify(algorithm.signature, imported, signature, Buffer.from(parts[0] + '.' + parts[1]));
  } catch (error) {
    return false;
  }
}

/** What becomes of the request, by claims that are true: values for its headers, and until when they may be believed. */
function allowed(claims, rules, now) {
  if (claims.iss !== rules.issuer) return invalid('another issuer has signed it');
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (!audiences.some((audience) => rules.audiences.indexOf(audience) >= 0))
    return invalid('it is for another audience');
  if (typeof claims.exp !== 'number' || !isFinite(claims.exp)) return invalid('it does not say when it expires');
  const until = claims.exp + rules.clockSkew;
  if (now >= until) return invalid('the token has expired');
  if (claims.nbf !== undefined && !(typeof claims.nbf === 'number' && now >= claims.nbf - rules.clockSkew)) {
    return invalid('it is not valid yet');
  }
  const scopes = wordsOf(claims.scope).concat(wordsOf(claims.scp));
  if (!rules.scopes.every((scope) => scopes.indexOf(scope) >= 0)) return insufficient('a scope is missing');
  const isThere = (required) => {
    const value = claims[required.claim];
    return (
      Object.prototype.hasOwnProperty.call(claims, required.claim) &&
      (Array.isArray(value) ? value : [value]).indexOf(required.value) >= 0
    );
  };
  if (!rules.requiredClaims.every(isThere)) return insufficient('a claim is missing');
  const headers = rules.claims.map((claim) => {
    return Object.prototype.hasOwnProperty.call(claims, claim.claim) ? headerOf(claims[claim.claim]) : '';
  });
  if (headers.some((header) => header === undefined)) return insufficient('a claim cannot be carried by a header');
  if (Buffer.from(headers.join('')).length > rules.longestClaims) return insufficient('its claims are too long');
  return { headers: headers, until: until };
}

/** Scopes are a list in one text (RFC 8693, 4.2), and with some issuers an array. */
function wordsOf(value) {
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value : [];
}

/** As a backend reads it back; undefined for what it would read otherwise. A list is joined, so that no member may have a comma. */
function headerOf(value) {
  if (value === null) return '';
  if (Array.isArray(value)) {
    const members = value.map((member) => (Array.isArray(member) ? undefined : headerOf(member)));
    if (members.some((member) => member === undefined || member === '' || member.indexOf(',') >= 0)) return undefined;
    return within(members.join(','));
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? within(value) : undefined;
}

function within(text) {
  const isOne = text.trim() === text;
  for (let index = 0; isOne && index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return undefined;
  }
  return isOne ? text : undefined;
}

/** Those of a set of rules, with what tells them from others; undefined if there never were any. */
function keysOf(session, name, rules) {
  if (rules.keys > 0) {
    const all = [];
    for (let index = 1; index <= rules.keys; index += 1)
      all.push(JSON.parse(setting(session, 'token_key_' + index + '_of_' + name)));
    return { all: all, generation: '' };
  }
  if (!ngx.shared.key_sets.has(name)) check(session);
  const text = ngx.shared.key_sets.get(name);
  return text === undefined ? undefined : JSON.parse(text);
}

/** Looks at the files: what of them is right is known to every worker then. */
function check(session) {
  session.variables.token_rules_with_files.split(' ').forEach((name) => {
    let problem;
    try {
      remembered(name, rulesOf(session, name).file);
    } catch (error) {
      problem = error.message;
    }
    logOnce(name, problem);
  });
}

function remembered(name, file) {
  const size = fs.statSync(file).size;
  if (size > longestFile) throw new Error('it is larger than ' + longestFile + ' bytes');
  const text = fs.readFileSync(file).toString();
  const all = JSON.parse(text).keys;
  if (!Array.isArray(all)) throw new Error('it is not a JWK Set');
  const keys = all.filter(isUsable).map(publicPart);
  if (keys.length === 0 || keys.length > mostKeys) throw new Error('it has ' + keys.length + ' keys that can be used');
  const generation = cr.createHash('sha256').update(JSON.stringify(keys)).digest('base64url');
  const before = ngx.shared.key_sets.get(name);
  if (before !== undefined && JSON.parse(before).generation === generation) return;
  ngx.shared.key_sets.set(name, JSON.stringify({ all: keys, generation: generation }));
  ngx.log(
    ngx.WARN,
    'key set of ' + name + ': ' + keys.length + (keys.length === 1 ? ' key is' : ' keys are') + ' used from now on',
  );
}

/** One that may be in the set for something else is left out. */
function isUsable(key) {
  if (typeof key !== 'object' || key === null) return false;
  if (key.use !== undefined && key.use !== 'sig') return false;
  if (Array.isArray(key.key_ops) && key.key_ops.indexOf('verify') < 0) return false;
  const members = key.kty === 'RSA' ? ['n', 'e'] : key.kty === 'EC' ? ['crv', 'x', 'y'] : [];
  if (members.length === 0 || !members.every((member) => /^[A-Za-z0-9_-]{1,2048}$/.test(key[member]))) return false;
  if (key.kty === 'EC') return ['P-256', 'P-384', 'P-521'].indexOf(key.crv) >= 0;
  const modulus = Buffer.from(key.n, 'base64url').length;
  return modulus >= leastModulus && modulus <= mostModulus;
}

function publicPart(key) {
  const part = {};
  ['kty', 'kid', 'alg', 'n', 'e', 'crv', 'x', 'y'].forEach((member) => {
    if (typeof key[member] === 'string') part[member] = key[member];
  });
  return part;
}

/** Once for each that is another than the one before. */
function logOnce(name, problem) {
  const key = 'problem ' + name;
  const before = ngx.shared.key_sets.get(key) || '';
  if (problem === undefined) {
    if (before === '') return;
    ngx.shared.key_sets.set(key, '');
    ngx.log(ngx.WARN, 'key set of ' + name + ': it is right again');
    return;
  }
  if (before === problem) return;
  ngx.shared.key_sets.set(key, problem);
  const instead = ngx.shared.key_sets.has(name)
    ? 'the last good keys are used'
    : 'there are no keys yet, and its routes answer 500';
  ngx.log(ngx.ERR, 'key set of ' + name + ': ' + problem + '; ' + instead);
}

export default { check, verify };
