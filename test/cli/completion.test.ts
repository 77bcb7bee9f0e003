import { spawnSync } from 'node:child_process';
import { fairlead } from './fairlead';

async function script(shell: string): Promise<string> {
  const { code, stdout } = await fairlead('completion', shell);
  expect(code).toBe(0);
  return stdout;
}

describe('bash', () => {
  let completion: string;

  beforeAll(async () => {
    completion = await script('bash');
  });

  /** What it offers for the last of the words. */
  function offered(...words: readonly string[]): string[] {
    const ask = `${completion}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fairlead; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', ask, 'bash', 'fairlead', ...words], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  }

  test('completes commands, and those below a command', () => {
    expect(offered('st')).toEqual(['start']);
    expect(offered('')).toEqual(expect.arrayContaining(['compose', 'doctor', 'help', '--version']));
    expect(offered('kind', '')).toEqual(['up', 'down', '--help']);
    expect(offered('help', 'ti')).toEqual(['timeline']);
    expect(offered('completion', '')).toEqual(['bash', 'zsh', 'fish', '--help']);
  });

  test('completes the options of each command', () => {
    expect(offered('start', '--he')).toEqual(['--health-check-path', '--help']);
    expect(offered('start', '--scale', '5', '--wa')).toEqual(['--watch']);
    expect(offered('kind', 'up', '--http')).toEqual(['--https-port', '--http-port']);
    expect(offered('prune', '--dry')).toEqual(['--dry-run']);
    expect(offered('top', '--on')).toEqual(['--once']);
  });

  test('leaves values, and a program after "--", to files', () => {
    expect(offered('start', '--main', '')).toEqual([]);
    expect(offered('start', '--', 'node', '--')).toEqual([]);
  });
});

test('zsh has every command with its options, and text that cannot end a quote', async () => {
  const completion = await script('zsh');
  expect(completion).toMatch(/^#compdef fairlead\n/);
  expect(completion).toContain(`_fairlead_kind_up() {\n  _arguments '--https-port=[`);
  expect(completion).toContain("'--main=[what says what is deployed (default\\: main.ts)]:FILE:_files'");
  expect(completion).toContain(
    "'--directory=[where the command runs (default\\: where fairlead does)]:DIRECTORY:_files -/'",
  );
  expect(completion).toContain("'1: :->command'");
  // A line of a log may be in a file; a URL is not.
  expect(/^_fairlead_explain\(\) \{\n(.*)$/m.exec(completion)?.[1]).toContain("'*:file:_files'");
  expect(/^_fairlead_top\(\) \{\n(.*)$/m.exec(completion)?.[1]).not.toContain("'*:file:_files'");
  // What is in quotes is even in number, but for those that stand for themselves.
  const quotes = completion.replaceAll(String.raw`'\''`, '').split("'").length - 1;
  expect(quotes % 2).toBe(0);
});

test('fish has every command with its options, where they may be typed', async () => {
  const completion = await script('fish');
  expect(completion).toContain("complete -c fairlead -n __fish_use_subcommand -a doctor -d '");
  expect(completion).toContain(
    "complete -c fairlead -n '__fish_seen_subcommand_from kind; and not __fish_seen_subcommand_from up down' -a up -d '",
  );
  expect(completion).toContain("complete -c fairlead -n '__fish_seen_subcommand_from start' -l main -r -F -d '");
  expect(completion).toContain("complete -c fairlead -n '__fish_seen_subcommand_from start' -l watch -d '");
});
