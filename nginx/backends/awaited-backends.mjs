/* global ngx */

/**
 * Runs in nginx (njs, either engine): answers the startup probe of a new proxy, which is 503 until an instance of every backend was
 * reached. A path that moves to a new service is served by the older proxies, as it was, until that service is there. A backend
 * without instances keeps a proxy back for some time only: afterwards one that is reached is enough.
 *
 * Plain syntax: njs' own engine knows no destructuring, no spread, no `for … of` and no default parameters.
 * @see https://nginx.org/en/docs/njs/compatibility.html
 */

/** Of the dictionary, which has a key for each backend that was ever reached. */
const awaitedUntil = ' awaited until';
const isDoneWithout = ' is done without';

/** One that was reached before and answers now is enough: so many of these are asked, beside all others. */
const mostKnown = 4;

async function startup(request) {
  const names = namesOf(request);
  const known = names.filter((name) => ngx.shared.startup.has(name));
  const others = names.filter((name) => known.indexOf(name) < 0);
  const asked = others.concat(someOf(known));
  const answers = await Promise.all(asked.map((name) => isReached(request, name).catch(() => false)));
  const missing = others.filter((name, index) => !answers[index]);
  others.filter((name, index) => answers[index]).forEach((name) => remember(name, '1'));
  if (missing.length > 0 && awaits(request, missing)) {
    request.return(503, 'No instance is reached of: ' + missing.join(', ') + '\n');
  } else {
    request.return(answers.indexOf(true) < 0 ? 502 : 200);
  }
}

/** As many as are asked, from a place on that chance chooses. */
function someOf(names) {
  const from = Math.floor(Math.random() * names.length);
  return names.slice(from).concat(names.slice(0, from)).slice(0, mostKnown);
}

/** Asks without a body of the answer, for which there may be no room. */
async function isReached(request, name) {
  const answer = await request.subrequest('/.reach-' + name, { method: 'HEAD' });
  return (answer.status >= 200 && answer.status < 500) || answer.status === 501;
}

/** Whether it is new. What there is no room for keeps no proxy from starting. */
function remember(key, value) {
  try {
    return ngx.shared.startup.add(key, value);
  } catch (error) {
    ngx.log(ngx.WARN, 'startup: cannot remember ' + key + ': ' + error.message);
    return false;
  }
}

function namesOf(request) {
  const names = [];
  for (;;) {
    const name = request.variables['awaited_backend_' + (names.length + 1)];
    if (name === undefined) return names;
    names.push(name);
  }
}

/** Whether it is too early to start without them; the log says so once, and once when it no longer is. */
function awaits(request, missing) {
  const until = Date.now() + 1000 * Number(request.variables.backend_patience);
  if (remember(awaitedUntil, String(until))) {
    const end = new Date(until).toISOString();
    ngx.log(ngx.WARN, 'startup: waits until ' + end + ' at most for an instance of ' + listed(missing));
  }
  if (Number(ngx.shared.startup.get(awaitedUntil)) > Date.now()) return true;
  if (remember(isDoneWithout, '1')) {
    ngx.log(ngx.ERR, 'startup: this proxy starts all the same, without an instance of ' + listed(missing));
  }
  return false;
}

/** A line of the log has room for some. */
function listed(names) {
  const rest = names.length - 10;
  return names.slice(0, 10).join(', ') + (rest > 0 ? ', and ' + rest + ' more' : '');
}

export default { startup };
