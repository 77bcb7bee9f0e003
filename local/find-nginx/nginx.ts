import { Command } from '../processes/child-output';
import { WorkerUser } from './worker-user';

/** An nginx that runs on this machine, whichever way it came here. */
export interface Nginx {
  /** Where it is from, for people: `nginx 1.30.6 from Debian's package`. */
  readonly describe: string;
  readonly version: string;
  /** The address on which it must listen so that `localhost` leads to it. */
  readonly listenAddress: string;
  /** The same for clients, who may be let in from elsewhere. */
  readonly clientAddress: string;
  /** Where its dynamic modules are. */
  readonly modulesDirectory: string;
  /** The address by which it reaches a process that listens on this machine's loopback interface. */
  readonly machineAddress: string;
  /**
   * How it is started for one configuration, which must say `daemon off`. Every file that this names must be in its directory or
   * below, or in those that were said: a container sees nothing else. The ports of clients come first: of HTTP and of HTTPS.
   */
  command(confPath: string, ports?: readonly number[]): Command;
  /** Runs `nginx -t`; rejects with what nginx says against the configuration. */
  test(confPath: string): Promise<void>;
}

/** Of the official image, and of most packages. */
export const usualModulesDirectory = '/usr/lib/nginx/modules';

/** What every way to an nginx is told. */
export interface NginxSearch {
  /** Ends downloads and commands that are under way. */
  readonly signal?: AbortSignal;
  /** Whom its workers belong to if root starts it. @default - root too */
  readonly workers?: WorkerUser | undefined;
  /** The address of this machine by which clients come. @default - by loopback alone */
  readonly clientAddress?: string | undefined;
  /** Where it reads beside the directory of its configuration. @default - nowhere */
  readonly directories?: readonly string[];
}

/** An nginx that has to be fetched from the network, which did not work. */
export class NotFetched extends Error {
  override readonly name = 'NotFetched';
}
