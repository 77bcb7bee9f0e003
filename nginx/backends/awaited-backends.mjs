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

async function startup(request) {
  const names = namesOf(request);
  // Without a body, for which there may be no room.
  const answers = await Promise.all(names.map((name) => request.subrequest('/.reach-' + name, { method: 'HEAD' })));
  const reached = names.filter((name, index) => answers[index].status < 500 || answers[index].status === 501);
  reached.forEach((name) => ngx.shared.startup.set(name, '1'));
  const missing = names.filter((name) => !ngx.shared.startup.has(name));
  if (missing.length > 0 && awaits(request, missing)) {
    request.return(503, 'No instance is reached of: ' + missing.join(', ') + '\n');
  } else {
    request.return(reached.length > 0 ? 200 : 502);
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
  const known = ngx.shared.startup;
  const until = Date.now() + 1000 * Number(request.variables.backend_patience);
  if (known.add(awaitedUntil, String(until))) {
    const end = new Date(until).toISOString();
    ngx.log(ngx.WARN, 'startup: waits for an instance of ' + missing.join(', ') + ', until ' + end + ' at most');
  }
  if (Number(known.get(awaitedUntil)) > Date.now()) return true;
  if (known.add(isDoneWithout, '1')) {
    ngx.log(ngx.ERR, 'startup: no instance is reached of ' + missing.join(', ') + ': this proxy starts all the same');
  }
  return false;
}

export default { startup };
