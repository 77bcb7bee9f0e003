import { InvalidOption } from '../../validation/invalid-option';
import type { Reader } from '../../validation/options';
import { isPrintable } from '../../validation/text';

/** What stands in quotation marks in a header; nginx itself reads the word `off` as no authentication at all. */
export function realm(...[option, given]: Parameters<Reader<string>>): string {
  if (!isPrintable(given, 100)) {
    throw new InvalidOption(
      option,
      given,
      'is not a realm: give 1 to 100 printable ASCII characters without white space around them, such as "Orders"',
    );
  }
  if (given === 'off') throw new InvalidOption(option, given, 'would switch nginx to no authentication: give another');
  return given;
}
