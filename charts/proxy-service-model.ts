import { cidr } from '../values/addresses';
import { list } from '../values/collections';
import { integer, port } from '../values/integer';
import { InvalidOption } from '../values/invalid-option';
import { isQualifiedName, oneOf } from '../values/names';
import { userAnnotations } from './labels';
import type { ProxyServiceProps } from './proxy-service-props';

/** The Service of nginx with every value known. */
export interface ProxyServiceModel {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly httpNodePort: number | undefined;
  readonly httpsNodePort: number | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly loadBalancerSourceRanges: readonly string[] | undefined;
  readonly loadBalancerClass: string | undefined;
  readonly externalTrafficPolicy: 'Cluster' | 'Local' | undefined;
  /** The only networks whose addresses the proxies' pods accept; undefined accepts every one. */
  readonly clientNetworks: readonly string[] | undefined;
}

export function proxyServiceModel(props: ProxyServiceProps): ProxyServiceModel {
  const type = oneOf('serviceType', props.serviceType ?? 'LoadBalancer', ['ClusterIP', 'NodePort', 'LoadBalancer']);
  const only = (types: readonly string[], ...options: (keyof ProxyServiceProps)[]): void => {
    for (const option of options) {
      if (props[option] === undefined || types.includes(type)) continue;
      const remedy = `does not go with serviceType ${JSON.stringify(type)}: take it out, or give serviceType ${types.map((word) => JSON.stringify(word)).join(' or ')}`;
      throw new InvalidOption(option, props[option], remedy);
    }
  };
  only(['NodePort', 'LoadBalancer'], 'httpNodePort', 'httpsNodePort', 'externalTrafficPolicy');
  only(['LoadBalancer'], 'loadBalancerSourceRanges', 'loadBalancerClass');

  const httpNodePort = nodePort('httpNodePort', props.httpNodePort);
  const httpsNodePort = nodePort('httpsNodePort', props.httpsNodePort);
  if (httpsNodePort !== undefined && httpsNodePort === httpNodePort) {
    throw new InvalidOption('httpsNodePort', httpsNodePort, 'is httpNodePort as well: give a port of its own');
  }
  const httpPort = port('externalHttpPort', props.externalHttpPort ?? 80);
  const httpsPort = port('externalHttpsPort', props.externalHttpsPort ?? 443);
  if (httpsPort === httpPort) {
    const [option, other] =
      props.externalHttpsPort === undefined
        ? ['externalHttpPort', 'externalHttpsPort']
        : ['externalHttpsPort', 'externalHttpPort'];
    throw new InvalidOption(option, httpsPort, `is ${other} as well: give a port of its own`);
  }
  const sourceRanges =
    props.loadBalancerSourceRanges === undefined
      ? undefined
      : list('loadBalancerSourceRanges', props.loadBalancerSourceRanges, '["192.0.2.0/24"]').map((range) =>
          cidr('loadBalancerSourceRanges', range),
        );
  return {
    type,
    httpPort,
    httpsPort,
    httpNodePort,
    httpsNodePort,
    annotations: userAnnotations('serviceAnnotations', props.serviceAnnotations ?? {}),
    loadBalancerSourceRanges: sourceRanges,
    loadBalancerClass: loadBalancerClass(props.loadBalancerClass),
    externalTrafficPolicy: externalTrafficPolicy(props.externalTrafficPolicy, type),
    // Not of the default Local: a load balancer that makes connections of its own would be held off whole.
    clientNetworks: props.externalTrafficPolicy === 'Local' ? sourceRanges : undefined,
  };
}

function externalTrafficPolicy(
  given: ProxyServiceProps['externalTrafficPolicy'],
  type: ProxyServiceModel['type'],
): ProxyServiceModel['externalTrafficPolicy'] {
  if (given === undefined) return type === 'LoadBalancer' ? 'Local' : undefined;
  return oneOf<'Cluster' | 'Local'>('externalTrafficPolicy', given, ['Cluster', 'Local']);
}

function nodePort(option: string, value: number | undefined): number | undefined {
  return value === undefined ? undefined : integer(option, value, 30_000, 32_767);
}

function loadBalancerClass(value: string | undefined): string | undefined {
  if (value !== undefined && !isQualifiedName(value)) {
    throw new InvalidOption(
      'loadBalancerClass',
      value,
      'is not the name of a class: give one such as "example.com/internal"',
    );
  }
  return value;
}
