import { block, directive, heading, Node, quote } from './directive';
import { certificateLocations, refuseWithoutGoodCertificate } from './last-good-certificate-section';
import { listen } from './listen';
import { ProxyModel } from './model';
import { certificateDirectives } from './tls-section';

/**
 * What asks whether this proxy works. A port of its own, in no Service, since the kubelet sends no SNI: its handshake
 * with the certificate that clients get proves certificate and key, which `nginx -t` does not read.
 */
export function probeServer(proxy: ProxyModel): Node[] {
  return [
    heading('Server: probes, on a port that no client reaches'),
    block(
      'geo $health_check_path',
      [directive(`default ${quote('healthCheckPath', proxy.healthCheckPath)}`)],
      'the one place that never looks for variables in its value',
    ),
    block('server', [
      ...listen(proxy, proxy.probePort, 'ssl'),
      ...certificateDirectives(),
      directive('access_log off'),
      block(
        'location = /healthz',
        [...refuseWithoutGoodCertificate(proxy), directive('return 200')],
        'ready and alive: the certificate can be served',
      ),
      block(
        'location = /startup',
        [
          ...refuseWithoutGoodCertificate(proxy),
          directive(`proxy_set_header Host ${String(proxy.hosts[0])}`),
          directive('proxy_set_header X-Request-Id $accepted_request_id'),
          directive('proxy_pass http://api$health_check_path'),
        ],
        'started: DNS and the way to the API work, before an older proxy is let go',
      ),
      ...certificateLocations(proxy),
      block('location /', [directive('return 404')]),
    ]),
  ];
}
