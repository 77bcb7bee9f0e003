import { ProxyModel } from '../../model/proxy';
import { block, directive, heading, quote, render } from '../directive';
import { temporaryPaths } from '../main-section';
import { Place, placeModel } from '../place';
import { plan } from '../plan';
import type { Script } from '../scripts';
import { counting, serverOf } from './metrics-section';

/** What is beside nginx.conf where metrics are to outlast nginx, which needs a shell to start it. */
export const lastMetricsConfName = 'last-metrics.conf';

/** Another configuration of nginx, for when the proxy has ended: it serves what that had counted. */
export function lastMetricsConf(proxy: ProxyModel, place: Place): string {
  const whole = plan(proxy, placeModel(place));
  const { modulesDirectory, runtimeDirectory } = whole.place;
  return render([
    heading('Metrics of a proxy that has ended, until everybody has them who asks regularly (until-scraped.sh)'),
    directive(`load_module ${quote('modulesDirectory', `${modulesDirectory}/ngx_http_js_module.so`)}`),
    directive('daemon off'),
    directive(`pid ${quote('runtimeDirectory', `${runtimeDirectory}/last-metrics.pid`)}`),
    directive('error_log stderr warn'),
    block('events', [directive('worker_connections 64')]),
    block('http', [
      ...temporaryPaths(whole.place),
      ...counting(whole),
      ...serverOf(whole.place, directive('js_periodic metrics.finish interval=1s', 'whether it may end')),
    ]),
  ]);
}

export const untilScrapedScript: Script = {
  name: 'until-scraped.sh',
  text: `#!/bin/sh
# Runs nginx. When it was told to end and has ended, its counts are served until everybody has them who asks for them regularly: what it
# answered after it was asked for the last time would else be counted nowhere.
# Usage: sh until-scraped.sh NGINX_CONF LAST_METRICS_CONF DIRECTORY_OF_METRICS SECONDS
unscraped=$3/unscraped
told=''

nginx -c "$1" &
pid=$!
trap 'told=yes; kill -s QUIT "$pid"' QUIT
trap 'told=yes; kill -s TERM "$pid"' TERM INT
# A signal ends a wait before it ends nginx.
while :; do
  wait "$pid"
  status=$?
  kill -s 0 "$pid" 2>/dev/null || break
done
[ -n "$told" ] || exit "$status"

: >"$unscraped"
nginx -c "$2" &
pid=$!
trap 'kill -s TERM "$pid"' QUIT TERM INT
(
  seconds=$4
  while [ -e "$unscraped" ] && [ "$seconds" -gt 0 ]; do
    sleep 1
    seconds=$((seconds - 1))
  done
  # One that has just begun ignores it.
  while kill -s QUIT "$pid" 2>/dev/null; do
    sleep 1
  done
) &
patience=$!
wait "$pid"
kill "$patience" 2>/dev/null
exit "$status"
`,
};

/** How a container starts nginx so. */
export function untilScrapedCommand(confDirectory: string, metricsDirectory: string, seconds: number): string[] {
  return [
    'sh',
    `${confDirectory}/${untilScrapedScript.name}`,
    `${confDirectory}/nginx.conf`,
    `${confDirectory}/${lastMetricsConfName}`,
    metricsDirectory,
    String(seconds),
  ];
}
