import { longestLine } from './access-log-line';

/** The lines of a stream, of which none is longer than a line of the access log may be: the rest of a longer one is dropped. */
export async function* linesOf(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  let line = '';
  for await (const chunk of stream) {
    const [first = '', ...others] = String(chunk).split('\n');
    line = begun(line, first);
    for (const next of others) {
      yield line;
      line = begun('', next);
    }
  }
  if (line !== '') yield line;
}

/** One character more than a line may have shows that it was longer. */
function begun(line: string, more: string): string {
  return line.length > longestLine ? line : `${line}${more}`.slice(0, longestLine + 1);
}
