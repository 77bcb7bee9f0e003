import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { selfSignedKeyPair } from '../../../certificates/self-signed';
import { findNginx } from '../../../local/find-nginx/find-nginx';
import { freePort } from '../../../local/ports';
import { NginxProcess } from '../../../local/processes/nginx-process';
import { ready } from '../../../local/processes/readiness';
import { Watchdog } from '../../../local/processes/watchdog';
import { nginxConf } from '../../../nginx/nginx-conf';
import { onTestFinished } from '../../afterwards';
import { proxyModel, somePlace } from '../../nginx/support/models';
import { StubApi } from '../../nginx/support/stub-api';
import { StubDns } from '../../nginx/support/stub-dns';
import { until } from '../../until';

jest.setTimeout(60_000);

/** nginx in front of an instance that DNS does not name yet, every line that it has written, and what it runs with. */
async function nginxWithoutInstance(): Promise<{
  readonly nginx: NginxProcess;
  readonly dns: StubDns;
  readonly api: StubApi;
  readonly lines: readonly string[];
  readonly directory: string;
  readonly probePort: number;
  /** Why it was started again, or could not be. */
  readonly restarts: readonly string[];
  /** Ends it as a crash does. */
  readonly crash: () => void;
}> {
  const directory = mkdtempSync(join(tmpdir(), 'test-nginx-process-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const watchdog = Watchdog.start();
  onTestFinished(() => watchdog.end());
  const watched = jest.spyOn(watchdog, 'watch');
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
  const [lines, restarts]: [string[], string[]] = [[], []];
  const nginx = new NginxProcess(
    { nginx: found, confPath, ports: [httpPort, httpsPort], probePort, watchdog },
    {
      line: (line) => lines.push(line),
      restarting: (reason) => restarts.push(reason),
      failed: ({ message }) => restarts.push(message),
    },
  );
  onTestFinished(() => nginx.end(5000));
  const crash = (): void => {
    const groups = watched.mock.calls.flatMap(([leftover]) =>
      'processGroup' in leftover ? [leftover.processGroup] : [],
    );
    const last = groups.at(-1);
    if (last === undefined) throw new Error('nginx was not started');
    process.kill(last, 'SIGKILL');
  };
  return { nginx, dns, api, lines, directory, probePort, restarts, crash };
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
  const { nginx, dns, lines, crash } = await nginxWithoutInstance();
  const started = nginx.start();
  await until(() => dns.questions > 1, 'DNS to be asked again, as it named nobody');
  crash();
  await expect(started).rejects.toThrow('nginx ended (SIGKILL) before it was ready; its lines above say why');
  expect(lines.filter((line) => noInstance.test(line))).toHaveLength(1);
});

test('nginx is started again, whatever its workers have put into their directory', async () => {
  const { nginx, dns, api, directory, probePort, restarts, crash } = await nginxWithoutInstance();
  dns.instances = [api.instance];
  await nginx.start();
  const ofRoot = join(directory, 'of-root');
  writeFileSync(ofRoot, 'kept');
  symlinkSync(ofRoot, join(directory, 'pipe'));
  crash();
  await until(() => restarts.length > 0, 'the end of nginx');
  await ready({ protocol: 'https', port: probePort, path: '/healthz', signal: AbortSignal.timeout(30_000) });
  expect(restarts).toEqual(['SIGKILL']);
  expect(readFileSync(ofRoot, 'utf8')).toBe('kept');
});
