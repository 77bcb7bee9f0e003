import { App, Testing } from 'cdk8s';
import { LoadBalancedApi } from '../../charts/load-balanced-api';
import type { LoadBalancedApiProps } from '../../charts/load-balanced-api-props';

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

/** Options of a test, in which the container may be given in part. */
export type TestProps = Omit<Partial<LoadBalancedApiProps>, 'container'> & {
  readonly container?: Partial<LoadBalancedApiProps['container']>;
};

/** A complete set of options: an image, and a Secret that something else makes, so that nothing is generated. */
export function props({ container, ...rest }: TestProps = {}): LoadBalancedApiProps {
  const own = rest.tlsCertificateFile !== undefined || rest.tlsPrivateKeyFile !== undefined;
  return {
    ...(own ? {} : { tlsSecretName: 'orders-tls' }),
    ...rest,
    container: { image: 'ghcr.io/acme/orders:1.4.2', ...container },
  };
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

export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(
      `${found.length} of ${kind}/${name} in ${manifests.map((one) => `${one.kind}/${one.metadata.name}`).join(', ')}`,
    );
  }
  return found[0];
}

export function nginxConfOf(manifests: readonly Manifest[]): string {
  const configMaps = manifests.filter(({ kind }) => kind === 'ConfigMap');
  const conf = configMaps[0]?.data?.['nginx.conf'];
  if (configMaps.length !== 1 || conf === undefined) throw new Error(`${configMaps.length} ConfigMaps`);
  return conf;
}

/** The pod template of a Deployment. */
export function podSpecOf(manifests: readonly Manifest[], deployment: 'api' | 'nginx'): PodSpec {
  const { spec } = find(manifests, 'Deployment', deployment) as unknown as DeploymentManifest;
  return spec.template.spec;
}

export function containerOf(manifests: readonly Manifest[], deployment: 'api' | 'nginx'): ContainerSpec {
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
