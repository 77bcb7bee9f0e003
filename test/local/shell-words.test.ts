import { spawnSync } from 'node:child_process';
import { commandLine, shellWord } from '../../local/shell-words';

describe('a command line', () => {
  test.each([
    ['node server.js', ['node', 'server.js']],
    ['  node   --flag=1\tserver.js ', ['node', '--flag=1', 'server.js']],
    [`node -e 'console.log("a b")'`, ['node', '-e', 'console.log("a b")']],
    [`node "a 'b' \\"c\\" \\n" ''`, ['node', `a 'b' "c" \\n`, '']],
    [`node a\\ b\\|c "x"'y'z`, ['node', 'a b|c', 'xyz']],
    [`sh -c 'exec node server.js | cat'`, ['sh', '-c', 'exec node server.js | cat']],
  ])('%j', (text, [file, ...args]) => {
    expect(commandLine('--command', text)).toEqual({ file, args });
  });

  test.each([
    ['', 'names no program'],
    ['""', 'names no program'],
    ["node 'server.js", "has no closing '"],
    ['node server.js\\', 'ends with "\\"'],
    ['node server.js | cat', 'has "|", which needs a shell'],
    ['node $FILE', 'has "$", which needs a shell'],
    ['A=1 node server.js', 'begins with a variable, which needs a shell: give env A=1'],
    ['node \0', 'has a NUL character'],
  ])('%j is refused', (text, message) => {
    expect(() => commandLine('--command', text)).toThrow(message);
  });
});

test.each(['', 'a', "'", "''", '$(x)', '\\', '-n', 'a\tb', '*'])('%j is one word to a shell', (word) => {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s|' a ${shellWord(word)}`], { encoding: 'utf8' });
  expect(stdout).toBe(`a|${word}|`);
});
