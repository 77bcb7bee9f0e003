import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from '../local/ports';
import { InvalidOption, refuseAll } from '../validation/invalid-option';

/** The ports of this machine that lead into the cluster. */
export interface HostPorts {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Where kube-proxy says whether the node has a ready proxy, as the health checks of clouds ask it. */
  readonly healthCheckPort?: number;
  /** Where other proxies are reached, if they have a Service for it. */
  readonly otherHttpsPort?: number;
}

/** The node ports of the proxies' Service, as the kind environment sets them, one for health checks, and one for other proxies. */
export const nodePorts = { http: 30080, https: 30443, healthCheck: 30256, otherHttps: 30444 } as const;

/**
 * What `kind create cluster --config` reads: one control plane, two workers, and ports on 127.0.0.1 alone: of the
 * control plane, and of the workers where there are more.
 * @see https://kind.sigs.k8s.io/docs/user/configuration/
 */
export function kindConfig(ports: readonly HostPorts[]): string {
  const portMapping = (containerPort: number, hostPort: number): object => ({
    containerPort,
    hostPort,
    listenAddress: '127.0.0.1',
    protocol: 'TCP',
  });
  const node = (role: string, index: number): object => {
    const own = ports[index];
    if (own === undefined) return { role };
    return {
      role,
      extraPortMappings: [
        portMapping(nodePorts.http, own.httpPort),
        portMapping(nodePorts.https, own.httpsPort),
        ...(own.healthCheckPort === undefined ? [] : [portMapping(nodePorts.healthCheck, own.healthCheckPort)]),
        ...(own.otherHttpsPort === undefined ? [] : [portMapping(nodePorts.otherHttps, own.otherHttpsPort)]),
      ],
    };
  };
  // JSON is YAML.
  return JSON.stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    nodes: ['control-plane', 'worker', 'worker'].map(node),
  });
}

/** Two ports of this machine that nothing has. */
export async function freePorts(): Promise<HostPorts> {
  return { httpPort: await freePort(), httpsPort: await freePort() };
}

/** Refuses ports of this machine that other programs have: all that are taken at once. */
export async function requireFreePorts({ httpPort, httpsPort }: HostPorts): Promise<void> {
  const refused = await Promise.all([whyTaken('--http-port', httpPort), whyTaken('--https-port', httpsPort)]);
  refuseAll(refused.filter((error) => error !== undefined));
}

async function whyTaken(option: string, hostPort: number): Promise<InvalidOption | undefined> {
  const server = createServer();
  try {
    server.listen(hostPort, '127.0.0.1');
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    // Docker may take a port that this user may not.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    return new InvalidOption(option, hostPort, 'is taken by another program: end it, or give another port');
  } finally {
    server.close();
  }
}
