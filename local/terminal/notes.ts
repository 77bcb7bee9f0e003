import type { LocalDeployment } from '../deployment/deployment';
import { missingFiles } from '../deployment/local-files';
import { closedDirectories } from '../find-nginx/worker-user';
import type { ApiProcess, Death } from '../processes/api-process';
import { isLoopback, type StartOptions, usualMetricsPort } from '../start-options';
import { afterExit } from './hints';
import type { Level } from './log-line';

/** A line of our own, and how much it matters. */
export interface Note {
  readonly text: string;
  readonly level?: Level;
}

/** What runs in the place of what is deployed. */
export function notAsDeployed({ externalServices, authFiles, files, backends }: LocalDeployment): Note[] {
  const missing = [...externalServices.missing, ...authFiles.missing, ...files.missing.map(missingFiles)];
  const closed = closedDirectories(Object.values(files.directories)).map(
    (directory) => `${directory} is open to its owner alone: nginx's workers, another user here, find no file in it`,
  );
  return [
    ...[...missing, ...closed].map(warning),
    ...backends.flatMap(({ name, program }): Note[] => [
      ...(program.kind === 'image' ? [{ text: `${name} runs its image in Docker: ${program.name}` }] : []),
      ...(program.kind === 'example'
        ? [
            {
              text: `${name} is fairlead's example API here: main.ts gives it no local.command, and Docker does not have its image`,
            },
          ]
        : []),
      ...program.missing.map(warning),
    ]),
  ];
}

/** Who reaches it beside this machine. */
export function whoMayCome({ listen, host }: StartOptions): Note[] {
  if (listen === undefined || isLoopback(listen)) return [];
  const name = host === undefined ? '; --host NAME makes nginx answer for the name by which others come' : '';
  return [
    warning(
      `Listening on ${listen}: whoever reaches this machine reaches the API, with what is meant for development${name}`,
    ),
  ];
}

/** Where metrics are, unless they are where everyone expects them. */
export function whereMetricsAre(
  port: number | undefined,
  { metricsPort: asked }: StartOptions,
  deployment: LocalDeployment,
): Note[] {
  if (port === undefined) {
    const spans = deployment.proxy(1).tracing === undefined ? '' : ', and no spans';
    return [warning(`There are no metrics${spans}: this nginx has no njs with QuickJS`)];
  }
  if (asked !== undefined || port === usualMetricsPort) return [];
  return [{ text: `Port ${usualMetricsPort} is taken by another program: metrics are on ${port}` }];
}

/** An instance that has ended, and is started again. */
export function ended(name: string, { reason, failedStarts, restartInMilliseconds }: Death): Note {
  const times = failedStarts === 1 ? 'once' : `${failedStarts} times in turn`;
  const when = failedStarts === 0 ? '' : ` before it was ready, ${times}`;
  return {
    text: `${name} ended (${reason})${when}: started again in ${restartInMilliseconds / 1000} s`,
    level: 'error',
  };
}

/** Why nothing is started any more. */
export function whyNotStarted(program: string, { reason, isMissing, failedStarts, lastLines }: Death): string {
  if (isMissing) return `The API does not start: ${reason}`;
  const output = lastLines.length === 0 ? ' It wrote nothing.' : `\n  ${lastLines.join('\n  ')}`;
  return `The API does not start: ${program} ended ${failedStarts} times before it was ready (${reason}).${afterExit(reason)}${output}`;
}

export function status({ name, ready, ending, port, pid }: ApiProcess): string {
  if (pid === undefined) return `${name}  waits until others have started`;
  const state = ending ? 'ending' : ready ? 'ready' : 'starting';
  return `${name}  ${state}  http://127.0.0.1:${port}  process ${pid}`;
}

function warning(text: string): Note {
  return { text, level: 'warn' };
}
