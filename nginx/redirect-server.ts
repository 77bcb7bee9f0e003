import { block, directive, heading, Node } from './directive';
import { listenForClients } from './listen';
import { ProxyModel } from './model';

/** Plain HTTP: a redirect for the known hosts, a health check for load balancers, and nothing else. */
export function redirectServers(proxy: ProxyModel): Node[] {
  const { hosts, externalHttpsPort } = proxy;
  const authority = externalHttpsPort === 443 ? '$host' : `$host:${externalHttpsPort}`;
  return [
    heading('Servers: plain HTTP'),
    block('server', [
      ...listenForClients(proxy, 'http', 'default_server'),
      block(
        'location = /healthz',
        [directive('access_log off'), directive('return 200')],
        'a load balancer asks by address',
      ),
      block('location /', [directive('return 444', 'unknown hosts get nothing')]),
    ]),
    block('server', [
      ...listenForClients(proxy, 'http'),
      directive(`server_name ${hosts.join(' ')}`),
      directive(`return 308 https://${authority}$request_uri`, 'permanent, and method and body stay'),
    ]),
  ];
}
