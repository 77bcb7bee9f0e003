import { basename } from 'node:path';
import type { IConstruct } from 'constructs';
import { LoadBalancedApi } from '../charts/load-balanced-api';
import type { Variables } from '../charts/loaded-apps';
import { NginxProxy } from '../charts/proxy/nginx-proxy';
import { Failure } from './command-line';
import { deployedApps } from './deployed-apps';

/** The proxies of an app as `cdk8s synth` sees it; no manifest is written. */
export function deployedProxies(main: string, variables: Variables): readonly [NginxProxy, ...NginxProxy[]] {
  const [first, ...others] = constructsOf(main, variables).filter((construct) => construct instanceof NginxProxy);
  if (first === undefined) {
    throw new Failure(
      `${basename(main)} synthesizes no NginxProxy: add one, or a LoadBalancedApi, and end with app.synth()`,
    );
  }
  return [first, ...others];
}

/** The LoadBalancedApi of an app that has one, as `cdk8s synth` sees it; no manifest is written. */
export function deployedApi(main: string, variables: Variables): LoadBalancedApi {
  const [only, ...others] = constructsOf(main, variables).filter((construct) => construct instanceof LoadBalancedApi);
  if (only === undefined) {
    throw new Failure(`${basename(main)} synthesizes no LoadBalancedApi: add one, and end with app.synth()`);
  }
  if (others.length > 0) {
    throw new Failure(
      `${basename(main)} makes ${others.length + 1} LoadBalancedApi: leave the one that is to be tried`,
    );
  }
  return only;
}

/** Everything in the apps that the module would have written. */
function constructsOf(main: string, variables: Variables): readonly IConstruct[] {
  return deployedApps(main, variables).flatMap((app) => app.node.findAll());
}
