import { hostname } from 'node:os';
import { textSetting } from './settings';

/** The name of this instance: HOSTNAME, or the machine's. In Kubernetes both are the pod's. */
export function instanceName(environment: NodeJS.ProcessEnv): string {
  return textSetting(
    { variable: 'HOSTNAME', environment },
    hostname(),
    /^[\w.-]{1,253}$/,
    'is not a host name: give letters, digits, dots and hyphens',
  );
}
