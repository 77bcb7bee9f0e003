import { freePort } from '../../local/ports';
import { onTestFinished } from '../afterwards';
import { scrape, sum } from '../nginx/metrics/exposition';
import { closedPort } from '../nginx/support/failing-instances';
import { proxyModel } from '../nginx/support/models';
import { RealNginx } from '../nginx/support/real-nginx';
import { StubApi } from '../nginx/support/stub-api';
import { type Instance, StubDns } from '../nginx/support/stub-dns';
import { until } from '../until';

/** nginx in front of an instance that answers at once, one that answers late, and one that refuses, by their addresses. */
export interface UnevenInstances {
  readonly metricsPort: number;
  readonly prompt: string;
  readonly late: string;
  readonly refusing: string;
  /** Sends so many requests; settles when they are answered and counted. */
  readonly send: (count: number) => Promise<void>;
}

/** In milliseconds: between two bounds of the buckets. */
const lateness = 120;

export async function startWithUnevenInstances(): Promise<UnevenInstances> {
  const dns = await StubDns.start();
  const prompt = await StubApi.start('prompt', (_request, response) => response.end('ok'));
  const late = await StubApi.start('late', (_request, response) => {
    setTimeout(() => response.end('ok'), lateness);
  });
  const refusing = await closedPort();
  dns.instances = [prompt.instance, late.instance, refusing];
  const metricsPort = await freePort();
  const model = proxyModel({ backends: [{ maxFails: 1000 }], metrics: { maxSeries: 500 } });
  const nginx = await RealNginx.start(model, { resolvers: [dns.server], metricsPort });
  onTestFinished(() => nginx.stop());
  await nginx.untilAnswered(({ status }) => status === 200);
  const address = ({ address: host, port }: Instance): string => `${host}:${port}`;
  const counted = async (): Promise<number> =>
    sum(await scrape(metricsPort), 'fairlead_http_requests_total', { code: '200' });
  await until(async () => (await counted()) === 1, 'the first answer');
  return {
    metricsPort,
    prompt: address(prompt.instance),
    late: address(late.instance),
    refusing: address(refusing),
    async send(count) {
      const before = await counted();
      const answers = await Promise.all(Array.from({ length: count }, () => nginx.get({ path: '/' })));
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      await until(async () => (await counted()) === before + count, 'all that was sent');
    },
  };
}
