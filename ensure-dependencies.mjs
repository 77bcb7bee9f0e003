// `npm start` and `npm test` work on a fresh clone, and after a pull that changed the lock file: what is not installed
// as package-lock.json says is installed first.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Versions by path; npm itself writes the second file when an installation is complete. */
function packages(file) {
  try {
    return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).packages;
  } catch {
    return {};
  }
}

const wanted = packages('package-lock.json');
const installed = packages('node_modules/.package-lock.json');
const missing = Object.entries(wanted).some(
  ([path, { version, link, optional, peer }]) =>
    path.startsWith('node_modules/') &&
    !optional &&
    !peer &&
    (link ? installed[path] === undefined : installed[path]?.version !== version),
);

if (missing) {
  console.error('Installing dependencies (npm ci) …');
  const npm = process.env.npm_execpath;
  const [file, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const { status } = spawnSync(file, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  process.exitCode = status ?? 1;
}
