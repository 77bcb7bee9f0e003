import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import { findNginx } from '../../../local/find-nginx/find-nginx';
import { freePort } from '../../../local/ports';
import { NginxProcess } from '../../../local/processes/nginx-process';
import { Watchdog } from '../../../local/processes/watchdog';
import { nginxConf } from '../../../nginx/nginx-conf';
import { onTestFinished } from '../../afterwards';
import { proxyModel, somePlace } from '../../nginx/support/models';
import { StubApi } from '../../nginx/support/stub-api';
import { StubDns } from '../../nginx/support/stub-dns';
import { until } from '../../until';

jest.setTimeout(60_000);

/** nginx in front of an instance that DNS does not name yet, and every line that it has written. */
async function nginxWithoutInstance(): Promise<{
  readonly nginx: NginxProcess;
  readonly dns: StubDns;
  readonly api: StubApi;
  readonly lines: readonly string[];
}> {
  const directory = mkdtempSync(join(tmpdir(), 'test-nginx-process-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const watchdog = Watchdog.start();
  onTestFinished(() => watchdog.end());
  const [dns, api] = await Promise.all([StubDns.start(), StubApi.start('one', (_request, response) => response.end())]);
  const [httpPort, httpsPort, probePort] = [await freePort(), await freePort(), await freePort()];
  const certificateDirectory = join(directory, 'tls');
  mkdirSync(certificateDirectory);
  const { certificate, privateKey } = selfSignedKeyPair(['localhost'], resolve('.fairlead/test-certificates'));
  writeFileSync(join(certificateDirectory, 'tls.crt'), certificate);
  writeFileSync(join(certificateDirectory, 'tls.key'), privateKey);
  const confPath = join(directory, 'nginx.conf');
  const ports = { httpPort, httpsPort, probePort };
  const found = await findNginx();
  writeFileSync(
    confPath,
    nginxConf(
      proxyModel(),
      somePlace({
        ...ports,
        resolvers: [dns.server],
        listenAddress: found.listenAddress,
        certificateDirectory,
        runtimeDirectory: directory,
      }),
    ),
  );
  const lines: string[] = [];
  const nginx = new NginxProcess(
    { nginx: found, confPath, directory, ports: [httpPort, httpsPort], probePort, watchdog },
    { line: (line) => lines.push(line), restarting: () => undefined, failed: () => undefined },
  );
  onTestFinished(() => nginx.end(5000));
  return { nginx, dns, api, lines };
}

/** Nobody asks nginx but its own start, again and again. */
const noInstance = /no live upstreams while connecting to upstream.*GET \/startup/;

test('nginx that is asked before DNS has named an instance says nothing of it once one answers', async () => {
  const { nginx, dns, api, lines } = await nginxWithoutInstance();
  const started = nginx.start();
  await until(() => dns.questions > 1, 'DNS to be asked again, as it named nobody');
  dns.instances = [api.instance];
  await started;
  expect(lines.filter((line) => noInstance.test(line))).toEqual([]);
});

test('nginx that ends before an instance has answered says once what it was asked in vain', async () => {
  const { nginx, dns, lines } = await nginxWithoutInstance();
  const started = nginx.start();
  await until(() => dns.questions > 1, 'DNS to be asked again, as it named nobody');
  process.kill(nginx.pid ?? 0, 'SIGKILL');
  await expect(started).rejects.toThrow('nginx ended (SIGKILL) before it was ready; its lines above say why');
  expect(lines.filter((line) => noInstance.test(line))).toHaveLength(1);
});
