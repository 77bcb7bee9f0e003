// What the blocks of the pages have around them. A block without an import of what it uses, or a declaration, has it from here: README
// shows each name once with the lines that make it.
import type { App } from 'cdk8s';
import type { Backend, LoadBalancedApi, NginxProxy, RestrictedNamespace } from '../../../index';

export * from '../../../index';
export { ApiObject, App, JsonPatch } from 'cdk8s';
export { ConfigMap, EnvValue, Namespaces, NetworkPolicyIpBlock, Secret } from 'cdk8s-plus-27';

export declare const app: App;
export declare const api: LoadBalancedApi;
export declare const shop: RestrictedNamespace;
export declare const edge: NginxProxy;

export declare const orders: Backend;
export declare const catalog: Backend;
export declare const canary: Backend;
export declare const admin: Backend;
export declare const sessions: Backend;
export declare const v1: Backend;
export declare const v2: Backend;
export declare const v3: Backend;
