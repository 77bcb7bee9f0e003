import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { App } from 'cdk8s';
import { LoadBalancedApi } from '../charts/load-balanced-api';
import { Failure } from './command-line';

/** The APIs of an app as `cdk8s synth` sees it, in an environment; no manifest is written. */
export function deployedApis(main: string, environment: string): readonly [LoadBalancedApi, ...LoadBalancedApi[]] {
  if (!existsSync(main)) throw new Failure(`${basename(main)} is not in ${dirname(main)}: put it there`);
  const [first, ...others] = loadedApps(main, environment).flatMap((app) =>
    app.node.findAll().filter((construct) => construct instanceof LoadBalancedApi),
  );
  if (first === undefined) {
    throw new Failure(`${basename(main)} synthesizes no LoadBalancedApi: add one, and end with app.synth()`);
  }
  return [first, ...others];
}

/** The apps that the module would have written. */
function loadedApps(main: string, environment: string): readonly App[] {
  const apps: App[] = [];
  const synth = Object.getOwnPropertyDescriptor(App.prototype, 'synth') ?? {};
  const before = process.env.FAIRLEAD_ENVIRONMENT;
  process.env.FAIRLEAD_ENVIRONMENT = environment;
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
    createRequire(main)(main);
  } catch (error) {
    // By name: an app may carry a second copy of the package, whose class is another.
    if (error instanceof Error && error.name === 'InvalidOption') throw new Failure(error.message);
    throw error;
  } finally {
    Object.defineProperty(App.prototype, 'synth', synth);
    if (before === undefined) delete process.env.FAIRLEAD_ENVIRONMENT;
    else process.env.FAIRLEAD_ENVIRONMENT = before;
  }
  return apps;
}
