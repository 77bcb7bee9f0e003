import { Failure } from '../../cluster/command-line';

/** A directive of nginx.conf, with what stands in its braces if it is a block. */
export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly body?: readonly Directive[];
}

/** White space, a comment, what ends or begins something, or a parameter in one of three ways of writing it. */
const token =
  /\s+|#[^\n]*|([;{}])|"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'|((?:\$\{|\\[^]|[^\s;{}"'#\\])(?:\$\{|\\[^]|[^\s;{\\])*)/y;

/** Reads nginx.conf as nginx does. @see https://nginx.org/en/docs/beginners_guide.html#conf_structure */
export function parsedConf(text: string): readonly Directive[] {
  const root: Directive[] = [];
  const open = [root];
  let words: string[] = [];
  const finish = (body?: Directive[]): void => {
    const [name, ...args] = words;
    if (name !== undefined) open.at(-1)?.push({ name, args, ...(body === undefined ? {} : { body }) });
    words = [];
  };
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (found === null) throw unreadable(text, at);
    const [, mark, inDouble, inSingle, bare] = found;
    const word = inDouble ?? inSingle ?? bare;
    if (word !== undefined) words.push(unescaped(word));
    else if (mark === ';') finish();
    else if (mark === '}') open.pop();
    else if (mark === '{') {
      const body: Directive[] = [];
      finish(body);
      open.push(body);
    }
  }
  return root;
}

const controls: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' };

/** nginx leaves a backslash before any other character where it is. */
function unescaped(word: string): string {
  return word.replaceAll(/\\(["'\\trn])/g, (_, character: string) => controls[character] ?? character);
}

function unreadable(text: string, at: number): Failure {
  const line = text.slice(0, at).split('\n').length;
  return new Failure(`nginx.conf: line ${line} cannot be read, as a quote has no end: look at the snippets in it`);
}
