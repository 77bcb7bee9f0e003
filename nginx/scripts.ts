import type { ProxyModel } from '../model/proxy';
import { accessTokensScript, hasTokens } from './auth/access-tokens-section';
import { authVariablesScript, hasAuthVariables } from './auth/auth-variables-section';
import { awaitedBackendsScript, awaitsBackends } from './backends/awaited-backends-section';
import { liveWeightsScript } from './backends/live-weights-section';
import { metricsScripts } from './metrics/metrics-section';
import type { Place } from './place';
import { upstreams } from './plan';
import { hasStaleAnswers, staleAnswersScript } from './routes/cache-section';
import { lastGoodCertificateScript } from './tls/last-good-certificate-section';
import { tracingScript } from './tracing/tracing-section';

/** A file that njs runs: its name beside nginx.conf, and its text. */
export interface Script {
  readonly name: string;
  readonly text: string;
}

/** Every script that the nginx.conf of a proxy in its place imports. */
export function scriptsOf(proxy: ProxyModel, place: Place, conf: string): readonly Script[] {
  const routes = proxy.hosts.flatMap((host) => host.routes);
  return [
    ...(place.certificateStore === undefined ? [] : [lastGoodCertificateScript]),
    ...(awaitsBackends(place, upstreams(proxy.backends, routes).backends) ? [awaitedBackendsScript] : []),
    ...(place.weightsFile === undefined ? [] : [liveWeightsScript]),
    ...(hasStaleAnswers(routes) ? [staleAnswersScript] : []),
    ...(hasTokens(routes) ? [accessTokensScript] : []),
    ...(hasAuthVariables(routes) ? [authVariablesScript] : []),
    ...(place.metricsPort === undefined ? [] : metricsScripts(proxy, place, conf)),
    ...(proxy.tracing === undefined ? [] : [tracingScript(proxy.tracing, proxy, place)]),
  ];
}
