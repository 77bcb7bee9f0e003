/* global Buffer, crypto, ngx, setTimeout */

/**
 * Runs in nginx (njs, either engine): keeps the last good certificate and key of the proxy, and of each host that has a certificate
 * of its own. `check` looks at the Secrets every few seconds. A pair that is new is copied into the store and proved by a handshake
 * with nginx itself, so that OpenSSL is the judge; only then is it served. One that is broken changes nothing for clients.
 *
 * A certificate goes by its name: that of the proxy is ''.
 *
 * Plain syntax: njs' own engine knows no destructuring, no spread, no `for … of` and no default parameters.
 * @see https://nginx.org/en/docs/njs/compatibility.html
 */
import fs from 'fs';

/** Of the dictionary that all workers share. */
function key(what, name) {
  return name === '' ? what : what + ' ' + name;
}

/** What is served, and what was refused; nginx keeps it in a file of the store, for the next start of the container. */
function readState(name) {
  const text = ngx.shared.certificate.get(key('state', name));
  return text === undefined ? { served: null, previous: null, refused: null, expiryLogged: false } : JSON.parse(text);
}

function writeState(name, state) {
  ngx.shared.certificate.set(key('state', name), JSON.stringify(state));
}

/** Paths come encoded, as nginx has no escape for `$`. */
function setting(session, name) {
  return decodeURIComponent(session.variables[name]);
}

/** Certificates of hosts. */
function hostNames(session) {
  const names = [];
  for (;;) {
    const name = session.variables['host_certificate_' + (names.length + 1)];
    if (name === undefined) return names;
    names.push(name);
  }
}

function secretOf(session, name) {
  return name === '' ? setting(session, 'certificate_secret') : setting(session, 'host_certificates') + '/' + name;
}

function storeOf(session, name) {
  const store = setting(session, 'certificate_store');
  return name === '' ? store : store + '/hosts/' + name;
}

/** How a line of the log begins. */
function subject(name) {
  return name === '' ? 'certificate: ' : 'certificate of ' + name + ': ';
}

/** For `ssl_certificate`: the good pair; before there is one, the Secret itself. */
function directory(request) {
  return ngx.shared.certificate.get('directory') || setting(request, 'certificate_secret');
}

/** The same of a host, of which nothing else than a good pair is shown: other hosts may be served meanwhile. */
function directoryOfHost(request) {
  const name = request.variables.certificate;
  return ngx.shared.certificate.get(key('directory', name)) || storeOf(request, name) + '/none';
}

function candidateDirectory() {
  return ngx.shared.certificate.get('candidate') || '';
}

function isGood() {
  return ngx.shared.certificate.has('directory') ? '1' : '';
}

/** Whether a new proxy is not to be started yet, as a host has no good pair. */
function isAwaited(session) {
  return hostNames(session).some((name) => {
    return !ngx.shared.certificate.has(key('directory', name)) && !readState(name).isDoneWithout;
  })
    ? '1'
    : '';
}

function report(request) {
  const whole = shown(readState(''));
  const names = hostNames(request);
  if (names.length > 0) whole.hosts = {};
  names.forEach((name) => {
    whole.hosts[name] = shown(readState(name));
  });
  whole.checked = ngx.shared.certificate.get('checked') || null;
  request.headersOut['Content-Type'] = 'application/json';
  request.return(200, JSON.stringify(whole) + '\n');
}

function shown(state) {
  return { served: state.served, refused: state.refused };
}

async function check(session) {
  const names = [''].concat(hostNames(session));
  for (let index = 0; index < names.length; index += 1) {
    try {
      await compare(session, names[index]);
    } catch (error) {
      // The next one has its turn all the same.
      ngx.log(ngx.ERR, subject(names[index]) + 'could not be looked at: ' + error.message);
    }
  }
  ngx.shared.certificate.set('checked', iso(Date.now()));
}

/** What the Secret holds with what is served. */
async function compare(session, name) {
  const state = readState(name);
  const pair = await readSecret(secretOf(session, name));
  if (state.served !== null && state.served.generation === pair.generation) {
    logExpiry(name, state);
    if (state.refused !== null) {
      state.refused = null;
      writeState(name, state);
      ngx.log(ngx.WARN, subject(name) + 'the Secret holds the pair again that is served');
    }
    return;
  }
  // What OpenSSL has refused stays refused; a time may come, and a disk may get room.
  if (state.refused !== null && state.refused.final && state.refused.generation === pair.generation) {
    logExpiry(name, state);
    doWithout(name, state);
    return;
  }

  const verdict = await judge(session, name, pair);
  if (verdict.problem === undefined) {
    serve(session, name, state, pair);
  } else {
    refuse(session, name, state, pair, verdict);
    doWithout(name, state);
  }
}

/** Both files of one generation, and a name that goes by their content. */
async function readSecret(path) {
  try {
    // The kubelet exchanges this link in one step: what it leads to is one whole generation.
    const from = fs.existsSync(path + '/..data') ? fs.realpathSync(path + '/..data') : path;
    const certificate = fs.readFileSync(from + '/tls.crt');
    const key = fs.readFileSync(from + '/tls.key');
    const separator = Buffer.from([0]);
    const digest = await crypto.subtle.digest('SHA-256', Buffer.concat([certificate, separator, key]));
    return {
      generation: Buffer.from(digest).toString('hex').slice(0, 16),
      certificate: certificate,
      key: key,
      validity: validityOf(certificate.toString()),
    };
  } catch (error) {
    return { generation: null, problem: 'cannot be read: ' + error.message };
  }
}

async function judge(session, name, pair) {
  const now = Date.now();
  if (pair.problem !== undefined) return { problem: pair.problem, final: false };
  if (pair.validity.notAfter <= now) return { problem: 'expired on ' + iso(pair.validity.notAfter), final: true };
  if (pair.validity.notBefore > now) {
    return { problem: 'is not valid before ' + iso(pair.validity.notBefore), final: false };
  }
  const verdict = await prove(session, name, pair);
  if (verdict.problem === undefined && !(pair.validity.notBefore <= now && pair.validity.notAfter > now)) {
    return { problem: 'does not say when it is valid', final: true };
  }
  return verdict;
}

/** A handshake with the server that serves the candidate; that server's own log says why there was none. */
async function prove(session, name, pair) {
  const log = setting(session, 'certificate_store') + '/check.log';
  try {
    const path = storeOf(session, name) + '/' + pair.generation;
    if (!fs.existsSync(path)) fs.mkdirSync(path, { mode: 0o700, recursive: true });
    writeWhole(path + '/tls.crt', pair.certificate);
    writeWhole(path + '/tls.key', pair.key);
    fs.writeFileSync(log, '');
    ngx.shared.certificate.set('candidate', path);
  } catch (error) {
    return { problem: 'cannot be stored: ' + error.message, final: false };
  }
  try {
    await ngx.fetch('https://127.0.0.1:' + session.variables.certificate_check_port + '/');
    return {};
  } catch (error) {
    const line = await firstLineOf(log);
    if (line === '') return { problem: 'could not be checked: ' + error.message, final: false };
    const reason = /\*\d+ (.*) while SSL handshaking/.exec(line);
    return { problem: 'is refused by OpenSSL: ' + (reason === null ? line : reason[1]), final: true };
  }
}

/** The worker that refused the handshake may log it a moment after this one has seen it fail. */
async function firstLineOf(log) {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const text = fs.readFileSync(log).toString();
    if (text !== '') return text.split('\n')[0];
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return '';
}

/** Renamed into place: a worker that reads at this moment finds the whole file. */
function writeWhole(path, content) {
  fs.writeFileSync(path + '.new', content, { mode: 0o600 });
  fs.renameSync(path + '.new', path);
}

function serve(session, name, state, pair) {
  const store = storeOf(session, name);
  if (state.refused !== null) {
    ngx.log(ngx.WARN, subject(name) + 'the Secret holds a good pair again, which is served now');
  }
  // One write of one path: every worker takes certificate and key of the same generation.
  ngx.shared.certificate.set(key('directory', name), store + '/' + pair.generation);
  const previous = state.served === null ? null : state.served.generation;
  writeState(name, {
    served: {
      generation: pair.generation,
      notBefore: iso(pair.validity.notBefore),
      notAfter: iso(pair.validity.notAfter),
    },
    previous: previous,
    refused: null,
    expiryLogged: false,
  });
  // A worker may be reading the one before.
  removeAllBut(store, [pair.generation, previous]);
}

function refuse(session, name, state, pair, verdict) {
  const before = state.refused;
  const known = before !== null && before.generation === pair.generation && before.problem === verdict.problem;
  state.refused = { generation: pair.generation, problem: verdict.problem, final: verdict.final };
  if (state.served === null && name !== '' && state.awaitedUntil === undefined) {
    state.awaitedUntil = Date.now() + 1000 * Number(session.variables.host_certificate_patience);
  }
  writeState(name, state);
  removeAllBut(storeOf(session, name), [state.served === null ? null : state.served.generation, state.previous]);
  if (!known) {
    ngx.log(ngx.ERR, subject(name) + 'the pair in the Secret ' + verdict.problem + '; ' + insteadOf(name, state));
  }
  logExpiry(name, state);
}

function insteadOf(name, state) {
  if (state.served !== null) return 'the last good pair is still served, valid until ' + state.served.notAfter;
  if (name === '') return 'there is no good pair yet, and this proxy is not ready';
  return 'there is no good pair yet, for which a new proxy waits until ' + iso(state.awaitedUntil);
}

/** A host whose certificate does not come keeps the others from being served no longer than this. */
function doWithout(name, state) {
  if (name === '' || state.served !== null || state.isDoneWithout || state.awaitedUntil > Date.now()) return;
  state.isDoneWithout = true;
  writeState(name, state);
  ngx.log(
    ngx.ERR,
    subject(name) + 'no good pair has come: this proxy serves its other hosts, and no handshake for this one',
  );
}

/** Nothing better is there, so it goes on being served; once a certificate. */
function logExpiry(name, state) {
  if (state.served === null || state.expiryLogged || Date.parse(state.served.notAfter) > Date.now()) return;
  state.expiryLogged = true;
  writeState(name, state);
  ngx.log(ngx.ERR, subject(name) + 'the pair that is served expired on ' + state.served.notAfter);
}

function removeAllBut(store, kept) {
  if (!fs.existsSync(store)) return;
  fs.readdirSync(store).forEach((name) => {
    if (!/^[0-9a-f]{16}$/.test(name) || kept.indexOf(name) >= 0) return;
    fs.readdirSync(store + '/' + name).forEach((file) => {
      fs.unlinkSync(store + '/' + name + '/' + file);
    });
    fs.rmdirSync(store + '/' + name);
  });
}

/**
 * When the first certificate, which is the server's own, is valid, in ms; NaN where it does not say so.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
function validityOf(pem) {
  const found = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([^-]+)-----END/.exec(pem);
  if (found === null) return { notBefore: NaN, notAfter: NaN };
  const der = Buffer.from(found[1].replace(/\s/g, ''), 'base64');
  // Certificate, TBSCertificate; then version (if any), serialNumber, signature, issuer.
  let at = contentAt(der, contentAt(der, 0));
  if (der[at] === 0xa0) at = endOf(der, at);
  at = contentAt(der, endOf(der, endOf(der, endOf(der, at))));
  return { notBefore: timeAt(der, at), notAfter: timeAt(der, endOf(der, at)) };
}

/** Where the content of a DER element begins: after its tag, and its length in one byte or more. */
function contentAt(der, at) {
  return at + 2 + (der[at + 1] > 127 ? der[at + 1] - 128 : 0);
}

function endOf(der, at) {
  const content = contentAt(der, at);
  if (content === at + 2) return content + der[at + 1];
  let length = 0;
  for (let index = at + 2; index < content; index += 1) length = length * 256 + der[index];
  return content + length;
}

/** UTCTime (tag 0x17) has two digits of the year, of 1950 to 2049; GeneralizedTime (0x18) four. */
function timeAt(der, at) {
  const digits = der.slice(contentAt(der, at), endOf(der, at)).toString();
  const short = der[at] === 0x17;
  const found = (short ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(
    digits,
  );
  if (found === null) return NaN;
  const year = short ? Number(found[1]) + (Number(found[1]) < 50 ? 2000 : 1900) : Number(found[1]);
  return Date.UTC(year, found[2] - 1, found[3], found[4], found[5], found[6]);
}

function iso(time) {
  return new Date(time).toISOString();
}

export default { candidateDirectory, check, directory, directoryOfHost, isAwaited, isGood, report };
