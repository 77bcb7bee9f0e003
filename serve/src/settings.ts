import { invalidSetting } from './serve-error';

/** A setting: what it is called as an option and as an environment variable, and what it was given as in each. */
export interface Setting<T> {
  readonly variable: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Given in code, it wins over the environment. */
  readonly option?: { readonly name: string; readonly value: T | undefined };
}

/** What the environment says of a setting; an empty variable says nothing. */
function fromEnvironment({ variable, environment }: Setting<unknown>): string | undefined {
  const text = environment[variable];
  return text === '' ? undefined : text;
}

/** A whole number between two bounds, both included. */
export function integerSetting(setting: Setting<number>, fallback: number, min: number, max: number): number {
  const { option } = setting;
  if (option?.value !== undefined) {
    if (!Number.isInteger(option.value) || option.value < min || option.value > max) {
      throw invalidSetting(option.name, option.value, `is out of range: give a whole number from ${min} to ${max}`);
    }
    return option.value;
  }
  const text = fromEnvironment(setting);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text) || value < min || value > max) {
    throw invalidSetting(setting.variable, text, `is out of range: give a whole number from ${min} to ${max}`);
  }
  return value;
}

/** A text of a certain form; `remedy` says which. */
export function textSetting(setting: Setting<string>, form: RegExp, remedy: string): string | undefined {
  const { option } = setting;
  const given = option?.value ?? fromEnvironment(setting);
  if (given === undefined) return undefined;
  if (!form.test(given)) {
    throw invalidSetting(option?.value === undefined ? setting.variable : option.name, given, remedy);
  }
  return given;
}

/** One of a few words. */
export function choiceSetting<T extends string>(setting: Setting<T>, fallback: T, choices: readonly T[]): T {
  const text = fromEnvironment(setting);
  if (text === undefined) return fallback;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw invalidSetting(setting.variable, text, `is unknown: give one of ${choices.join(', ')}`);
  }
  return choice;
}
