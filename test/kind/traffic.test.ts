import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { Client, request } from 'undici';
import { eventually } from '../../cluster/progress';
import { settled, workloads } from './support/pods';
import { scenario } from './support/scenario';
import { httpsUrl, servedCertificate, suite } from './support/suite';

const apiReplicas = 4;

beforeAll(() => settled(apiReplicas));

scenario('every ready pod answers, and in turn when nothing else is asked', async () => {
  const client = new Client(httpsUrl(), { connect: { ca: await servedCertificate(), family: 4 } });
  const ask = async (): Promise<string> => {
    const { statusCode, body } = await client.request({ method: 'GET', path: '/healthcheck' });
    const answer = (await body.json()) as { hostname: string };
    expect(statusCode).toBe(200);
    return answer.hostname;
  };
  const ready = (await workloads().pods('api')).map(({ metadata }) => metadata.name).sort();
  const seen = new Set<string>();
  // This proxy may not have asked the DNS again since the last pod became ready.
  await eventually(
    'an answer of every ready pod',
    async () => {
      seen.add(await ask());
      return seen.size === apiReplicas ? seen : undefined;
    },
    { pause: 0 },
  );
  const answers: string[] = [];
  for (let round = 0; round < 10 * apiReplicas; round += 1) answers.push(await ask());
  await client.close();

  const firstRound = answers.slice(0, apiReplicas);
  expect([...firstRound].sort()).toEqual(ready);
  expect(answers).toEqual(answers.map((_, index) => firstRound[index % apiReplicas]));
});

scenario('http:// redirects to the same path, on the port of https:// as clients see it', async () => {
  const { httpPort, httpsPort } = suite().ports;
  for (const method of ['GET', 'POST'] as const) {
    const answer = await request(`http://127.0.0.1:${httpPort}/echo?a=1&b=%20`, {
      method,
      headers: { host: `localhost:${httpPort}` },
    });
    await answer.body.dump();
    expect(answer.statusCode).toBe(308);
    expect(answer.headers.location).toBe(`https://localhost:${httpsPort}/echo?a=1&b=%20`);
  }
});

scenario("the certificate served is the Secret's", async () => {
  const socket = connect({
    host: '127.0.0.1',
    port: suite().ports.httpsPort,
    servername: 'localhost',
    ca: await servedCertificate(),
  });
  await once(socket, 'secureConnect');
  const served = socket.getPeerX509Certificate();
  socket.destroy();
  expect(served?.fingerprint256).toBe(new X509Certificate(await servedCertificate()).fingerprint256);
});
