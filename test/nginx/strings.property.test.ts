import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { nginxConf } from '../../nginx/nginx-conf';
import { ProxyProps } from '../../nginx/proxy';
import { InvalidOption } from '../../validation/invalid-option';
import { startWithOneInstance } from './one-instance';
import { proxyProps, RealNginx, testConfiguration } from './real-nginx';

/** Text full of what means something to nginx, a shell, YAML or HTTP. */
const awkward = fc.constantFrom(
  ...['"', "'", '\\', ';', '{', '}', '$', '${', '#', '$host', '\\"', '\\n', '%', '`', '<', '&', '|', '*', '~', '^'],
  ...['\n', '\r\n', '\t', '\0', '\u007f', '\u0085', 'ä', '€', '😀', '\ud800', ' ', 'on', '/', '.', '-', ':', '@', '='],
);
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: awkward },
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.stringMatching(/^[a-z]{1,4}$/),
    ),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

/** What is not refused; a refusal is one line that names the option. */
function accepted<T>(values: readonly T[], option: string, props: (value: T) => Partial<ProxyProps>): T[] {
  return values.filter((value) => {
    try {
      nginxConf(proxyProps(props(value)));
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidOption);
      const { message } = error as InvalidOption;
      expect(message).toMatch(new RegExp(`^${option}: `));
      expect(message).not.toMatch(/[\p{Cc}]/u);
      return false;
    }
  });
}

const few = { numRuns: 8 };
const many = { minLength: 60, maxLength: 60 };
jest.setTimeout(120_000);

test('a response header reaches the client to the letter, or is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, many), async (values) => {
      const carried = accepted(values, 'responseHeaders', (value) => ({ responseHeaders: { 'X-A': value } }));
      const responseHeaders = Object.fromEntries(carried.map((value, index) => [`X-Value-${index}`, value]));
      const { nginx, stop } = await startWithOneInstance({ responseHeaders, contentSecurityPolicy: carried[0] ?? 'x' });
      try {
        const { headers } = await nginx.get({});
        const received = (name: string): string => Buffer.from(String(headers[name]), 'latin1').toString();
        expect(carried.map((_value, index) => received(`x-value-${index}`))).toEqual(carried);
        expect(received('content-security-policy')).toBe(carried[0] ?? 'x');
      } finally {
        await stop();
      }
    }),
    few,
  );
});

test('a header name is carried or refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, many), async (names) => {
      const carried = accepted(names, 'responseHeaders', (name) => ({ responseHeaders: { [name]: 'x' } }));
      await testConfiguration(
        nginxConf(proxyProps({ responseHeaders: Object.fromEntries(carried.map((name) => [name, 'x'])) })),
      );
    }),
    few,
  );
});

test('the path of the health check is asked to the letter, or is refused', async () => {
  const paths = text.map((value) => `/${value}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          paths,
          fc.webPath().map((path) => `/${path}`),
        ),
        many,
      ),
      async (values) => {
        const carried = accepted(values, 'healthCheckPath', (healthCheckPath) => ({ healthCheckPath }));
        const healthCheckPath = carried.at(-1);
        if (healthCheckPath === undefined) return;
        const { nginx, api, stop } = await startWithOneInstance({ healthCheckPath });
        try {
          await nginx.get({ port: nginx.props.probePort, path: '/startup' });
          expect(api.requests.at(-1)?.url).toBe(healthCheckPath);
        } finally {
          await stop();
        }
      },
    ),
    few,
  );
});

test('directories and files are used by exactly the name that was given, or are refused', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (name) => {
      const parent = mkdtempSync(join(tmpdir(), 'fairlead-strings-'));
      const directory = `${parent}/${name.replaceAll('/', '').replaceAll(/^\.+$/g, '')}x`;
      const options = ['certificateDirectory', 'runtimeDirectory'] as const;
      const usable = options.every(
        (option) => accepted([directory], option, (value) => ({ [option]: value })).length === 1,
      );
      const log = `${directory}/access.log`;
      const logUsable = accepted([log], 'accessLog', (accessLog) => ({ accessLog })).length === 1;
      try {
        if (!usable) return;
        await mkdir(directory, { recursive: true });
        // It answers only with the certificate, which is in that directory.
        const nginx = await RealNginx.start({
          certificateDirectory: directory,
          runtimeDirectory: directory,
          ...(logUsable ? { accessLog: log } : {}),
        });
        try {
          expect(existsSync(join(directory, 'nginx.pid'))).toBe(true);
          expect(existsSync(join(directory, 'client_body'))).toBe(true);
          if (logUsable) expect(existsSync(log)).toBe(true);
        } finally {
          await nginx.stop();
        }
      } finally {
        rmSync(parent, { recursive: true, force: true });
      }
    }),
    { numRuns: 25 },
  );
});

test.each<[string, (value: string) => Partial<ProxyProps>]>([
  ['host', (host) => ({ host })],
  ['additionalHosts', (host) => ({ additionalHosts: [host] })],
  ['upstreamHost', (upstreamHost) => ({ upstreamHost })],
  ['upstreamService', (upstreamService) => ({ upstreamService })],
  ['resolvers', (resolver) => ({ resolvers: [resolver] })],
  ['trustedProxies', (network) => ({ trustedProxies: [network] })],
  ['listenAddress', (listenAddress) => ({ listenAddress })],
  ['hashKey', (hashKey) => ({ upstreamService: 'http', loadBalancing: 'hash', hashKey })],
  ['hashKey', (name) => ({ upstreamService: 'http', loadBalancing: 'hash', hashKey: `header:${name}` })],
  ['hashKey', (name) => ({ upstreamService: 'http', loadBalancing: 'hash', hashKey: `cookie:${name}` })],
])('%s takes names and addresses, and nothing that could end a directive', (option, props) => {
  const names = fc.oneof(text, fc.domain(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[A-Za-z0-9._:/[\]-]{1,20}$/));
  fc.assert(
    fc.property(names, (value) => {
      for (const carried of accepted([value], option, props)) expect(carried).toMatch(/^[A-Za-z0-9._:/[\]-]+$/);
    }),
    { numRuns: 400 },
  );
});
