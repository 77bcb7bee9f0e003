import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../cluster/command-line';
import { outputOf, run } from '../../cluster/external-command';

function node(script: string, options: Parameters<typeof run>[2] = {}): Promise<string> {
  return run(process.execPath, ['-e', script], options);
}

test('gives what a program wrote, and passes arguments as they are', async () => {
  const odd = 'a "b" $HOME; `c` \\ \n é';
  expect(await run(process.execPath, ['-e', 'process.stdout.write(process.argv[1])', odd])).toBe(odd);
});

test('passes input, and lines as they come', async () => {
  const lines: string[] = [];
  const copied = await node('process.stdin.pipe(process.stdout)', {
    input: 'one\ntwo\n',
    onLine: (line) => lines.push(line),
  });
  expect(copied).toBe('one\ntwo\n');
  expect(lines).toEqual(['one', 'two']);
});

test('a program that fails is one line: what it is, what it said last, how it ended', async () => {
  await expect(
    run(process.execPath, ['-e', 'console.error("first\\nlast reason\\n"); process.exit(3)']),
  ).rejects.toThrow(/^\S+ console\.error.*: last reason \(exit code 3\)$/s);
});

test('a program that is missing is named', async () => {
  await expect(run('fairlead-no-such-program', [])).rejects.toThrow(
    'fairlead-no-such-program is not installed, or not on the PATH',
  );
});

test('a program that may not be executed is a failure, with what would let it', async () => {
  const refused = run(__filename, []);
  await expect(refused).rejects.toThrow(`${JSON.stringify(__filename)} may not be executed: chmod +x would let it`);
  await expect(refused).rejects.toBeInstanceOf(Failure);
});

test('an abort that lets others finish ends after what the program has started', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-external-command-'));
  const controller = new AbortController();
  const script = `trap 'echo ended >late' TERM; echo started; while [ ! -e seen ]; do sleep 0.05; done; echo made >made`;
  const running = run('sh', ['-c', `sh -c '${script.replaceAll("'", `'"'"'`)}' & wait`], {
    cwd: directory,
    signal: controller.signal,
    letsOthersFinish: true,
    onLine: () => {
      controller.abort(new Error('ended early'));
      writeFileSync(join(directory, 'seen'), '');
    },
  });
  await expect(running).rejects.toThrow('ended early');
  expect(readdirSync(directory).sort()).toEqual(['made', 'seen']);
  rmSync(directory, { recursive: true });
});

test('an abort ends the program and what it started', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-external-command-'));
  const pidFile = join(directory, 'pid');
  const controller = new AbortController();
  const running = node(
    `const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
     require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
     console.log('started');
     setInterval(() => {}, 1000);`,
    {
      signal: controller.signal,
      onLine: () => {
        controller.abort(new Error('ended early'));
      },
    },
  );
  await expect(running).rejects.toThrow('ended early');
  const pid = Number(readFileSync(pidFile, 'utf8'));
  rmSync(directory, { recursive: true });
  // Its standard output was a pipe to the first one, whose end was awaited; only the table of processes may lag behind.
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
  expect(isAlive(pid)).toBe(false);
});

test('what a program writes can be read piece by piece, until it has ended or enough is read', async () => {
  const read: string[] = [];
  const all = async (script: string): Promise<void> => {
    for await (const piece of outputOf(process.execPath, ['-e', script])) read.push(piece);
  };
  await all("process.stdout.write('é\\n'.repeat(100_000))");
  expect(read.join('')).toBe('é\n'.repeat(100_000));
  read.length = 0;
  await expect(all("console.log('first'); console.error('reason'); process.exitCode = 3")).rejects.toThrow(
    /: reason \(exit code 3\)$/,
  );
  expect(read.join('')).toBe('first\n');
  await expect(outputOf('fairlead-no-such-program', []).next()).rejects.toThrow('is not installed');

  let pid = 0;
  const endless = outputOf(process.execPath, ['-e', 'console.log(process.pid); setInterval(() => {}, 1000)']);
  for await (const piece of endless) {
    pid = Number(piece);
    break;
  }
  expect(pid).toBeGreaterThan(0);
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that has ended and that nobody has collected yet still gets signals.
    return !existsSync(`/proc/${pid}/status`) || !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
