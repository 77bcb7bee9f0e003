import { instanceName } from './instance-name';
import { packageVersion } from './package-version';
import { choiceSetting, textSetting } from './settings';

/** What the API is told about itself. */
export interface Environment {
  /** The name of this instance. */
  readonly hostname: string;
  /** VERSION, or the package's own. */
  readonly version: string;
  /** DIAGNOSTIC_ENDPOINTS: routes that show requests and make failures; off unless "true". */
  readonly diagnosticEndpoints: boolean;
  /** MAX_BODY_SIZE: what a request body may have, in bytes; the variable has a unit, such as "1mb". */
  readonly maxBodySize: number;
}

const bytesOfUnit = { b: 1, kb: 1024, mb: 1024 ** 2 };

/** Bytes of a size that has a unit. */
function bytesOf(size: string): number {
  const unit = size.replace(/^\d+/, '') as keyof typeof bytesOfUnit;
  return Number.parseInt(size, 10) * bytesOfUnit[unit];
}

export function readEnvironment(environment: NodeJS.ProcessEnv): Environment {
  return {
    hostname: instanceName(environment),
    version: textSetting(
      { variable: 'VERSION', environment },
      packageVersion(),
      /^[\x21-\x7e]{1,128}$/,
      'is not a version: give 1 to 128 visible ASCII characters',
    ),
    diagnosticEndpoints:
      choiceSetting({ variable: 'DIAGNOSTIC_ENDPOINTS', environment }, 'false', ['true', 'false']) === 'true',
    maxBodySize: bytesOf(
      textSetting(
        { variable: 'MAX_BODY_SIZE', environment },
        '1mb',
        /^[1-9]\d{0,8}(b|kb|mb)$/,
        'is not a size: give a whole number with a unit, such as "100kb" or "1mb"',
      ),
    ),
  };
}
