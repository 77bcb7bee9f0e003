import { Exposure } from '../../../charts/proxy/exposure';
import { InvalidOption } from '../../../validation/invalid-option';

describe('A way in is refused', () => {
  type Factory = 'loadBalancer' | 'nodePort' | 'clusterIp';

  test.each<[what: string, factory: Factory, options: unknown, message: string]>([
    ['with options that are none', 'clusterIp', 5, ': 5 is not an object with names and values'],
    ['with null', 'nodePort', null, ': null is not an object with names and values'],
    [
      'with a port of nodes that a ClusterIP has not',
      'clusterIp',
      { httpsNodePort: 30_443 },
      ' httpsNodePort: 30443 is an option that does not exist: take it out',
    ],
    [
      'with a traffic policy that a ClusterIP has not',
      'clusterIp',
      { externalTrafficPolicy: 'Local' },
      ' externalTrafficPolicy: "Local" is an option that does not exist: take it out',
    ],
    [
      'with source ranges that ports of nodes have not',
      'nodePort',
      { sourceRanges: ['10.0.0.0/8'] },
      ' sourceRanges: "(object)" is an option that does not exist: take it out',
    ],
    [
      'with a class that ports of nodes have not',
      'nodePort',
      { loadBalancerClass: 'example.com/internal' },
      ' loadBalancerClass: "example.com/internal" is an option that does not exist: take it out',
    ],
    [
      'with a class that is not a name',
      'loadBalancer',
      { loadBalancerClass: 'an internal one' },
      ' loadBalancerClass: "an internal one" is not the name of a class: give one such as "example.com/internal"',
    ],
    [
      'with a class whose domain is none',
      'loadBalancer',
      { loadBalancerClass: 'a..b/x' },
      ' loadBalancerClass: "a..b/x" is not the name of a class: give one such as "example.com/internal"',
    ],
    [
      'with a port of nodes out of range',
      'nodePort',
      { httpNodePort: 29_999 },
      ' httpNodePort: 29999 is out of range: give a whole number from 30000 to 32767',
    ],
    [
      'with a port of nodes for HTTPS out of range',
      'loadBalancer',
      { httpsNodePort: 32_768 },
      ' httpsNodePort: 32768 is out of range: give a whole number from 30000 to 32767',
    ],
    ['with a port out of range', 'loadBalancer', { httpPort: 0 }, ' httpPort: 0 is out of range'],
    ['with a port for HTTPS out of range', 'clusterIp', { httpsPort: 65_536 }, ' httpsPort: 65536 is out of range'],
    [
      'with one port of nodes for both',
      'nodePort',
      { httpNodePort: 30_080, httpsNodePort: 30_080 },
      ' httpNodePort: 30080 is httpsNodePort as well: give a port of its own',
    ],
    ...(['loadBalancer', 'nodePort', 'clusterIp'] as const).map((factory): [string, Factory, unknown, string] => [
      `with one port for both by ${factory}`,
      factory,
      { httpPort: 8443, httpsPort: 8443 },
      ' httpPort: 8443 is httpsPort as well: give a port of its own',
    ]),
    [
      "with the default of one port as the other's",
      'loadBalancer',
      { httpPort: 443 },
      ' httpPort: 443 is httpsPort as well: give a port of its own',
    ],
    [
      'with a source range without a prefix length',
      'loadBalancer',
      { sourceRanges: ['192.0.2.1'] },
      ' sourceRanges: "192.0.2.1" is not a CIDR: give an address and a prefix length, such as "10.0.0.0/8"',
    ],
    [
      'with source ranges that are one text',
      'loadBalancer',
      { sourceRanges: '192.0.2.0/24' },
      ' sourceRanges: "192.0.2.0/24" is not a list: give one, such as ["192.0.2.0/24"]',
    ],
    [
      'with an unknown traffic policy',
      'nodePort',
      { externalTrafficPolicy: 'local' },
      ' externalTrafficPolicy: "local" is unknown: give one of Cluster, Local',
    ],
    [
      'with an annotation that is not text',
      'loadBalancer',
      { annotations: { 'example.com/on': true } },
      ' annotations["example.com/on"]: true is not text: put it in quotes',
    ],
    [
      'with an annotation whose key is not one',
      'clusterIp',
      { annotations: { 'a..b/x': 'y' } },
      ' annotations["a..b/x"]: "a..b/x" is not a key of Kubernetes: give a name such as "team", or "example.com/team"',
    ],
    [
      'with annotations that are a list',
      'nodePort',
      { annotations: ['text'] },
      ' annotations: ["text"] is not an object with names and values: give one, such as { "example.com/internal": "true" }',
    ],
    [
      'with a delay that is too long',
      'clusterIp',
      { deregistrationDelay: '11m' },
      ' deregistrationDelay: "11m" is too long: give 10m or less',
    ],
    [
      'with no delay at all',
      'loadBalancer',
      { deregistrationDelay: '0s' },
      ' deregistrationDelay: "0s" is too short: give 1s or more',
    ],
  ])('%s', (_, factory, options, message) => {
    try {
      Exposure[factory](options as never);
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidOption);
      expect((error as Error).message.startsWith(`Exposure.${factory}${message}`)).toBe(true);
      return;
    }
    throw new Error('nothing was refused');
  });
});
