import { whole } from '../validation/amounts';
import { record, words } from '../validation/collections';
import { InvalidOption } from '../validation/invalid-option';
import { optional, type Table, withDefault } from '../validation/options';
import { directory } from '../validation/text';

/** A backend without a cluster (`npm start`, `fairlead compose`). */
export interface LocalOptions {
  /**
   * The program that runs in place of its pods, with its arguments; no shell reads them. It is told its `PORT`, `HOST` and
   * `HOSTNAME`.
   *
   * @default - the image, if Docker has it on this machine: it is never pulled
   */
  readonly command?: readonly string[];

  /**
   * Where `command` runs.
   *
   * @default - where fairlead does
   */
  readonly directory?: string;

  /**
   * Environment variables, over those of the backend that are text; one that comes from a Secret is given here.
   *
   * @default - none
   */
  readonly environment?: Readonly<Record<string, string>>;

  /**
   * How many processes, or containers, there are at first, from 1 to 100.
   *
   * @default 2
   */
  readonly replicas?: number;
}

export const localOptions = {
  command: optional(words),
  directory: optional(directory),
  environment: withDefault({}, textVariables),
  replicas: withDefault(2, whole(1, 100)),
} satisfies Table<LocalOptions>;

function textVariables(option: string, given: unknown): Readonly<Record<string, string>> {
  const variables = record(option, given, '{ DATABASE_URL: "postgres://localhost/orders" }');
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => {
      if (typeof value === 'string' && !value.includes('\0')) return [name, value];
      throw new InvalidOption(`${option}[${JSON.stringify(name)}]`, value, 'is not text: put it in quotes');
    }),
  );
}
