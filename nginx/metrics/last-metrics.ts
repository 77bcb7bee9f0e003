import { ProxyModel } from '../../model/proxy';
import { block, directive, heading, quote, render } from '../directive';
import { temporaryPaths } from '../main-section';
import { Place, placeModel } from '../place';
import { plan } from '../plan';
import type { Script } from '../scripts';
import { counting, serverOf } from './metrics-section';

/** What is beside nginx.conf where metrics are to outlast nginx, which needs a shell to start it. */
export const lastMetricsConfName = 'last-metrics.conf';

/** Another configuration of nginx, for when the proxy is told to end and closes its sockets: it serves what that has counted. */
export function lastMetricsConf(proxy: ProxyModel, place: Place): string {
  const whole = plan(proxy, placeModel(place));
  const { modulesDirectory, runtimeDirectory } = whole.place;
  return render([
    heading('Metrics of a proxy that ends, until everybody has them who asks regularly (until-scraped.sh)'),
    directive(`load_module ${quote('modulesDirectory', `${modulesDirectory}/ngx_http_js_module.so`)}`),
    directive('daemon off'),
    directive(`pid ${quote('runtimeDirectory', `${runtimeDirectory}/last-metrics.pid`)}`),
    directive('error_log stderr warn'),
    block('events', [directive('worker_connections 64')]),
    block('http', [
      ...temporaryPaths(whole.place),
      ...counting(whole),
      directive('js_var $metrics_are_last yes'),
      ...serverOf(whole.place, directive('js_periodic metrics.finish interval=1s', 'counts, and says when it may end')),
    ]),
  ]);
}

export const untilScrapedScript: Script = {
  name: 'until-scraped.sh',
  text: `#!/bin/sh
# Runs nginx. When it is told to end, it closes all sockets at once and goes on answering what it holds. Another nginx serves its counts from
# then on, until everybody has them who asks for them regularly: what was answered last would else be counted nowhere.
# Usage: sh until-scraped.sh NGINX_CONF LAST_METRICS_CONF DIRECTORY_OF_METRICS SECONDS
ending=$3/ending
unscraped=$3/unscraped
last=''

# Not ":", which ends the shell where a file cannot be written.
tell() {
  true >"$ending"
  kill -s "$1" "$main" 2>/dev/null || kill -s TERM "$last"
}

rm -f "$ending" "$unscraped"
nginx -c "$1" &
main=$!
trap 'tell QUIT' QUIT
trap 'tell TERM' TERM INT
# A signal ends a wait before it ends nginx.
while :; do
  wait "$main"
  status=$?
  if [ -e "$ending" ] && [ -z "$last" ]; then
    # Nobody counts in this second: the first one has stopped, and the other goes on.
    sleep 1
    nginx -c "$2" &
    last=$!
    continue
  fi
  kill -s 0 "$main" 2>/dev/null || break
done
[ -n "$last" ] || exit "$status"

true >"$unscraped"
(
  seconds=$4
  while [ -e "$unscraped" ] && [ "$seconds" -gt 0 ]; do
    sleep 1
    seconds=$((seconds - 1))
  done
  # One that has just begun ignores it.
  while kill -s QUIT "$last" 2>/dev/null; do
    sleep 1
  done
) &
patience=$!
wait "$last"
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
