import { RequestListener } from 'node:http';
import { ProxyProps } from '../../nginx/proxy';
import { RealNginx } from './real-nginx';
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
  props: Partial<ProxyProps>,
  listener: RequestListener = (_request, response) => response.end('ok'),
): Promise<OneInstance> {
  const dns = await StubDns.start();
  const api = await StubApi.start('one', listener);
  dns.instances = [api.instance];
  const nginx = await RealNginx.start({ upstreamService: 'http', resolvers: [dns.server], ...props });
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
