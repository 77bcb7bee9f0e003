import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let clone: string;

/** A clone of something that needs one package, which is beside it. */
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'fairlead-clone-'));
  copyFileSync('ensure-dependencies.mjs', join(clone, 'ensure-dependencies.mjs'));
  mkdirSync(join(clone, 'needed'));
  writeFileSync(join(clone, 'needed/package.json'), JSON.stringify({ name: 'needed', version: '1.0.0' }));
  writeFileSync(
    join(clone, 'package.json'),
    JSON.stringify({ name: 'clone', dependencies: { needed: 'file:needed' } }),
  );
  execFileSync('npm', ['install', '--package-lock-only', '--offline', '--loglevel=error'], {
    cwd: clone,
    stdio: 'ignore',
  });
});

afterEach(() => {
  rmSync(clone, { recursive: true });
});

async function ensured(): Promise<{ readonly code: number; readonly said: string; readonly isInstalled: boolean }> {
  const running = spawn(process.execPath, ['ensure-dependencies.mjs'], { cwd: clone });
  let said = '';
  running.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(running, 'close')) as [number];
  return { code, said, isInstalled: existsSync(join(clone, 'node_modules/needed')) };
}

const installing = 'Installing dependencies (npm ci) …\n';

test('commands that begin at once in a fresh clone install once, and each goes on when that is done', async () => {
  const all = await Promise.all([ensured(), ensured(), ensured()]);
  expect(all.map(({ code, isInstalled }) => ({ code, isInstalled }))).toEqual(
    Array.from({ length: 3 }, () => ({ code: 0, isInstalled: true })),
  );
  expect(all.filter(({ said }) => said.includes(installing))).toHaveLength(1);
  expect(await ensured()).toEqual({ code: 0, said: '', isInstalled: true });
});

test('an installation that was killed is begun again', async () => {
  const { pid } = spawnSync(process.execPath, ['--eval', '']);
  mkdirSync(join(clone, '.fairlead'));
  writeFileSync(join(clone, '.fairlead/installing'), String(pid));
  const { code, said, isInstalled } = await ensured();
  expect({ code, isInstalled }).toEqual({ code: 0, isInstalled: true });
  expect(said.startsWith(installing)).toBe(true);
});
