import { createRequire } from 'node:module';
import { basename, dirname, extname } from 'node:path';
import type { App } from 'cdk8s';
import { InvalidOption } from '../validation/invalid-option';

/** Variables that an app reads while it is made: `FAIRLEAD_ENVIRONMENT`, `FAIRLEAD_OPTIONS`. */
export type Variables = Readonly<Record<string, string>>;

/**
 * The apps that a module makes, as `cdk8s synth` would write them with these variables; no manifest is written. A program that is not
 * installed beside fairlead gives the module's own cdk8s.
 */
export function loadedApps(
  main: string,
  variables: Variables,
  { App }: Pick<typeof import('cdk8s'), 'App'> = createRequire(__filename)('cdk8s') as typeof import('cdk8s'),
): readonly App[] {
  const apps: App[] = [];
  const synth = Object.getOwnPropertyDescriptor(App.prototype, 'synth') ?? {};
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  Object.defineProperty(App.prototype, 'synth', {
    configurable: true,
    get() {
      return function (this: App): void {
        apps.push(this);
      };
    },
    // What is put around it for an app of its own writes files too.
    set: () => undefined,
  });
  try {
    const load = createRequire(main);
    // The package is JavaScript: TypeScript is loaded as the app itself does.
    if (extname(__filename) === '.js' && extname(main) === '.ts') load(loader(load, main));
    // With other variables the same module makes another app.
    Reflect.deleteProperty(load.cache, load.resolve(main));
    load(main);
  } finally {
    Object.defineProperty(App.prototype, 'synth', synth);
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
  return apps;
}

/** What lets Node load TypeScript, whichever of these the app has. */
const loaders = ['ts-node/register/transpile-only', 'tsx/cjs'];

function loader(load: NodeJS.Require, main: string): string {
  for (const name of loaders) {
    try {
      return load.resolve(name);
    } catch {
      // The next one may be there.
    }
  }
  throw new InvalidOption(
    basename(main),
    dirname(main),
    'has neither ts-node nor tsx, one of which has to load it: npm install --save-dev ts-node',
  );
}
