/** A variable of the environment that cannot be what it is, said in one line: its name, its value, and what would do. */
export class InvalidSetting extends Error {
  constructor(variable: string, value: string, remedy: string) {
    // JSON escapes newlines and control characters, so that whatever was given stays on one line.
    super(`${variable}: ${JSON.stringify(value).slice(0, 200)} ${remedy}`);
    this.name = 'InvalidSetting';
  }
}

interface Setting {
  readonly variable: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** What the environment says of a setting; an empty variable says nothing. */
function fromEnvironment({ variable, environment }: Setting): string | undefined {
  const text = environment[variable];
  return text === '' ? undefined : text;
}

/** A text of a certain form; `remedy` says which. */
export function textSetting(setting: Setting, fallback: string, form: RegExp, remedy: string): string {
  const text = fromEnvironment(setting);
  if (text === undefined) return fallback;
  if (!form.test(text)) throw new InvalidSetting(setting.variable, text, remedy);
  return text;
}

/** One of a few words. */
export function choiceSetting<T extends string>(setting: Setting, fallback: T, choices: readonly T[]): T {
  const text = fromEnvironment(setting);
  if (text === undefined) return fallback;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new InvalidSetting(setting.variable, text, `is unknown: give one of ${choices.join(', ')}`);
  }
  return choice;
}
