import { ProxyModel } from '../model/proxy';
import { accessTokensSection } from './auth/access-tokens-section';
import { authVariablesSection } from './auth/auth-variables-section';
import { clientCertificatesSection } from './auth/client-certificates-section';
import { signInSection } from './auth/sign-in-section';
import { resolverSection, upstreamSection } from './backends/upstream-section';
import { block, directive, Node, render, snippets } from './directive';
import { errorSection } from './error-answer';
import { forwardingSection } from './forwarding-section';
import { hashSizes } from './hash-sizes';
import { compressionSection, headersSection } from './headers-section';
import { connectionCount, limitsSection } from './limits-section';
import { loggingSection } from './logging-section';
import { eventsSection, mainSection, temporaryFiles } from './main-section';
import { metricsLog, metricsServer } from './metrics/metrics-section';
import { Place, placeModel } from './place';
import { Plan, plan } from './plan';
import { probeServer } from './probe-server';
import { reasonSection } from './reason-section';
import { allowFromSection } from './routes/allow-from-section';
import { cacheSection } from './routes/cache-section';
import { conditionsSection } from './routes/conditions-section';
import { corsSection } from './routes/cors-section';
import { mirrorSection } from './routes/mirror-section';
import { rateLimitSection } from './routes/rate-limit-section';
import { keyVariablesSection } from './routes/request-variables';
import { retrySection } from './routes/retry-section';
import { filesSection } from './routes/files-section';
import { grpcSection } from './routes/grpc-section';
import { errorPagesSection, errorPathsSection } from './routes/route-errors-section';
import { rewriteSection } from './routes/rewrite-section';
import { spellingSection } from './routes/spelling-section';
import { hostServers, redirectServers } from './servers';
import { certificateCheckServer } from './tls/last-good-certificate-section';
import { tlsSection } from './tls/tls-section';
import { traceContextSection } from './tracing/trace-context-section';
import { spansLog } from './tracing/tracing-section';

/** The whole nginx.conf of a proxy in its place; refuses what nginx could not run. */
export function nginxConf(proxy: ProxyModel, place: Place): string {
  const whole = plan(proxy, placeModel(place));
  const sections = httpSections(whole);
  const text = render(sections);
  return render([
    ...mainSection(whole),
    eventsSection(whole),
    ...connectionCount(whole),
    block('http', [
      ...(text.includes('${dollar}') ? [dollar] : []),
      ...(text.includes('$nothing;') ? [nothing] : []),
      ...hashSizes(text),
      ...sections,
      ...snippets(proxy.snippets),
    ]),
  ]);
}

const dollar = block('geo $dollar', [directive('default "$"')], 'nginx has no escape for this character');
const nothing = block('geo $nothing', [directive('default ""')], 'an answer without a body');

function httpSections(whole: Plan): Node[] {
  return [
    ...temporaryFiles(whole.place),
    ...resolverSection(whole),
    ...reasonSection(whole),
    ...loggingSection(whole),
    ...metricsLog(whole),
    ...spansLog(whole),
    ...tlsSection(whole),
    ...limitsSection(whole),
    ...allowFromSection(whole),
    ...keyVariablesSection(whole),
    ...rateLimitSection(whole),
    ...authVariablesSection(whole),
    ...clientCertificatesSection(whole),
    ...accessTokensSection(whole),
    ...signInSection(whole),
    ...compressionSection(whole),
    ...headersSection(whole),
    ...corsSection(whole),
    ...upstreamSection(whole),
    ...conditionsSection(whole),
    ...rewriteSection(whole),
    ...spellingSection(whole),
    ...filesSection(whole),
    ...traceContextSection(whole),
    ...forwardingSection(whole),
    ...grpcSection(whole),
    ...retrySection(whole),
    ...mirrorSection(whole),
    ...cacheSection(whole),
    ...errorSection(),
    ...errorPagesSection(whole),
    ...errorPathsSection(whole),
    ...redirectServers(whole),
    ...hostServers(whole),
    ...probeServer(whole),
    ...certificateCheckServer(whole.place),
    ...metricsServer(whole),
  ];
}
