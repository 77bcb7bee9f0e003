import { block, directive, Node, render } from './directive';
import { errorSection } from './error-answer';
import { forwardingSection } from './forwarding-section';
import { compressionSection, headersSection } from './headers-section';
import { certificateCheckServer } from './last-good-certificate-section';
import { connectionCount, limitsSection } from './limits-section';
import { loggingSection } from './logging-section';
import { eventsSection, mainSection, temporaryFiles } from './main-section';
import { ProxyModel, proxyModel } from './model';
import { probeServer } from './probe-server';
import { ProxyProps } from './proxy';
import { retrySection } from './retry-section';
import { apiServers, redirectServers } from './servers';
import { tlsSection } from './tls-section';
import { resolverSection, upstreamSection } from './upstream-section';

/** The whole nginx.conf of a proxy; refuses what nginx could not run. */
export function nginxConf(props: ProxyProps): string {
  const proxy = proxyModel(props);
  const http = httpSections(proxy);
  return render([
    ...mainSection(proxy),
    eventsSection(proxy),
    ...connectionCount(proxy),
    block('http', render(http).includes('${dollar}') ? [dollar, ...http] : http),
  ]);
}

const dollar = block('geo $dollar', [directive('default "$"')], 'nginx has no escape for this character');

function httpSections(proxy: ProxyModel): Node[] {
  return [
    ...temporaryFiles(proxy),
    ...resolverSection(proxy),
    ...loggingSection(proxy),
    ...tlsSection(proxy),
    ...limitsSection(proxy),
    ...compressionSection(proxy),
    ...headersSection(proxy),
    ...upstreamSection(proxy),
    ...forwardingSection(proxy),
    ...retrySection(proxy),
    ...errorSection(),
    ...redirectServers(proxy),
    ...apiServers(proxy),
    ...probeServer(proxy),
    ...certificateCheckServer(proxy),
  ];
}
