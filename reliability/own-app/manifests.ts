import type { KeyPair } from '../../certificates/key-pair';
import { httpsPort } from '../../charts/proxy/nginx-pod';
import { nodePorts } from '../../cluster/kind-config';
import type { KubernetesObject } from '../../cluster/kubectl';
import { cpus, memoryBytes } from '../../validation/amounts';
import { standardReplicas } from '../deployed-app';

export interface Manifest extends KubernetesObject {
  readonly spec?: object;
}

/** What of an app is tried on a machine, and with what. */
export interface Trial {
  readonly namespace: string;
  /** The names of the two Deployments that are tried. */
  readonly backend: string;
  readonly proxy: string;
  /** What each proxy of the app is called, with the certificate of all its hosts. */
  readonly certificates: readonly { readonly namespace: string; readonly proxy: string; readonly pair: KeyPair }[];
  /** What the nodes have in place of images, which need not have the name that main.ts gives them. */
  readonly images: ReadonlyMap<string, string>;
}

/** API groups of Kubernetes itself: other kinds are of operators, which a new cluster does not have. */
const ownGroups =
  /^(?:v1|(?:apps|batch|autoscaling|policy)\/v\w+|(?:networking|rbac\.authorization|storage|scheduling)\.k8s\.io\/v\w+)$/;

/** Whether a cluster of kind knows the kind, and nothing else decides how many pods there are. */
function isTaken({ apiVersion, kind }: Manifest): boolean {
  return ownGroups.test(apiVersion) && kind !== 'HorizontalPodAutoscaler';
}

/** The manifests of an app as a kind cluster can run them, with fixed numbers of pods. */
export function kindManifests(manifests: readonly Manifest[], trial: Trial): readonly Manifest[] {
  const taken = manifests.filter(isTaken);
  const secrets = taken.filter(isDeployment).flatMap((deployment) => tlsSecrets(deployment, trial));
  const isReplaced = ({ kind, metadata: { name, namespace } }: Manifest): boolean =>
    kind === 'Secret' && secrets.some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  return [...secrets, ...taken.filter((manifest) => !isReplaced(manifest)).map((each) => forKind(each, trial))];
}

/** The kinds that are left out, as people call them. */
export function leftOut(manifests: readonly Manifest[]): readonly string[] {
  return [...new Set(manifests.filter((manifest) => !isTaken(manifest)).map(({ kind }) => kind))].sort();
}

/** The images of all containers, each once. */
export function imagesOf(manifests: readonly Manifest[]): readonly string[] {
  const pods = manifests.flatMap((manifest) => podOf(manifest) ?? []);
  const containers = pods.flatMap(({ containers = [], initContainers = [] }) => [...initContainers, ...containers]);
  return [...new Set(containers.flatMap(({ image = [] }) => image))].sort();
}

/** The Secret of the certificate that a proxy shows who asks for no host that has its own. */
export function ownSecretName(
  manifests: readonly Manifest[],
  { namespace, proxy }: Pick<Trial, 'namespace' | 'proxy'>,
): string {
  const deployment = manifests.find(
    (each) => isDeployment(each) && each.metadata.name === proxy && each.metadata.namespace === namespace,
  );
  const name = podOf(deployment)?.volumes?.find((volume) => volume.name === tlsVolume)?.secret?.secretName;
  if (name === undefined) throw new Error(`the proxy ${proxy} mounts a certificate`);
  return name;
}

interface Container {
  readonly image?: string;
  readonly imagePullPolicy?: string;
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
  readonly topologySpreadConstraints?: readonly { readonly topologyKey: string }[];
}

interface Workload extends Manifest {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

interface ServicePort {
  readonly name?: string;
  readonly nodePort?: number;
}

interface Service extends Manifest {
  readonly spec: { readonly type?: string; readonly ports?: readonly ServicePort[] };
}

interface NetworkPolicy extends Manifest {
  readonly spec: {
    readonly ingress?: readonly { readonly ports?: readonly { readonly port?: number | string }[] }[];
  };
}

const workloads = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'];
const tlsVolume = 'tls';

function podOf(manifest: Manifest | undefined): PodSpec | undefined {
  return manifest !== undefined && workloads.includes(manifest.kind)
    ? (manifest as Workload).spec.template.spec
    : undefined;
}

function isDeployment({ kind }: Manifest): boolean {
  return kind === 'Deployment';
}

function forKind(manifest: Manifest, trial: Trial): Manifest {
  if (workloads.includes(manifest.kind)) return workload(manifest as Workload, trial);
  if (manifest.kind === 'Service') return service(manifest as Service, trial);
  if (manifest.kind === 'NetworkPolicy') return networkPolicy(manifest as NetworkPolicy, trial);
  return manifest;
}

function isTried({ metadata }: Manifest, names: readonly string[], { namespace }: Trial): boolean {
  return metadata.namespace === namespace && names.includes(metadata.name);
}

/** Of what is tried as many pods as every run has, and of all else one: it has to fit on one machine. */
function workload(manifest: Workload, trial: Trial): Manifest {
  const { spec } = manifest;
  const { backend, proxy, images } = trial;
  const isOfTrial = isTried(manifest, [backend, proxy], trial);
  const standard = manifest.metadata.name === backend ? standardReplicas.api : standardReplicas.proxy;
  const replicas = manifest.kind === 'Deployment' ? { replicas: isOfTrial ? standard : 1 } : {};
  const pod = podSpec(spec.template.spec, isOfTrial ? triedRequests : otherRequests, images);
  return { ...manifest, spec: { ...spec, ...replicas, template: { ...spec.template, spec: pod } } };
}

/** What one container may reserve at most; its limits are those of main.ts. */
interface Requests {
  readonly cpu: string;
  readonly memory: string;
}

const triedRequests: Requests = { cpu: '250m', memory: '64Mi' };
const otherRequests: Requests = { cpu: '10m', memory: '16Mi' };

/** Of a pod what any cluster has: nodes with labels, priorities and credentials are of the one that it is meant for. */
const ofTheCluster = ['affinity', 'imagePullSecrets', 'nodeSelector', 'priorityClassName', 'runtimeClassName'];

function podSpec(spec: PodSpec, most: Requests, images: ReadonlyMap<string, string>): PodSpec {
  const { containers = [], initContainers, topologySpreadConstraints } = spec;
  const each = (list: readonly Container[]): Container[] => list.map((one) => container(one, most, images));
  return {
    ...without(spec, ofTheCluster),
    containers: each(containers),
    ...(initContainers === undefined ? {} : { initContainers: each(initContainers) }),
    // A node without a zone takes no pod that has to be spread over zones.
    ...(topologySpreadConstraints === undefined
      ? {}
      : {
          topologySpreadConstraints: topologySpreadConstraints.filter(
            ({ topologyKey }) => topologyKey === 'kubernetes.io/hostname',
          ),
        }),
  };
}

function container(given: Container, most: Requests, images: ReadonlyMap<string, string>): Container {
  const { image = '', resources } = given;
  const requests = resources?.requests;
  return {
    ...given,
    image: images.get(image) ?? image,
    // The nodes have it already, under a name that no registry need know.
    imagePullPolicy: 'IfNotPresent',
    ...(requests === undefined ? {} : { resources: { ...resources, requests: lowered(requests, most) } }),
  };
}

function lowered(requests: Readonly<Record<string, string>>, most: Requests): Readonly<Record<string, string>> {
  return {
    ...requests,
    ...(isMore(requests.cpu, most.cpu, cpus) ? { cpu: most.cpu } : {}),
    ...(isMore(requests.memory, most.memory, memoryBytes) ? { memory: most.memory } : {}),
  };
}

/** Kubernetes knows more ways to write an amount than fairlead does: such a one, of somebody's own container, stays. */
function isMore(given: string | undefined, most: string, read: (option: string, value: unknown) => number): boolean {
  try {
    return given !== undefined && read('request', given) > read('request', most);
  } catch {
    return false;
  }
}

function without<Of extends object>(object: Of, fields: readonly string[]): Of {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field))) as Of;
}

/** Of a Service what other clusters have: addresses of another family, and load balancers. */
const ofLoadBalancers = [
  ...[
    'allocateLoadBalancerNodePorts',
    'externalIPs',
    'externalTrafficPolicy',
    'healthCheckNodePort',
    'loadBalancerClass',
  ],
  ...['loadBalancerIP', 'loadBalancerSourceRanges', 'ipFamilies', 'ipFamilyPolicy'],
];

/** The way in is a port of every node; no other Service has any, as it might be the same. */
function service(manifest: Service, trial: Trial): Manifest {
  const { type, ports = [] } = manifest.spec;
  const isWayIn = isTried(manifest, [trial.proxy], trial);
  const isExternal = type === 'LoadBalancer' || type === 'NodePort';
  const portOf = (port: ServicePort): ServicePort => ({
    ...without(port, ['nodePort']),
    ...(isWayIn ? { nodePort: port.name === 'http' ? nodePorts.http : nodePorts.https } : {}),
  });
  return {
    ...manifest,
    spec: {
      ...without(manifest.spec, ofLoadBalancers),
      ...(isWayIn ? { type: 'NodePort' } : isExternal ? { type: 'ClusterIP' } : {}),
      ...(ports.length === 0 ? {} : { ports: ports.map(portOf) }),
    },
  };
}

/** Whoever comes through a node has the node's address, which no list of networks has. */
function networkPolicy(manifest: NetworkPolicy, trial: Trial): Manifest {
  if (!isTried(manifest, [trial.proxy], trial)) return manifest;
  const ingress = manifest.spec.ingress?.map((rule) => {
    const isForClients = rule.ports?.some(({ port }) => port === httpsPort) === true;
    return isForClients ? { ports: rule.ports } : rule;
  });
  return { ...manifest, spec: { ...manifest.spec, ...(ingress === undefined ? {} : { ingress }) } };
}

/** What a proxy mounts of certificates, each made here: those of main.ts may be anywhere, and their keys belong in no test. */
function tlsSecrets(deployment: Manifest, { certificates }: Trial): Manifest[] {
  const { name, namespace = '' } = deployment.metadata;
  const found = certificates.find((each) => each.proxy === name && each.namespace === namespace);
  if (found === undefined) return [];
  const { certificate, privateKey } = found.pair;
  const volumes = podOf(deployment)?.volumes ?? [];
  const names = volumes.flatMap((volume) =>
    volume.name === tlsVolume || volume.name.startsWith(`${tlsVolume}-`) ? (volume.secret?.secretName ?? []) : [],
  );
  return [...new Set(names)].map((secret) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secret, namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate, 'tls.key': privateKey },
  }));
}
