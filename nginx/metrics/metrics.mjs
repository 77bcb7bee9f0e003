/* global Buffer, ngx, setTimeout */

/**
 * Runs in nginx (njs with QuickJS): counts what nginx has written of requests, and serves it to Prometheus. Two files are written to
 * in turn, for five seconds each. `count` reads on in both every second; whoever asks for metrics reads what is left first. All counts
 * are one value of the shared dictionary, with how far each file was read: it is exchanged at once, so that no line counts twice or
 * never, whatever becomes of a worker. A copy in a file lets an nginx that is started after this one go on with them.
 */
import fs from 'fs';
import exposition from './exposition.mjs';

/** What is counted of which proxy; put in with nginx.conf (metrics-model.ts). */
const model = {};

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** In seconds: what of a try counts for how many are in progress. One that ends after an hour says little of now. */
const mostBusy = 10;

/** Bytes that are counted at a time: a worker does nothing else meanwhile. */
const chunk = 65536;

/** Scrapers that are waited for when nginx ends, and how rarely they may ask, in milliseconds. */
const mostScrapers = 16;
const longestInterval = 65000;

function nothingCounted() {
  return {
    configuration: model.configuration,
    offsets: [0, 0],
    scrapers: {},
    requests: {},
    requestSeries: 0,
    durations: {},
    bytes: {},
    connects: {},
    headers: {},
    responses: {},
    noPeer: {},
    retried: {},
    fallback: {},
    peers: {},
    peerSeries: 0,
    tls: {},
    refused: { connections: 0, requests: 0, rate: 0 },
    folded: 0,
    lost: 0,
  };
}

function directoryOf(session) {
  return decodeURIComponent(session.variables.metrics_directory);
}

function readCounts(session) {
  const text = ngx.shared.metrics.get('counts');
  if (text !== undefined) return JSON.parse(text);
  const copy = directoryOf(session) + '/counts.json';
  if (!fs.existsSync(copy)) return nothingCounted();
  const counts = JSON.parse(fs.readFileSync(copy, 'utf8'));
  return counts.configuration === model.configuration ? counts : nothingCounted();
}

function keepCounts(session, counts) {
  const text = JSON.stringify(counts);
  ngx.shared.metrics.set('counts', text);
  const copy = directoryOf(session) + '/counts.json';
  try {
    fs.writeFileSync(copy + '.new', text);
    fs.renameSync(copy + '.new', copy);
  } catch {
    // There is no room. One that is old would count again what was counted since.
    [copy, copy + '.new'].filter((path) => fs.existsSync(path)).forEach((path) => fs.unlinkSync(path));
  }
}

/** Every second, in one worker. */
async function count(session) {
  try {
    await countAll(session);
  } catch (error) {
    ngx.log(ngx.ERR, 'metrics: could not be counted: ' + error.message);
  }
}

/** Until nothing is left of what was there when it began. */
async function countAll(session, scraper) {
  const begin = Date.now();
  while (Date.now() < begin + 10000) {
    const more = countAlone(session, scraper && { address: scraper, time: begin });
    if (more === false) return;
    await new Promise((resolve) => setTimeout(resolve, more === undefined ? 5 : 0));
  }
}

/** Some of it; undefined while another worker is at it. Who ends leaves all of it to who serves the last counts. */
function countAlone(session, scrape) {
  if (!areLast(session) && fs.existsSync(directoryOf(session) + '/ending')) return false;
  const lock = ngx.shared.metrics_lock;
  if (!lock.add('counting', 1, 10000)) return undefined;
  try {
    return countSome(session, scrape);
  } finally {
    lock.delete('counting');
  }
}

function countSome(session, scrape) {
  const now = Date.now();
  const counts = readCounts(session);
  const before = JSON.stringify(counts.offsets);
  const lost = counts.lost;
  const most = Number(session.variables.metrics_most_bytes);
  const paths = [0, 1].map((slot) => {
    return directoryOf(session) + '/requests-' + slot + '.log';
  });
  const sizes = paths.map((path) => (fs.existsSync(path) ? fs.statSync(path).size : 0));
  // In memory there is no room for another line: how many were not written, nobody knows.
  if (sizes[0] + sizes[1] > most - 4096) counts.lost += 1;
  const slotTime = 1000 * Number(session.variables.metrics_slot);
  const more = paths.map((path, slot) => {
    return readOn(counts, { path, slot, most, size: sizes[slot], isOver: isLongOver(slot, now, slotTime) }, now);
  });
  const forgotten = forgetPeers(counts, now - 1000 * Number(session.variables.metrics_peers_forgotten));
  if (scrape) noteScrape(counts.scrapers, scrape);
  if (scrape || forgotten || lost !== counts.lost || JSON.stringify(counts.offsets) !== before) {
    keepCounts(session, counts);
  }
  return more[0] || more[1];
}

/** Keeps who asked, when, and how long after the time before. */
function noteScrape(scrapers, { address, time }) {
  Object.keys(scrapers)
    .filter((each) => time >= expectedUntil(scrapers[each]))
    .forEach((each) => {
      delete scrapers[each];
    });
  const before = scrapers[address];
  if (before !== undefined && before.last < time) before.interval = time - before.last;
  if (before !== undefined) before.last = time;
  else if (Object.keys(scrapers).length < mostScrapers) scrapers[address] = { last: time, interval: null };
}

/** Whether this is the nginx that serves what another one had counted (last-metrics.ts). */
function areLast({ variables }) {
  return variables.metrics_are_last === 'yes';
}

/** Who has asked once may ask again, who missed one time too, and who is later may have gone. */
function expectedUntil({ last, interval }) {
  return last + (interval === null ? longestInterval : 2.5 * interval + 1000);
}

/** Every second in that nginx: once the other one has ended, the file that says so goes when everybody has the counts who asks regularly. */
async function finish(session) {
  await count(session);
  const unscraped = directoryOf(session) + '/unscraped';
  if (!fs.existsSync(unscraped)) return;
  const { mtimeMs: ended } = fs.statSync(unscraped);
  const { scrapers } = readCounts(session);
  const isAwaited = Object.keys(scrapers).some((address) => {
    const { last, interval } = scrapers[address];
    return interval !== null && last < ended && Date.now() < expectedUntil(scrapers[address]);
  });
  if (!isAwaited) fs.unlinkSync(unscraped);
}

/** Counts the next lines of a file; says whether there are more. */
function readOn(counts, { path, slot, most, size, isOver }, now) {
  // It was emptied, and this not remembered.
  if (size < counts.offsets[slot]) counts.offsets[slot] = 0;
  if (size - counts.offsets[slot] > most) {
    counts.lost += size - counts.offsets[slot];
    counts.offsets[slot] = size;
  }
  const length = Math.min(chunk, size - counts.offsets[slot]);
  if (length > 0) {
    const text = read(path, counts.offsets[slot], length);
    const whole = text.lastIndexOf('\n') + 1;
    if (whole > 0 || !isOver) {
      countLines(counts, text.slice(0, whole).split('\n'), now);
      counts.offsets[slot] += whole;
      return whole > 0 && counts.offsets[slot] < size;
    }
    // The end of a line had no room, and never comes: kept, the file would take all room for ever.
    counts.lost += length;
  }
  if (size > 0 && isOver) {
    fs.writeFileSync(path, '');
    counts.offsets[slot] = 0;
  }
  return false;
}

/** Whether the other file is written to for so long that no worker is about to write to this one. */
function isLongOver(slot, now, slotTime) {
  return Math.floor(now / slotTime) % 2 !== slot && now % slotTime >= slotTime / 2;
}

/** Nothing in it is more than ASCII. */
function read(path, from, length) {
  const file = fs.openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(length);
    const got = fs.readSync(file, buffer, 0, length, from);
    return buffer.slice(0, got).toString();
  } finally {
    fs.closeSync(file);
  }
}

/** Alike ones at once. */
function countLines(counts, lines, now) {
  const times = {};
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index];
    times[line] = (times[line] || 0) + 1;
  }
  Object.keys(times).forEach((line) => {
    const kind = line.charAt(0);
    const fields = line.slice(1).split(kind === 'R' ? '|' : ' ');
    if (kind === 'R') {
      const request = fields[0].split(' ');
      countRequest(counts, request, times[line]);
      countTries(counts, request, fields.slice(1), times[line], now);
    } else if (kind === 'B') countBytes(counts, fields, times[line]);
    else if (kind === 'T') countHandshake(counts, fields, times[line]);
    else if (kind === 'X') counts.refused.connections += times[line];
  });
}

function add(table, key, amount) {
  table[key] = (table[key] || 0) + amount;
}

function routeOf(name) {
  return model.routes[name] || model.routes[''];
}

/** Route, backend, upstream, status, method, why it failed, seconds, and what a cache did. */
function countRequest(counts, request, times) {
  const route = routeOf(request[0]);
  const backend = request[1] || route.backend || '';
  const code = /^[1-5]\d\d$/.test(request[3]) ? request[3] : 'other';
  const method = methods.indexOf(request[4]) >= 0 ? request[4] : 'other';
  const known = model.routes[request[0]] === undefined ? '' : request[0];
  let key = [known, backend, method, code, request[5]].join(' ');
  if (counts.requests[key] === undefined) {
    if (counts.requestSeries >= model.mostRequestSeries) {
      key = 'folded' + code.charAt(0);
      counts.folded += times;
    } else {
      counts.requestSeries += 1;
    }
  }
  add(counts.requests, key, times);
  observe(counts.durations, route.group, request[6], times);
}

/** Route, bytes sent, bytes received. */
function countBytes(counts, fields, times) {
  const group = routeOf(fields[0]).group;
  const [sent, received] = [Number(fields[1]), Number(fields[2])];
  // Of a line that had no room to be written whole.
  if (!(sent >= 0 && received >= 0)) return;
  const bytes = counts.bytes[group] || [0, 0];
  counts.bytes[group] = [bytes[0] + times * sent, bytes[1] + times * received];
}

/** In each bucket what no smaller one has; then the sum. */
function observe(histograms, group, text, times) {
  const seconds = Number(text);
  if (!(seconds >= 0)) return;
  if (histograms[group] === undefined) histograms[group] = model.buckets.map(() => 0).concat([0, 0]);
  let bucket = 0;
  while (bucket < model.buckets.length && seconds > model.buckets[bucket]) bucket += 1;
  histograms[group][bucket] += times;
  histograms[group][model.buckets.length + 1] += times * seconds;
}

/** Of each try: address, and seconds to connection, head and end. */
function countTries(counts, request, lists, times, now) {
  const route = routeOf(request[0]);
  if (lists[0] === '') {
    // What is given from a cache nobody has refused.
    if (request[7]) return;
    if (request[3] === '503' && route.isServed) counts.refused.requests += times;
    if (request[3] === '429' && route.isLimited) counts.refused.rate += times;
    return;
  }
  const upstream = request[2];
  const isFallback = model.backends[upstream] === undefined && /_fallback$/.test(upstream);
  const name = upstream.replace(/_fallback$/, '');
  const key = [upstream, isFallback ? name : '', request[1], route.backend].find((each) => model.backends[each || '']);
  if (key === undefined) return;
  const group = model.backends[key].group;
  const tries = lists[0].indexOf(' ') < 0 ? lists.map((list) => [list]) : lists.map((list) => list.split(/ : |, /));
  const addresses = tries[0];
  const last = addresses.length - 1;
  addresses.forEach((address, index) => {
    // No live upstreams: nginx says whose.
    if (address.indexOf(':') < 0) {
      if (!/_fallback$/.test(address)) add(counts.noPeer, group, times);
      return;
    }
    const isAnswered = tries[2][index] !== '-';
    observe(counts.connects, group, tries[1][index], times);
    observe(counts.headers, group, tries[2][index], times);
    if (isAnswered) observe(counts.responses, group, tries[3][index], times);
    if (isFallback && index === last) return;
    const peer = peerOf(counts, key + ' ' + address, times);
    const seconds = Number(tries[3][index]) || 0;
    peer.tries += times;
    // A try whose client left did not fail.
    if (!isAnswered && (index < last || request[3] !== '499')) peer.failures += times;
    if (index < last) peer.retried += times;
    if (isAnswered) {
      peer.seconds += times * seconds;
      observe(peer, 'durations', tries[3][index], times);
    }
    peer.busy += times * Math.min(seconds, mostBusy);
    peer.asked = now;
  });
  const isSaved = tries[2][last] !== '-';
  if (last > 0) add(counts.retried, group + ' ' + (isSaved ? 'answered' : 'failed'), times);
  if (isFallback && isSaved) add(counts.fallback, group, times);
}

function peerOf(counts, key, times) {
  const isNew = counts.peers[key] === undefined;
  const isFolded = isNew && counts.peerSeries >= model.mostPeers;
  if (isFolded) counts.folded += times;
  else if (isNew) counts.peerSeries += 1;
  const name = isFolded ? 'other' : key;
  if (counts.peers[name] === undefined) {
    counts.peers[name] = { tries: 0, failures: 0, retried: 0, seconds: 0, busy: 0, asked: 0 };
  }
  return counts.peers[name];
}

function forgetPeers(counts, before) {
  const gone = Object.keys(counts.peers).filter((key) => key !== 'other' && counts.peers[key].asked < before);
  gone.forEach((key) => {
    delete counts.peers[key];
  });
  counts.peerSeries -= gone.length;
  return gone.length > 0;
}

/** Protocol, "r" for a session that was resumed, and the group of its key exchange. */
function countHandshake(counts, fields, times) {
  if (!/^TLSv1\.[23]$/.test(fields[0])) return;
  const group = fields[2] === '' || model.groups.indexOf(fields[2]) >= 0 ? fields[2] : 'other';
  add(counts.tls, fields[0] + ' ' + group + ' ' + (fields[1] === 'r'), times);
}

/** For a location: everything, in the format that is asked for. */
async function serve(request) {
  try {
    await countAll(request, request.remoteAddress);
  } catch (error) {
    // What was counted before is right.
    ngx.log(ngx.ERR, 'metrics: could not be counted: ' + error.message);
  }
  const isOpen = /application\/openmetrics-text/.test(request.headersIn.Accept || '');
  request.headersOut['Content-Type'] = isOpen
    ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
    : 'text/plain; version=0.0.4; charset=utf-8';
  const format = { isOpen, hasPeers: request.args.peers !== undefined };
  const lines = exposition.lines(model, readCounts(request), request.variables, format);
  request.return(200, lines.concat(isOpen ? ['# EOF', ''] : ['']).join('\n'));
}

export default { count, finish, serve };
