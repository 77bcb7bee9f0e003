import { knownOptions, list, record } from './collections';
import { allErrors, InvalidOption, shown } from './invalid-option';

/** Gives what the model holds of a value, or refuses it under the name of its option. */
export type Reader<Value> = (option: string, given: unknown) => Value;

/** How an option is read, and what stands for it when it is not given. */
export interface Option<Value> {
  readonly read: Reader<Value>;
  readonly default?: unknown;
  /** Whether it may have no value at all. */
  readonly isOptional: boolean;
}

/** Each option of an interface once, so that TypeScript misses none: `{ … } satisfies Table<ReplicasProps>`. */
export type Table<Options> = { readonly [Name in keyof Required<Options>]: Option<unknown> };

/** What is read by a table. */
export type Values<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends Option<infer Value> ? Value : never;
};

export function required<Value>(read: Reader<Value>): Option<Value> {
  return { read, isOptional: false };
}

export function optional<Value>(read: Reader<Value>): Option<Value | undefined> {
  return { read, isOptional: true };
}

/** The default is written as a user would, and read as what a user gives. */
export function withDefault<Value>(value: unknown, read: Reader<Value>): Option<Value> {
  return { read, default: value, isOptional: false };
}

/** A list whose members are all read in one way. */
export function listOf<Member>(read: Reader<Member>, example: string): Reader<Member[]> {
  return (option, given) => list(option, given, example).map((member) => read(option, member));
}

/** A list that is not empty. */
export function notEmpty<Member>(read: Reader<Member[]>, remedy: string): Reader<Member[]> {
  return (option, given) => {
    const members = read(option, given);
    if (members.length === 0) throw new InvalidOption(option, given, `is empty: give ${remedy}`);
    return members;
  };
}

/** An object of one of our classes, which its factories have looked at. */
export function instanceOf<Value>(
  type: { readonly prototype: Value; [Symbol.hasInstance](value: unknown): boolean },
  example: string,
): Reader<Value> {
  return (option, given): Value => {
    if (given instanceof type) return given as Value;
    throw new InvalidOption(option, shown(given), `is not what stands here: give it as ${example} does`);
  };
}

/** Whether something is so. */
export const flag: Reader<boolean> = (option, given) => {
  if (typeof given === 'boolean') return given;
  throw new InvalidOption(option, shown(given), 'is neither true nor false: give one of them');
};

/** A group of options, whose names stand behind that of the group in a refusal. */
export function group<Options extends Readonly<Record<string, Option<unknown>>>>(
  table: Options,
  example: string,
): Reader<Values<Options>> {
  return (option, given) => knownValues(record(option, given, example), table, `${option}.`);
}

/** The same where true stands for the defaults of all of them; undefined for false. */
export function flagOrGroup<Options extends Readonly<Record<string, Option<unknown>>>>(
  table: Options,
  example: string,
): Reader<Values<Options> | undefined> {
  return (option, given) => {
    if (given === false) return undefined;
    return knownValues(given === true ? {} : record(option, given, example), table, `${option}.`);
  };
}

/** What is read later, with what other options say. */
export const asGiven: Reader<unknown> = (_option, given) => given;

/** Reads every option of the table, and refuses all at once that cannot work; `parent` stands before its name in a refusal: `container.`. */
export function values<Options extends Readonly<Record<string, Option<unknown>>>>(
  given: object,
  table: Options,
  parent = '',
): Values<Options> {
  const read: Record<string, unknown> = {};
  allErrors(
    ...Object.entries(table).map(([name, option]) => () => {
      const value = (given as Readonly<Record<string, unknown>>)[name] ?? option.default;
      read[name] = value === undefined && option.isOptional ? undefined : option.read(`${parent}${name}`, value);
    }),
  );
  return read as Values<Options>;
}

/** The same of an object that has no other options; those that do not exist are refused too. */
export function knownValues<Options extends Readonly<Record<string, Option<unknown>>>>(
  given: object,
  table: Options,
  parent: string,
): Values<Options> {
  allErrors(
    () => {
      knownOptions(parent, given, Object.keys(table));
    },
    () => values(given, table, parent),
  );
  return values(given, table, parent);
}
