import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadedApps } from '../../charts/loaded-apps';
import { TrafficSplit } from '../../charts/routes/route-targets';
import { Failure } from '../../cluster/command-line';
import { asked } from '../../diff/asking/ask';
import { RealSide } from '../../diff/asking/real-answers';
import { type Difference, differenceOf } from '../../diff/difference';
import { manifestsOf as comparable } from '../../diff/objects/manifest';
import { plainText } from '../../diff/text';
import type { Nginx } from '../../local/find-nginx/nginx';
import { onTestFinished } from '../afterwards';
import { manifestsOf, newBackend, newProxy, newShop, objectsAround, synthesize } from '../charts/manifests';
import { until } from '../until';

const signal = new AbortController().signal;

function between(before: unknown, after: unknown): Difference {
  return differenceOf(comparable({ items: before }), comparable({ items: after }));
}

/** What was computed of who answers, beside what nginx says; of those whose words can be compared. */
function answers({ proxies }: Difference): readonly (readonly [computed: string, real: string | undefined])[] {
  return proxies.flatMap(({ requests = [] }) =>
    requests.flatMap(({ changes, asked: real }) =>
      changes.flatMap(({ subject, before, after }) =>
        subject === 'answered by'
          ? [[inWordsOfNginx(before), real?.before] as const, [inWordsOfNginx(after), real?.after] as const]
          : [],
      ),
    ),
  );
}

/** `backend orders, asked for /1` as `of orders, asked for /1`. */
function inWordsOfNginx(computed: string): string {
  const [, backend = ''] = /^backend ([^ ,]+)/.exec(computed) ?? [];
  const [, status = '', location = ''] = /^a redirect, (\d+) to (.*)$/.exec(computed) ?? [];
  if (backend !== '') return ` of ${backend},`;
  if (location !== '') return `${status} to ${location}`;
  return /^(?:nginx itself, )?(\d{3}),/.exec(computed)?.[1] ?? '';
}

const examples = readdirSync(resolve('examples')).filter((name) => name.endsWith('.ts'));

test.each(examples)('every kind of request of %s is answered by a real nginx as it is computed', async (name) => {
  const objects = loadedApps(resolve('examples', name), {}).flatMap(manifestsOf);
  const { difference, notes } = await asked(between([], objects), signal);
  expect(notes).toHaveLength(1);
  const all = answers(difference);
  expect(all.length).toBeGreaterThan(0);
  // Who asks here may not use every route.
  for (const [computed, real] of all) if (!/^40[13]$/.test(real ?? '')) expect(real).toContain(computed);
});

test('what differs is seen, and what one request alone does not meet is not', async () => {
  const { difference } = await asked(
    between(
      synthesize(),
      synthesize({ route: { maxBodySize: '20m', responseHeaders: { 'X-Version': '2' } } }, (api) => {
        api.proxy.addRoute('/v2', api.backend, { requestHeaders: { 'X-Api': '2' } });
      }),
    ),
    signal,
  );
  const [{ requests = [] } = {}] = difference.proxies;
  expect(requests.map(({ asked: real }) => real)).toContainEqual({
    before: '200 of orders, asked for /1',
    after: '200 of orders, asked for /1',
    headers: ['now, answer: x-version: 2'],
  });
});

test('backends of gRPC that share a route answer as they do alone', async () => {
  const shop = newShop();
  const calls = newBackend(shop, 'calls', { protocol: 'grpc' });
  const canary = calls.addVersion('canary');
  newProxy(shop).addRoute(
    '/shop.Orders',
    TrafficSplit.weighted([
      { target: calls, weight: 80 },
      { target: canary, weight: 20 },
    ]),
  );
  const { difference } = await asked(between([], objectsAround(shop)), signal);
  const [{ requests = [] } = {}] = difference.proxies;
  expect(requests.map(({ asked: real }) => real?.after)).toContainEqual(
    expect.stringMatching(/^200 of calls(?:-canary)?, asked for \/shop\.Orders/) as string,
  );
});

test('a key of a ConfigMap that would be a file elsewhere is said, and not written', async () => {
  const outside = `fairlead-outside-${process.pid}`;
  onTestFinished(() => {
    rmSync(join(tmpdir(), outside), { force: true });
  });
  const objects = synthesize().map((object) =>
    object.data?.['nginx.conf'] === undefined
      ? object
      : { ...object, data: { ...object.data, [`../${outside}`]: 'written' } },
  );
  const { notes } = await asked(between([], objects), signal);
  expect(notes.map(plainText).join()).toContain(`the key "../${outside}" is not the name of a file in a ConfigMap`);
  expect(existsSync(join(tmpdir(), outside))).toBe(false);
});

test('what nginx has against a configuration is said, and nothing is asked', async () => {
  const broken = synthesize({}, ({ route }) => {
    route.addSnippet('no_such_directive on;');
  });
  const { difference, notes } = await asked(between(synthesize(), broken), signal);
  expect(JSON.stringify(notes)).toContain('now, nginx does not start with it: [emerg]');
  expect(JSON.stringify(notes)).toContain('no_such_directive');
  expect(difference.proxies.flatMap(({ requests = [] }) => requests.map(({ asked: real }) => real))).not.toContainEqual(
    expect.anything(),
  );
});

describe('a signal', () => {
  test('leaves no nginx that has begun to start', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fairlead-asking-test-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const numberFile = join(directory, 'pid');
    const write = `require('node:fs').writeFileSync(${JSON.stringify(numberFile)}, String(process.pid)); setInterval(() => 0, 1000)`;
    const address = '127.0.0.1';
    const silent: Nginx = {
      ...{ describe: 'one that never listens', version: '1.30.0', modulesDirectory: directory },
      ...{ listenAddress: address, clientAddress: address, machineAddress: address },
      command: () => ({ file: process.execPath, args: ['-e', write] }),
      test: () => Promise.resolve(),
    };
    const controller = new AbortController();
    const started = RealSide.start(silent, { 'nginx.conf': 'http { }' }, controller.signal);
    const pid = await until(
      () => existsSync(numberFile) && (Number(readFileSync(numberFile, 'utf8')) || undefined),
      'its process',
    );
    controller.abort(new Failure('ended early'));
    await expect(started).rejects.toThrow();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('ends it, and what nginx says while it ends is no answer', async () => {
    const controller = new AbortController();
    const answerTo = jest.spyOn(RealSide.prototype, 'answerTo').mockImplementation(() => {
      controller.abort(new Failure('ended early'));
      return Promise.resolve({ shown: '502', headers: [] });
    });
    onTestFinished(() => {
      answerTo.mockRestore();
    });
    const difference = between(synthesize(), synthesize({ route: { maxBodySize: '20m' } }));
    await expect(asked(difference, controller.signal)).rejects.toThrow('ended early');
  });
});
