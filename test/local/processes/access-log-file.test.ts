import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessLogFile } from '../../../local/processes/access-log-file';
import { onTestFinished } from '../../afterwards';

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-log-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

test('a file gets each request after those that it has, and no line of the error log', () => {
  const file = join(temporary(), 'access.log');
  writeFileSync(file, '{"status":200}\n');
  const say = jest.fn();
  const keepLine = accessLogFile(file, say);
  keepLine('{"status":502}');
  keepLine('2026/03/01 12:00:00 [error] 7#7: *1 connect() failed, request: "GET /{a-1}"');
  keepLine('{"status":503}');
  expect(readFileSync(file, 'utf8')).toBe('{"status":200}\n{"status":502}\n{"status":503}\n');
  expect(say).not.toHaveBeenCalled();
});

test('a file that cannot be written is refused', () => {
  const directory = temporary();
  const refusal = (path: string, code: string): string =>
    `--access-log: ${JSON.stringify(path)} cannot be written (${code}): give a file, in a directory that is there`;
  expect(() => accessLogFile(directory, jest.fn())).toThrow(refusal(directory, 'EISDIR'));
  const nowhere = join(directory, 'none', 'access.log');
  expect(() => accessLogFile(nowhere, jest.fn())).toThrow(refusal(nowhere, 'ENOENT'));
});

test('a file that takes no more ends nothing, and is said once', () => {
  const say = jest.fn();
  const keepLine = accessLogFile('/dev/full', say);
  keepLine('{"status":502}');
  keepLine('{"status":503}');
  expect(say.mock.calls).toEqual([
    ['--access-log: "/dev/full" takes no more lines (ENOSPC): requests are not logged any more'],
  ]);
});
