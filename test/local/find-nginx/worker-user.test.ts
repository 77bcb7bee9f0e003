import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { giveToWorkers, workerUser } from '../../../local/find-nginx/worker-user';
import { onTestFinished } from '../../afterwards';
import { typescriptProgram } from '../../typescript-program';

const asRoot = process.getuid?.() === 0 ? test : test.skip;
const asAnother = process.getuid?.() === 0 ? test.skip : test;

/** A directory that only its owner can enter. */
function ownDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'test-worker-user-')));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Node reads the variable of the process, of which jest gives tests a copy. */
function temporaryDirectoryWith(TMPDIR: string): string {
  const { stdout } = spawnSync(
    process.execPath,
    [
      ...typescriptProgram,
      '-p',
      'require(process.argv[1]).temporaryDirectory()',
      resolve(__dirname, '../../../local/find-nginx/worker-user.ts'),
    ],
    { cwd: resolve(__dirname, '../../..'), encoding: 'utf8', env: { ...process.env, TMPDIR } },
  );
  return stdout.trim();
}

asRoot("temporary files of root's are not put where the workers cannot enter", () => {
  const directory = ownDirectory();
  mkdirSync(join(directory, 'open'), { mode: 0o755 });
  expect(temporaryDirectoryWith(join(directory, 'open'))).toBe(realpathSync('/tmp'));
  chmodSync(directory, 0o711);
  expect(temporaryDirectoryWith(join(directory, 'open'))).toBe(join(directory, 'open'));
});

asAnother('temporary files of others are put where TMPDIR says', async () => {
  const directory = ownDirectory();
  expect(temporaryDirectoryWith(directory)).toBe(directory);
  expect(await workerUser()).toBeUndefined();
});

asRoot('the workers get a directory with all that is in it, and nothing that it links to', async () => {
  const [given, kept] = [ownDirectory(), ownDirectory()];
  mkdirSync(join(given, 'certificate'));
  writeFileSync(join(given, 'certificate', 'tls.key'), '');
  symlinkSync(kept, join(given, 'link'));
  const workers = await workerUser();
  giveToWorkers(given, workers);
  expect(workers?.name).toBe('nobody');
  for (const path of ['', 'certificate', 'certificate/tls.key']) {
    expect(statSync(join(given, path)).uid).toBe(workers?.uid);
  }
  expect(statSync(kept).uid).toBe(0);
});
