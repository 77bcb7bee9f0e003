import { hasTokens } from './auth/access-tokens-section';
import { hasAuthVariables } from './auth/auth-variables-section';
import { block, Directive, directive, heading, Node, quote } from './directive';
import { PlaceModel } from './place';
import { Plan } from './plan';
import { hasStaleAnswers } from './routes/cache-section';
import { njsModule } from './tls/last-good-certificate-section';

export function mainSection({ proxy, place, routes }: Plan): Node[] {
  const { timeline, budget } = proxy;
  const { workers, runtimeDirectory } = place;
  return [
    heading('Processes'),
    ...njsModule(
      place,
      proxy.tracing !== undefined || hasStaleAnswers(routes) || hasTokens(routes) || hasAuthVariables(routes),
    ),
    directive('daemon off', 'it is started, watched and ended as one process'),
    directive(`worker_processes ${workers}`, 'what the CPU limit allows; "auto" would count the CPUs of the node'),
    directive(`worker_rlimit_nofile ${budget.openFiles}`, 'every connection, and a temporary file for each request'),
    directive('pcre_jit on', 'regular expressions of maps, compiled'),
    directive(
      `worker_shutdown_timeout ${timeline.workerShutdownTimeout}s`,
      'the longest request, and clients that were told to keep their connection',
    ),
    directive(`pid ${quote('runtimeDirectory', `${runtimeDirectory}/nginx.pid`)}`, 'the root file system is read-only'),
    directive('error_log stderr warn', 'to the log of the container'),
  ];
}

export function eventsSection({ proxy: { budget } }: Plan): Directive {
  return block('events', [
    directive(
      `worker_connections ${budget.workerConnections}`,
      'all clients, should they meet one worker, as many instances, and some for probes',
    ),
  ]);
}

/** Temporary files, away from the read-only root. */
export function temporaryFiles(place: PlaceModel): Node[] {
  return [
    heading('Temporary files'),
    ...temporaryPaths(place),
    directive('proxy_max_temp_file_size 0', 'a slow client slows its answer down instead of filling the disk'),
  ];
}

export function temporaryPaths({ runtimeDirectory }: PlaceModel): Directive[] {
  const path = (name: string): string => quote('runtimeDirectory', `${runtimeDirectory}/${name}`);
  return [
    directive(`client_body_temp_path ${path('client_body')}`, 'request bodies that do not fit in memory'),
    ...['proxy', 'fastcgi', 'scgi', 'uwsgi'].map((module) =>
      directive(`${module}_temp_path ${path(module)}`, module === 'proxy' ? undefined : 'not used, but made at start'),
    ),
  ];
}
