import { InvalidOption } from '../validation/invalid-option';
import { Command } from './processes/child-output';

/**
 * Takes a command line apart as a shell does, without one: blanks separate, '…' and "…" hold together, \ takes the next
 * character as it is (between "…" only ", \, $ and `). What only a shell can do is refused, not passed on as an argument.
 */
export function commandLine(option: string, value: string): Command {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < value.length; index += 1) {
    const character = value.charAt(index);
    if (character === '\0') throw new InvalidOption(option, value, 'has a NUL character: take it out');
    if (character === '\\' && quote !== "'" && (quote === '' || /["\\$`]/.test(value.charAt(index + 1)))) {
      index += 1;
      if (index === value.length)
        throw new InvalidOption(option, value, 'ends with "\\": take it out, or write "\\\\"');
      word = (word ?? '') + value.charAt(index);
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word = (word ?? '') + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|&;<>()$`]/.test(character)) {
      throw new InvalidOption(
        option,
        value,
        `has ${JSON.stringify(character)}, which needs a shell: quote it, or give sh -c '…'`,
      );
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quote !== '') throw new InvalidOption(option, value, `has no closing ${quote}: add it`);
  if (word !== undefined) words.push(word);

  const [file, ...args] = words;
  if (file === undefined || file === '') {
    throw new InvalidOption(option, value, 'names no program: give one, such as "node server.js"');
  }
  if (/^\w+=/.test(file)) {
    throw new InvalidOption(option, value, `begins with a variable, which needs a shell: give env ${file} …`);
  }
  return { file, args };
}

/** A word as a shell takes it to the letter. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
