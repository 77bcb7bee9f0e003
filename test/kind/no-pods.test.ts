import { Agent, request } from 'undici';
import { eventually } from '../../cluster/progress';
import { settled, workloads } from './support/pods';
import { scenario } from './support/scenario';
import { httpsUrl, servedCertificate } from './support/suite';

beforeAll(() => settled());

afterAll(async () => {
  await workloads().scale('api', 2);
  await settled();
});

scenario('without any pod of the API every answer is 503 with Retry-After, until pods are back', async () => {
  const dispatcher = new Agent({ connect: { ca: await servedCertificate(), family: 4 } });
  const ask = async (method: 'GET' | 'POST'): Promise<{ status: number; retryAfter: unknown }> => {
    const { statusCode, headers, body } = await request(`${httpsUrl()}/healthcheck`, { method, dispatcher });
    await body.dump();
    return { status: statusCode, retryAfter: headers['retry-after'] };
  };
  // An autoscaler leaves a Deployment of none alone.
  await workloads().scale('api', 0);
  await workloads().readyPods('api', 0);
  for (let count = 0; count < 20; count += 1) {
    for (const method of ['GET', 'POST'] as const) {
      expect(await ask(method)).toEqual({ status: 503, retryAfter: '1' });
    }
  }
  await workloads().scale('api', 2);
  await workloads().readyPods('api', 2);
  await eventually('an answer of a pod', async () => ((await ask('GET')).status === 200 ? true : undefined));
  await dispatcher.close();
});
