import { InvalidOption } from './invalid-option';

/** nginx reads its configuration through a buffer of 4096 bytes, which no parameter may outgrow. */
const longestText = 2048;

/** Text of one line in whole characters; refuses what no parameter of nginx carries. */
export function oneLine(option: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw new InvalidOption(option, value, 'is not text: give a string');
  }
  if (!value.isWellFormed()) {
    throw new InvalidOption(
      option,
      value,
      'has half of a surrogate pair, which UTF-8 cannot carry: give whole characters',
    );
  }
  if (/\p{Cc}/u.test(value)) {
    throw new InvalidOption(option, value, 'has a control character, which nginx cannot carry here: take it out');
  }
  if (Buffer.byteLength(value) > longestText) {
    throw new InvalidOption(option, value, `is longer than ${longestText} bytes, which nginx cannot read: shorten it`);
  }
  return value;
}

/** Whether a value is printable ASCII, of at most so many characters, without white space around it. */
export function isPrintable(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most && /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value);
}

/** Reads the path of a file of this machine, which is looked for later. */
export function filePath(example: string): (option: string, value: unknown) => string {
  return (option, value) => {
    if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
    throw new InvalidOption(option, value, `is not the path of a file: give one, such as ${JSON.stringify(example)}`);
  };
}

/** A directory of this machine. */
export function directory(option: string, given: unknown): string {
  if (typeof given === 'string' && given !== '' && !given.includes('\0')) return given;
  throw new InvalidOption(option, given, 'is not a directory: give its path, such as "orders"');
}
