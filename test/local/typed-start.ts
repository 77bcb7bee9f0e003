import { startCommand } from '../../cli/start';
import { startOptions as read, type StartOptions, type TypedStartOptions } from '../../local/start-options';

/** The options of `fairlead start` with these arguments, which starts nothing. */
export function startOptions(args: readonly string[]): StartOptions {
  const end = args.indexOf('--');
  const words = end === -1 ? undefined : args.slice(end + 1);
  const options: StartOptions[] = [];
  startCommand(words)
    .action((values: TypedStartOptions) => {
      options.push(read(values, words));
    })
    .parse(end === -1 ? args : args.slice(0, end), { from: 'user' });
  const [only] = options;
  if (only === undefined) throw new Error('nothing was read');
  return only;
}
