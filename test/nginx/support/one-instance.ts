import { RequestListener } from 'node:http';
import { Place } from '../../../nginx/place';
import { proxyModel, ProxyParts } from './models';
import { RealNginx, type RealNginxStart } from './real-nginx';
import { StubApi } from './stub-api';
import { StubDns } from './stub-dns';

/** nginx in front of one instance, found by DNS. */
export interface OneInstance {
  readonly nginx: RealNginx;
  readonly api: StubApi;
  readonly dns: StubDns;
  readonly stop: () => Promise<void>;
}

export async function startWithOneInstance(
  parts: ProxyParts = {},
  listener: RequestListener = (_request, response) => response.end('ok'),
  place: Partial<Place> = {},
  change: (conf: string) => string = String,
  command?: RealNginxStart['command'],
): Promise<OneInstance> {
  const dns = await StubDns.start();
  const api = await StubApi.start('one', listener);
  dns.instances = [api.instance];
  const nginx = await RealNginx.start(proxyModel(parts), { resolvers: [dns.server], ...place }, { change, command });
  await nginx.untilAnswered(({ status }) => status !== 503);
  return {
    nginx,
    api,
    dns,
    stop: async () => {
      await nginx.stop();
      await api.stop();
      await dns.stop();
    },
  };
}
