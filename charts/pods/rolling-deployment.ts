import { ApiObject, Duration, JsonPatch } from 'cdk8s';
import {
  type Container,
  type ContainerProps,
  Deployment,
  DeploymentStrategy,
  type k8s,
  LabelSelector,
  Node,
  NodeTaintQuery,
  PercentOrAbsolute,
  type PodSecurityContextProps,
  TaintEffect,
} from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import type { Timeline } from '../../model/timeline';
import { whenWritten } from '../patches';
import type { PodModel, Spread } from './pod-options';
import { resourceRequirements, type Resources } from './resources';

/** What the Deployments of the API and of nginx have in common. */
export interface RollingDeploymentProps {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly matchLabels: Readonly<Record<string, string>>;
  /** Left out when an autoscaler decides. */
  readonly replicas: number | undefined;
  readonly revisionHistoryLimit: number;
  readonly container: ContainerProps;
  readonly resources: Resources;
  readonly securityContext: PodSecurityContextProps;
  readonly pods: PodModel;
  /** In seconds: how long pods stay bound to a node that is lost. */
  readonly unreachableToleration: number;
  /** In seconds: from the decision to end a pod until its process is told. */
  readonly preStop: number;
  /** In seconds: from that decision until the process is killed. */
  readonly terminationGracePeriod: number;
}

/** A Deployment of hardened pods, spread over nodes, that never has fewer ready pods than it should while it rolls. */
export class RollingDeployment extends Deployment {
  constructor(scope: Construct, id: string, props: RollingDeploymentProps) {
    super(scope, id, {
      metadata: { name: props.name, labels: { ...props.labels } },
      podMetadata: { labels: { ...props.podLabels }, annotations: { ...props.pods.annotations } },
      select: false,
      ...(props.replicas === undefined ? {} : { replicas: props.replicas }),
      strategy: DeploymentStrategy.rollingUpdate({
        maxUnavailable: PercentOrAbsolute.absolute(0),
        maxSurge: PercentOrAbsolute.percent(25),
      }),
      securityContext: { ...props.securityContext, ensureNonRoot: true },
      automountServiceAccountToken: false,
      ...(props.pods.serviceAccount === undefined ? {} : { serviceAccount: props.pods.serviceAccount }),
      terminationGracePeriod: Duration.seconds(props.terminationGracePeriod),
    });
    this.select(LabelSelector.of({ labels: { ...props.matchLabels } }));

    // Resources are patched in: they would else go through a type that cannot express every quantity.
    this.addContainer({ ...props.container, resources: {} });

    const manifest = ApiObject.of(this);
    manifest.addJsonPatch(
      JsonPatch.add('/spec/revisionHistoryLimit', props.revisionHistoryLimit),
      JsonPatch.add('/spec/template/spec/containers/0/resources', resourceRequirements(props.resources)),
      ...podPatches(props.pods),
      topologySpread(props.matchLabels, props.pods.spread),
      ...restrictedPods(),
    );
    this.tolerateUnreachable(props.unreachableToleration);
    preStopSleep(this, props.preStop);
  }

  /**
   * Lets Kubernetes replace the pods of a lost node so many seconds after it has noticed; its own default is 300.
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
   */
  private tolerateUnreachable(seconds: number): void {
    const lost = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((taint) =>
      NodeTaintQuery.exists(taint, { effect: TaintEffect.NO_EXECUTE, evictAfter: Duration.seconds(seconds) }),
    );
    this.scheduling.tolerate(Node.tainted(...lost));
  }

  /**
   * How soon the pods' own connections to a lost node are found dead; a node's default is hours. cdk8s-plus-27 cannot set
   * sysctls. These are safe since Kubernetes 1.29: kubelets and Pod Security `restricted` allow them.
   * @see https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls
   */
  setTcpKeepAlive({ tcpKeepAliveTime, tcpKeepAliveInterval, tcpKeepAliveProbes }: Timeline): void {
    ApiObject.of(this).addJsonPatch(
      JsonPatch.add('/spec/template/spec/securityContext/sysctls', [
        { name: 'net.ipv4.tcp_keepalive_time', value: String(tcpKeepAliveTime) },
        { name: 'net.ipv4.tcp_keepalive_intvl', value: String(tcpKeepAliveInterval) },
        { name: 'net.ipv4.tcp_keepalive_probes', value: String(tcpKeepAliveProbes) },
      ]),
    );
  }

  /** Another container in every pod; it is as restricted as the first. */
  override addContainer(props: ContainerProps): Container {
    ApiObject.of(this).addJsonPatch(restrictedContainer('containers', this.containers.length));
    return super.addContainer(props);
  }

  /** A container that ends before the others begin; it is as restricted as they are. */
  override addInitContainer(props: ContainerProps): Container {
    ApiObject.of(this).addJsonPatch(restrictedContainer('initContainers', this.initContainers.length));
    return super.addInitContainer(props);
  }
}

/** What cdk8s-plus-27 cannot set of pods. */
function podPatches({ imagePullSecrets, priorityClass }: PodModel): JsonPatch[] {
  return [
    ...(imagePullSecrets.length === 0
      ? []
      : [
          JsonPatch.add(
            '/spec/template/spec/imagePullSecrets',
            imagePullSecrets.map((name) => ({ name })),
          ),
        ]),
    ...(priorityClass === undefined ? [] : [JsonPatch.add('/spec/template/spec/priorityClassName', priorityClass)]),
  ];
}

/**
 * Spreads the pods of one ReplicaSet: by default strictly over nodes, since a lost node must not take all of them, and over
 * zones where that is possible.
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
 */
function topologySpread(matchLabels: Readonly<Record<string, string>>, spread: PodModel['spread']): JsonPatch {
  const constraint = (topologyKey: string, how: Spread): k8s.TopologySpreadConstraint => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: how === 'required' ? 'DoNotSchedule' : 'ScheduleAnyway',
    labelSelector: { matchLabels: { ...matchLabels } },
    // A rollout spreads the new pods by themselves, wherever the old ones are.
    matchLabelKeys: ['pod-template-hash'],
    // A node that takes no pods (control plane, drained, lost) does not count as an empty one.
    nodeTaintsPolicy: 'Honor',
  });
  return JsonPatch.add('/spec/template/spec/topologySpreadConstraints', [
    constraint('kubernetes.io/hostname', spread.nodes),
    constraint('topology.kubernetes.io/zone', spread.zones),
  ]);
}

/** As much of a Deployment as is completed when it is written. */
export interface DeploymentManifest {
  readonly spec: {
    readonly template: {
      readonly spec: {
        terminationGracePeriodSeconds: number;
        readonly containers: readonly WrittenContainer[];
        initContainers?: object[];
        readonly volumes: WrittenVolume[];
      };
    };
  };
}

interface WrittenContainer {
  command?: readonly string[];
  lifecycle?: { preStop?: object };
  readonly securityContext: object;
  readonly resources: { readonly requests: Record<string, string>; readonly limits: Record<string, string> };
  readonly volumeMounts: object[];
}

interface WrittenVolume {
  readonly name: string;
  readonly configMap?: { name: string };
  readonly emptyDir?: { sizeLimit?: string };
  readonly projected?: object;
}

/**
 * Lets the kubelet wait before it tells the first container to end, unless that has a `preStop` of its own by then. The
 * serializer of cdk8s-plus-27 knows Kubernetes 1.27 and drops the newer `sleep`, from a JSON patch too: it is added behind.
 * @see https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-implementations
 */
function preStopSleep(deployment: Deployment, seconds: number): void {
  whenWritten(deployment, (manifest: DeploymentManifest) => {
    const [container] = manifest.spec.template.spec.containers;
    if (container !== undefined && container.lifecycle?.preStop === undefined) {
      container.lifecycle = { ...container.lifecycle, preStop: { sleep: { seconds } } };
    }
  });
}

/**
 * What the Pod Security Standard `restricted` asks for, and cdk8s-plus-27 cannot say of a Deployment.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
function restrictedPods(): JsonPatch[] {
  return [
    JsonPatch.add('/spec/template/spec/securityContext/seccompProfile', { type: 'RuntimeDefault' }),
    // The environment of the pods would else carry the address of every Service of the namespace.
    JsonPatch.add('/spec/template/spec/enableServiceLinks', false),
  ];
}

/** The same of one container. */
function restrictedContainer(list: 'containers' | 'initContainers', index: number): JsonPatch {
  return JsonPatch.add(`/spec/template/spec/${list}/${index}/securityContext/capabilities`, { drop: ['ALL'] });
}
