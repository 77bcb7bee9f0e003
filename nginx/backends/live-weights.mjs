/* global ngx */

/**
 * Runs in nginx (njs, either engine): chooses the backend of a request where several share a route, by weights that are read from a
 * file every few seconds. A file that is broken, or names other backends, changes nothing.
 *
 * Plain syntax: njs' own engine knows no destructuring, no spread, no `for … of` and no default parameters.
 * @see https://nginx.org/en/docs/njs/compatibility.html
 */
import fs from 'fs';

/** Parts of a percent: a client is in one of so many. */
const parts = 10000;

/** For `set $backend`; the location has said `$route` and `$split_key`. */
function backend(request) {
  const route = request.variables.route;
  const names = backendsOf(request, route);
  if (ngx.shared.weights.get(route) === undefined) check(request);
  const known = ngx.shared.weights.get(route);
  // It never was right: everything goes to the first.
  if (known === undefined) return names[0];
  const weights = known.split(' ').map(Number);
  const position = hash(request.variables.split_key) % parts;
  let end = 0;
  for (let index = 0; index < names.length; index += 1) {
    end += (weights[index] * parts) / 100;
    if (position < end) return names[index];
  }
  return names[0];
}

/** Those that share a route; undefined if it is not shared. */
function backendsOf(session, route) {
  const names = session.variables['backends_of_' + route.replace(/-/g, '_dash_')];
  return names === undefined ? undefined : names.split(' ');
}

/** The greatest weight that each carries; undefined if each carries all. */
function mostWeightsOf(session, route) {
  const weights = session.variables['most_weights_of_' + route.replace(/-/g, '_dash_')];
  return weights === undefined ? undefined : weights.split(' ').map(Number);
}

/** Looks at the file: what of it is right is known to every worker then. */
function check(session) {
  let problem;
  try {
    const given = JSON.parse(fs.readFileSync(decodeURIComponent(session.variables.weights_file)).toString());
    Object.keys(given).forEach((route) => {
      const names = backendsOf(session, route);
      const wrong = problemOf(given[route], names, mostWeightsOf(session, route));
      if (wrong === undefined) remember(route, names, given[route]);
      else problem = problem || route + ' ' + wrong;
    });
  } catch (error) {
    problem = 'cannot be read: ' + error.message;
  }
  logOnce(problem);
}

function remember(route, names, weights) {
  const text = names.map((name) => weights[name]).join(' ');
  if (ngx.shared.weights.get(route) === text) return;
  ngx.shared.weights.set(route, text);
  ngx.log(ngx.WARN, 'weights: ' + route + ' has ' + names.map((name) => name + ' ' + weights[name]).join(', '));
}

function problemOf(weights, names, most) {
  if (names === undefined) return 'is not a route that backends share';
  if (typeof weights !== 'object' || weights === null) return 'has no weights';
  const given = Object.keys(weights).sort().join(', ');
  if (given !== names.slice().sort().join(', '))
    return 'names ' + (given || 'no backend') + ', and has ' + names.join(', ');
  const values = names.map((name) => weights[name]);
  if (!values.every((value) => Number.isInteger(value) && value >= 0 && value <= 100)) {
    return 'has a weight that is not a whole number from 0 to 100';
  }
  const sum = values.reduce((all, value) => all + value, 0);
  if (sum !== 100) return 'has weights that add up to ' + sum + ', not 100';
  const beyond = most === undefined ? -1 : values.findIndex((value, index) => value > most[index]);
  if (beyond < 0) return undefined;
  return 'gives ' + names[beyond] + ' ' + values[beyond] + ', and its pods carry ' + most[beyond];
}

/** Once for each that is another than the one before. */
function logOnce(problem) {
  const before = ngx.shared.weights.get(' problem') || '';
  if (problem === undefined) {
    if (before === '') return;
    ngx.shared.weights.set(' problem', '');
    ngx.log(ngx.WARN, 'weights: the file is right again');
    return;
  }
  if (before === problem) return;
  ngx.shared.weights.set(' problem', problem);
  ngx.log(ngx.ERR, 'weights: ' + problem + '; the weights from before are kept');
}

/** FNV-1a with a last mix, so that keys that differ in one letter are far apart. @see http://www.isthe.com/chongo/tech/comp/fnv/ */
function hash(text) {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = multiply(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = multiply(value ^ (value >>> 16), 0x85ebca6b);
  value = multiply(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** Of 32 bits. */
function multiply(a, b) {
  const high = (a >>> 16) & 0xffff;
  const low = a & 0xffff;
  return (low * b + (((high * b) << 16) >>> 0)) | 0;
}

export default { backend, check };
