/* global ngx, Buffer */

/**
 * Runs in nginx (njs, either engine): answers that a cache keeps beyond their time, for when the API is away, are forgotten after a while.
 * nginx itself forgets what nobody asks for, and would go on giving what is asked for for as long as the API is away.
 *
 * Plain syntax: njs' own engine knows no destructuring, no spread, no `for … of` and no default parameters.
 * @see https://nginx.org/en/docs/njs/compatibility.html
 */
import fs from 'fs';

/** Directories of a cache (`levels=2`): one is looked through at a time, so that no request waits for it. */
const directories = 256;

/** In seconds: what nginx was fetching when it was killed is nobody's; it writes to what it fetches at least once an hour. */
const longestPause = 24 * 60 * 60;

/** What nginx 1.9 to 1.31 write first: a version, and when the answer ends to be fresh; 8 bytes each (ngx_http_file_cache_header_t). */
const version = 5;

function forget(session) {
  const turn = ngx.shared.stale_answers.incr('turn', 1, 0) % directories;
  const name = (directories + turn).toString(16).slice(1);
  const now = Date.now() / 1000;
  for (let index = 1; session.variables['stale_answers_' + index] !== undefined; index += 1) {
    const parts = session.variables['stale_answers_' + index].split('?');
    forgetIn(decodeURIComponent(parts[0]) + '/' + name, now, now - Number(parts[1]));
  }
}

/** Removes what has not been fresh since a time. nginx takes a file that is gone for an answer that it does not have. */
function forgetIn(directory, now, before) {
  namesIn(directory).forEach((name) => {
    const file = directory + '/' + name;
    try {
      const written = fs.statSync(file).mtimeMs / 1000;
      if (/^[0-9a-f]{32}\.[0-9]{10}$/.test(name)) {
        if (written < now - longestPause) fs.unlinkSync(file);
        return;
      }
      // Written when it was fresh, and so still is, or has been later than that.
      if (!/^[0-9a-f]{32}$/.test(name) || written >= before) return;
      if (freshUntil(file) < before) fs.unlinkSync(file);
    } catch (error) {
      // nginx has removed it meanwhile.
      if (error.code !== 'ENOENT') logOnce(error.message);
    }
  });
}

/** None of a directory in which nothing has been kept yet. */
function namesIn(directory) {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (error.code !== 'ENOENT') logOnce(error.message);
    return [];
  }
}

function freshUntil(file) {
  const head = Buffer.alloc(16);
  const opened = fs.openSync(file);
  try {
    fs.readSync(opened, head, 0, 16, 0);
  } finally {
    fs.closeSync(opened);
  }
  if (head.readUInt32LE(0) === version) return head.readUInt32LE(8) + head.readUInt32LE(12) * 4294967296;
  logOnce('a file of another version than ' + version + ': staleFor is not kept to');
  return Infinity;
}

function logOnce(problem) {
  if (ngx.shared.stale_answers.get('logged') === 1) return;
  ngx.shared.stale_answers.set('logged', 1);
  ngx.log(ngx.ERR, 'cache: ' + problem);
}

export default { forget };
