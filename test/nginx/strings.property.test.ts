import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { responseHeader } from '../../model/routes/headers';
import { Match, Path } from '../../model/routes/matching';
import { TargetModel } from '../../model/routes/route';
import { nginxConf } from '../../nginx/nginx-conf';
import { Place } from '../../nginx/place';
import { InvalidOption } from '../../validation/invalid-option';
import { urlPath } from '../../validation/names';
import { proxyModel, ProxyParts, somePlace } from './support/models';
import { startWithOneInstance } from './support/one-instance';
import { RealNginx, testConfiguration } from './support/real-nginx';

/** Text full of what means something to nginx, a shell, YAML or HTTP. */
const awkward = fc.constantFrom(
  ...['"', "'", '\\', ';', '{', '}', '$', '${', '#', '$host', '\\"', '\\n', '%', '`', '<', '&', '|', '*', '~', '^'],
  ...['\n', '\r\n', '\t', '\0', '\u007f', '\u0085', 'ä', '€', '😀', '\ud800', ' ', 'on', '/', '.', '-', ':', '@', '='],
);
/** As `fc.string({ unit: 'binary' })` has them, which takes a second to make a table of all. */
const anyCharacter = fc.integer({ min: 0, max: 0x10_ffff }).map((code) => String.fromCodePoint(code));
const text = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: awkward },
      fc.array(anyCharacter, { maxLength: 4 }).map((characters) => characters.join('')),
      fc.stringMatching(/^[a-z]{1,4}$/),
    ),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

/** What is not refused; a refusal is one line that names the option. */
function accepted<T>(values: readonly T[], option: string, make: (value: T) => unknown): T[] {
  return values.filter((value) => {
    try {
      make(value);
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

function conf(parts: ProxyParts, place: Partial<Place> = {}): string {
  return nginxConf(proxyModel(parts), somePlace(place));
}

const few = { numRuns: 8 };
const many = { minLength: 60, maxLength: 60 };
jest.setTimeout(120_000);

/** What arrives as bytes. */
function utf8(header: unknown): string {
  return Buffer.from(String(header), 'latin1').toString();
}

test('a header of answers or requests arrives to the letter, or is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, many), async (values) => {
      const carried = accepted(values, 'responseHeaders', (value) => responseHeader('responseHeaders', 'X-A', value));
      const headers = carried.map((value, index) => [`X-Value-${index}`, value] as const);
      const { nginx, api, stop } = await startWithOneInstance({
        defaultResponseHeaders: [...headers, ['Content-Security-Policy', carried[0] ?? 'x']],
        routes: [{}, { path: '/own', requestHeaders: headers, responseHeaders: headers }],
      });
      try {
        const [byDefault, own] = [await nginx.get({}), await nginx.get({ path: '/own' })];
        const sent = api.requests.at(-1)?.headers ?? {};
        for (const received of [byDefault.headers, own.headers, sent]) {
          expect(carried.map((_value, index) => utf8(received[`x-value-${index}`]))).toEqual(carried);
        }
        expect(utf8(byDefault.headers['content-security-policy'])).toBe(carried[0] ?? 'x');
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
      const carried = accepted(names, 'responseHeaders', (name) => responseHeader('responseHeaders', name, 'x'));
      const headers = carried.map((name) => [name, 'x'] as const);
      await testConfiguration(
        conf({ defaultResponseHeaders: headers, routes: [{ responseHeaders: headers, requestHeaders: headers }] }),
      );
    }),
    few,
  );
});

test('a value that is matched is that value and no other, or is refused', async () => {
  const printable = fc.string({
    unit: fc.constantFrom(...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(text, printable), many), async (values) => {
      const matches = accepted([...new Set(values)], 'Match.header', (value) => Match.header('X-Value', value));
      const answer = (body: string): TargetModel => ({
        kind: 'response',
        status: 200,
        body,
        contentType: 'text/plain',
      });
      const { nginx, stop } = await startWithOneInstance({
        routes: [
          { target: answer('none') },
          ...matches.map((value) => ({ target: answer(value), when: Match.header('X-Value', value) })),
        ],
      });
      try {
        for (const value of matches) {
          expect((await nginx.get({ headers: { 'x-value': value } })).body).toBe(value);
          for (const other of [`${value}x`, `x${value}`, value.replace(/[a-z]/i, (letter) => swapCase(letter))]) {
            if (matches.includes(other)) continue;
            expect((await nginx.get({ headers: { 'x-value': other } })).body).toBe('none');
          }
        }
      } finally {
        await stop();
      }
    }),
    { numRuns: 3 },
  );
});

function swapCase(letter: string): string {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
}

test('a path of a route, its answer and its redirect are to the letter, or are refused', async () => {
  const segments = fc.array(fc.stringMatching(/^[\w~-][\w.~-]{0,8}$/), { minLength: 1, maxLength: 4 });
  const paths = fc.oneof(
    { weight: 3, arbitrary: segments.map((parts) => `/${parts.join('/')}`) },
    { weight: 1, arbitrary: text.map((value) => `/${value}`) },
  );
  const lines = fc
    .array(fc.oneof(text, fc.constantFrom('\n', '\t', '\r\n')), { maxLength: 8 })
    .map((parts) => parts.join(''));
  const urls = fc.oneof(
    fc.webUrl({ withQueryParameters: true }),
    fc
      .array(fc.constantFrom('$', '$host', "'", '(', ';', '%20', 'a', '!', '*'), { maxLength: 6 })
      .map((parts) => `https://x.example/${parts.join('')}`),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(paths, many),
      fc.array(lines, many),
      fc.array(urls, many),
      async (given, bodies, locations) => {
        const exact = [...new Set(accepted(given, 'path', (path) => Path.exact(path)))];
        const carried = accepted(bodies, 'body', (body) =>
          conf({ routes: [{ target: { kind: 'response', status: 200, body, contentType: 'a/b' } }] }),
        );
        const body = (index: number): string => carried[index % Math.max(1, carried.length)] ?? '';
        const location = (index: number): string => locations[index % locations.length] ?? '';
        const { nginx, stop } = await startWithOneInstance({
          names: ['api.example.com'],
          hosts: [
            {},
            {
              names: ['redirects.example.com'],
              routes: exact.map((path, index) => ({
                path: Path.exact(path),
                name: `r${index}`,
                target: { kind: 'redirect', location: location(index), status: 307 },
              })),
            },
          ],
          routes: exact.map((path, index) => ({
            path: Path.exact(path),
            name: `a${index}`,
            target: { kind: 'response', status: 200, body: body(index), contentType: 'text/plain' },
          })),
        });
        try {
          for (const [index, path] of exact.entries()) {
            expect(await nginx.get({ path })).toMatchObject({ status: 200, body: body(index) });
            const host = 'redirects.example.com';
            const { status, headers } = await nginx.get({ path, servername: host, headers: { host } });
            expect([status, headers.location]).toEqual([307, location(index)]);
          }
          expect((await nginx.get({ path: '/not/there' })).status).toBe(404);
        } finally {
          await stop();
        }
      },
    ),
    { numRuns: 3 },
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
        const carried = accepted(values, 'healthCheckPath', (value) => urlPath('healthCheckPath', value));
        const healthCheckPath = carried.at(-1);
        if (healthCheckPath === undefined) return;
        const { nginx, api, stop } = await startWithOneInstance({ backends: [{ healthCheckPath }] });
        try {
          await nginx.get({ port: nginx.place.probePort, path: '/startup' });
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
      const options = ['certificateDirectory', 'hostCertificatesDirectory', 'runtimeDirectory'] as const;
      const usable = options.every(
        (option) => accepted([directory], option, (value) => conf({}, { [option]: value })).length === 1,
      );
      const log = `${directory}/access.log`;
      const logUsable = accepted([log], 'accessLog', (accessLog) => conf({}, { accessLog })).length === 1;
      try {
        if (!usable) return;
        await mkdir(directory, { recursive: true });
        // It answers only with the certificate, which is in that directory.
        const hosts = [{}, { names: ['a.example.com'], certificate: 'a.example.com' }] as const;
        const nginx = await RealNginx.start(proxyModel({ hosts }), {
          certificateDirectory: directory,
          hostCertificatesDirectory: directory,
          runtimeDirectory: directory,
          ...(logUsable ? { accessLog: log } : {}),
        });
        try {
          await expect(nginx.get({ servername: 'a.example.com' })).resolves.toMatchObject({ status: 421 });
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

test.each<[string, (value: string) => Partial<Place>]>([
  ['resolvers', (resolver) => ({ resolvers: [resolver] })],
  ['listenAddress', (listenAddress) => ({ listenAddress })],
  ['clientAddress', (clientAddress) => ({ clientAddress })],
])('%s takes names and addresses, and nothing that could end a directive', (option, place) => {
  const names = fc.oneof(text, fc.domain(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[A-Za-z0-9._:/[\]-]{1,20}$/));
  fc.assert(
    fc.property(names, (value) => {
      const carrying = accepted([value], option, (given) => conf({}, place(given)));
      for (const carried of carrying) expect(carried).toMatch(/^[A-Za-z0-9._:/[\]-]+$/);
    }),
    { numRuns: 400 },
  );
});
