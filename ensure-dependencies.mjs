// `npm start` and `npm test` work on a fresh clone, and after a pull that changed the lock file: what is not installed
// as package-lock.json says is installed first.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

function isInstalled() {
  const wanted = packages('package-lock.json');
  const installed = packages('node_modules/.package-lock.json');
  return Object.entries(wanted).every(
    ([path, { version, link, optional, peer }]) =>
      !path.startsWith('node_modules/') ||
      optional ||
      peer ||
      (link ? installed[path] !== undefined : installed[path]?.version === version),
  );
}

/** What others that begin at the same time wait for: two npm ci at once remove each other's files. */
const lock = new URL('.fairlead/installing', import.meta.url);

/** Whether this process is the one to install. */
function isFirst() {
  mkdirSync(new URL('.', lock), { recursive: true });
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isRunning(installer())) return false;
    rmSync(lock, { force: true });
    return isFirst();
  }
}

/** The process that has the lock. One that has not written its number yet is not taken for one that has ended. */
function installer() {
  try {
    return Number(readFileSync(lock, 'utf8') || process.pid);
  } catch {
    return process.pid;
  }
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function install() {
  console.error('Installing dependencies (npm ci) …');
  const npm = process.env.npm_execpath;
  const [file, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  // Binaries come as packages for each platform: no script of a package has to run.
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync(file, [...args, 'ci', ...options], { cwd: root, stdio: ['ignore', 2, 2] });
  return status ?? 1;
}

let isWaiting = false;
while (!isInstalled()) {
  if (isFirst()) {
    // Another one may have installed them just before.
    process.exitCode = isInstalled() ? 0 : install();
    rmSync(lock, { force: true });
    break;
  }
  if (!isWaiting) console.error('Waiting for dependencies that another command installs …');
  isWaiting = true;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
}
