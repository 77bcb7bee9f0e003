import { relative, resolve } from 'node:path';
import type { LocalBackend } from './deployment/deployment';
import { DirectoryWatch } from './directory-watch';
import type { Output } from './terminal/output';
import type { StartOptions } from './start-options';

/** Has the instances of a backend replaced when files of its directory change. Returns what stops that. */
export function watchFiles(
  backends: readonly LocalBackend[],
  options: StartOptions,
  output: Output,
  replace: (backend: string) => void,
): () => void {
  const byDirectory = new Map<string, string[]>();
  for (const { name, program } of backends) {
    const { directory } = program;
    if (directory === undefined) output.say(`${name} runs an image: there are no files of it to watch`, 'warn');
    else byDirectory.set(directory, [...(byDirectory.get(directory) ?? []), name]);
  }
  const watches = [...byDirectory].map(([directory, names]) => {
    output.say(`Watching ${directory}`);
    return new DirectoryWatch(directory, {
      changed: (paths) => {
        const own = withoutMain(paths, options, output);
        const [first] = own;
        if (first === undefined) return;
        const more = own.length === 1 ? '' : ` and ${own.length - 1} more`;
        output.say(`${relative(process.cwd(), first)}${more} changed`);
        for (const name of names) replace(name);
      },
      failed: ({ message }) => {
        output.say(`${directory} is not watched any more: ${message}`, 'warn');
      },
    });
  });
  return () => {
    for (const watch of watches) watch.close();
  };
}

/** What main.ts says is read once, and a change of it is told. */
function withoutMain(paths: readonly string[], { command, main }: StartOptions, output: Output): readonly string[] {
  if (command !== undefined) return paths;
  const others = paths.filter((path) => path !== resolve(main));
  if (others.length < paths.length) output.say(`${main} changed: what it says holds from the next start on`, 'warn');
  return others;
}
