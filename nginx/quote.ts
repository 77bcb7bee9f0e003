import { InvalidOption } from '../values/invalid-option';

/** nginx reads its configuration through a buffer of 4096 bytes, which no parameter may outgrow. */
const longestParameter = 2048;

/**
 * A string as one parameter of a directive that takes no variables. Refuses what no nginx parameter carries.
 * @see https://nginx.org/en/docs/beginners_guide.html#conf_structure
 */
export function quote(option: string, value: unknown): string {
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
  if (Buffer.byteLength(value) > longestParameter) {
    throw new InvalidOption(
      option,
      value,
      `is longer than ${longestParameter} bytes, which nginx cannot read: shorten it`,
    );
  }
  return `"${value.replaceAll(/[\\"]/g, '\\$&')}"`;
}

/** The same for a directive that takes variables: `$` comes from a variable, as nginx has no escape for it. */
export function quoteWithVariables(option: string, value: unknown): string {
  return quote(option, value).replaceAll('$', '${dollar}');
}
