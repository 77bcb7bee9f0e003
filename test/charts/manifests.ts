import { App, Testing } from 'cdk8s';
import { Backend } from '../../charts/backend';
import type { BackendProps } from '../../charts/backend-props';
import { Certificate } from '../../charts/proxy/certificate';
import { LoadBalancedApi, type LoadBalancedApiProps } from '../../charts/load-balanced-api';
import { type NamespaceOptions, RestrictedNamespace } from '../../charts/namespace';
import { NginxProxy } from '../../charts/proxy/nginx-proxy';
import type { NginxProxyProps } from '../../charts/proxy/nginx-proxy-props';

/** As much of a manifest as a test looks at. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Options of a test, in which the image may be left out. */
export type TestProps = Partial<LoadBalancedApiProps>;

export const image = 'ghcr.io/acme/orders:1.4.2';

/** A complete set of options: an image, and a Secret that something else makes, so that nothing is generated. */
export function props(given: TestProps = {}): LoadBalancedApiProps {
  return { image, certificate: Certificate.fromSecret('orders-tls'), ...given };
}

/** Every object of one LoadBalancedApi named `orders`, in the order of `kubectl apply -f dist/`. */
export function synthesize(given: TestProps = {}, change?: (api: LoadBalancedApi) => void): Manifest[] {
  const app = new App();
  const api = new LoadBalancedApi(app, 'orders', props(given));
  change?.(api);
  return manifestsOf(app);
}

export function manifestsOf(app: App): Manifest[] {
  return app.charts.flatMap((chart) => Testing.synth(chart) as Manifest[]);
}

/** A namespace `shop` in an app of its own. */
export function newShop(options: NamespaceOptions = {}): RestrictedNamespace {
  return new RestrictedNamespace(new App(), 'shop', options);
}

export function newBackend(shop: RestrictedNamespace, id: string, given: Partial<BackendProps> = {}): Backend {
  return new Backend(shop, id, { image: `ghcr.io/acme/${id}:1`, ...given });
}

/** A proxy whose certificate something else makes. */
export function newProxy(shop: RestrictedNamespace, id = 'edge', given: NginxProxyProps = {}): NginxProxy {
  return new NginxProxy(shop, id, { certificate: Certificate.fromSecret('shop-tls'), ...given });
}

/** Every object of the app that a construct is in. */
export function objectsAround(shop: RestrictedNamespace): Manifest[] {
  const { root } = shop.node;
  if (!(root instanceof App)) throw new Error('there is no app');
  return manifestsOf(root);
}

export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} of ${kind}/${name} in ${namesOf(manifests).join(', ')}`);
  }
  return found[0];
}

/** What every NetworkPolicy of these pods allows, since they add up. */
export function allowed(
  manifests: readonly Manifest[],
  direction: 'ingress' | 'egress',
  instance: string,
): readonly Readonly<Record<string, unknown>>[] {
  return manifests.flatMap(({ kind, spec }) => {
    if (kind !== 'NetworkPolicy') return [];
    const { podSelector, [direction]: rules = [] } = spec as {
      readonly podSelector: { readonly matchLabels?: Readonly<Record<string, string>> };
    } & Readonly<Partial<Record<typeof direction, readonly Readonly<Record<string, unknown>>[]>>>;
    return podSelector.matchLabels?.['app.kubernetes.io/instance'] === instance ? rules : [];
  });
}

/** Where a proxy may connect to, beside DNS and the pods of backends. */
export function egressOf(manifests: readonly Manifest[], proxy = 'edge'): readonly unknown[] {
  return allowed(manifests, 'egress', proxy).slice(2);
}

/** `Deployment/orders`; the hash of a configuration is left out. */
export function namesOf(manifests: readonly Manifest[]): string[] {
  return manifests.map(({ kind, metadata }) => `${kind}/${metadata.name.replace(/-[0-9a-f]{10}$/, '-HASH')}`);
}

export function nginxConfOf(manifests: readonly Manifest[]): string {
  return String(nginxFilesOf(manifests)['nginx.conf']);
}

/** All that is beside it, by name. */
export function nginxFilesOf(manifests: readonly Manifest[]): Readonly<Record<string, string>> {
  const configMaps = manifests.filter(({ kind, data }) => kind === 'ConfigMap' && data?.['nginx.conf'] !== undefined);
  const [found] = configMaps;
  if (configMaps.length !== 1 || found?.data === undefined) throw new Error(`${configMaps.length} ConfigMaps`);
  return found.data;
}

/** The pod template of a Deployment. */
export function podSpecOf(manifests: readonly Manifest[], deployment: string): PodSpec {
  const { spec } = find(manifests, 'Deployment', deployment) as unknown as DeploymentManifest;
  return spec.template.spec;
}

export function containerOf(manifests: readonly Manifest[], deployment: string): ContainerSpec {
  const [container] = podSpecOf(manifests, deployment).containers;
  if (container === undefined) throw new Error(`${deployment} has no container`);
  return container;
}

interface DeploymentManifest {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly ContainerSpec[];
  readonly terminationGracePeriodSeconds: number;
  readonly [field: string]: unknown;
}

interface ContainerSpec {
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly resources: {
    readonly requests: Readonly<Record<string, string>>;
    readonly limits: Readonly<Record<string, string>>;
  };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly subPath?: string }[];
  readonly [field: string]: unknown;
}
