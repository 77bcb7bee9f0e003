import { createHmac } from 'node:crypto';
import { Auth } from '../../../model/auth/auth';
import { Cors } from '../../../model/routes/cors';
import { ErrorPages } from '../../../model/routes/error-pages';
import { Jwks } from '../../../model/auth/jwks';
import type { JwtAuthOptions } from '../../../model/auth/jwt';
import { Match } from '../../../model/routes/matching';
import { onTestFinished } from '../../afterwards';
import { until } from '../../until';
import { AuthDirectory, authParts } from '../support/auth-files';
import { bearer, keySet, part, type SigningKey, signingKey, token } from '../support/issuer';
import type { RouteParts } from '../support/models';
import { echo, echoed, getByHttp2, type SeveralBackends, startWithBackends } from '../support/several-backends';
import { StubApi } from '../support/stub-api';

const issuer = 'https://id.example.com/$realm';
const names = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const;
const keys = names.map((alg) => signingKey(alg));
const [rsa] = keys as [SigningKey, ...SigningKey[]];
const es256 = keyOf('ES256');
const weak = signingKey('RS256', 'weak', 1024);
const edwards = signingKey('EdDSA');
const fromFile = signingKey('ES256', 'first');

function keyOf(alg: string): SigningKey {
  const found = keys.find((key) => key.alg === alg);
  if (found === undefined) throw new Error(alg);
  return found;
}

function jwt(options: Partial<JwtAuthOptions> = {}): Pick<RouteParts, 'auth' | 'requestHeaders'> {
  const jwks = Jwks.fromText(keySet(...keys, weak, edwards));
  return authParts(Auth.jwt({ issuer, audience: ['orders', 'reports'], jwks, ...options }));
}

const claims = { 'X-User': 'sub', 'X-Groups': 'groups' };
const files = new AuthDirectory();
const routes: readonly RouteParts[] = [
  {},
  { path: '/orders', ...jwt({ claims, realm: 'Orders "API"' }) },
  { path: '/again', target: 'gone', ...jwt({ claims }) },
  { path: '/chosen', when: Match.header('X-Canary', 'yes'), ...jwt({ claims }) },
  { path: '/chosen' },
  {
    path: '/copied',
    mirror: { backend: 'next', percent: 100, timeout: 2 },
    ...jwt({ claims, passAuthorization: false }),
  },
  { path: '/narrow', ...jwt({ algorithms: ['ES256'], clockSkew: '0s' }) },
  {
    path: '/scoped',
    ...jwt({ scopes: ['orders:read', 'orders:write'], requiredClaims: { groups: 'staff', checked: true } }),
  },
  { path: '/once', retries: false, ...jwt({ scopes: ['orders:read'] }) },
  { path: '/file', ...jwt({ jwks: Jwks.fromConfigMap('keys') }) },
  { path: '/missing', ...jwt({ jwks: Jwks.fromSecret('missing') }) },
  {
    path: '/pages',
    cors: Cors.allow(['https://app.example.com']),
    errorPages: ErrorPages.html({ 401: '<h1>Who?</h1>', 403: '<h1>Not you</h1>' }),
    ...jwt({ scopes: ['orders:read'] }),
  },
  {
    path: '/kept',
    cache: { size: 2 ** 20, maxAnswerSize: 2 ** 20, valid: 60, staleFor: 0, backgroundUpdate: false, key: [] },
    ...jwt({ claims, passAuthorization: false }),
  },
  { path: '/docs', target: { kind: 'files', source: 'docs', singlePage: false, immutable: undefined }, ...jwt() },
];

let system: SeveralBackends;

beforeAll(async () => {
  files.write('config-maps/keys/jwks.json', keySet(fromFile));
  files.write('docs/index.html', 'secret');
  const fallback = await StubApi.start('fallback', echo('fallback'));
  const { address, port } = fallback.instance;
  system = await startWithBackends(
    { backends: [{ name: 'api' }, { name: 'next' }, { name: 'gone', fallback: `${address}:${port}` }], routes },
    { authDirectory: files.path, filesDirectories: { docs: `${files.path}/docs` } },
    echo,
    { change: (conf) => conf.replace(/(js_periodic access_tokens\.check interval=)\d+s/, '$1200ms') },
  );
  await system.apis.gone?.stop();
});

const now = (): number => Math.floor(Date.now() / 1000);

function good(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { iss: issuer, aud: 'orders', sub: 'ada', exp: now() + 3600, ...more };
}

async function get(path: string, given?: string, headers = {}) {
  return system.nginx.get({ path, headers: { ...headers, ...(given === undefined ? {} : bearer(given)) } });
}

const seen = (): number => Object.values(system.apis).reduce((all, { requests }) => all + requests.length, 0);

describe('A token', () => {
  test.each(keys.map((key) => [key.alg, key] as const))(
    'lets in who has one that is signed by %s',
    async (_alg, key) => {
      const { headers } = echoed(await get('/orders', token(key, good())));
      expect(headers).toMatchObject({ 'x-user': 'ada', authorization: expect.stringMatching(/^Bearer ey/) as string });
    },
  );

  test.each<[string, (key: SigningKey) => string | undefined, string]>([
    ['none at all', () => undefined, ''],
    ['one of another scheme', () => ' ', ''],
    ['one that is no token', () => 'abc', 'it is not a signed JWT'],
    ['one without a signature', () => `${part({ alg: 'none' })}.${part(good())}.`, 'it is not a signed JWT'],
    [
      'alg none',
      () => `${part({ alg: 'none' })}.${part(good())}.${part('x')}`,
      'the algorithm of its signature is not accepted',
    ],
    [
      'alg None',
      () => `${part({ alg: 'None' })}.${part(good())}.${part('x')}`,
      'the algorithm of its signature is not accepted',
    ],
    [
      'an alg that is a member of every object',
      (key) => token(key, good(), { alg: 'constructor' }),
      'the algorithm of its signature is not accepted',
    ],
    ['no alg', (key) => token(key, good(), { alg: undefined }), 'the algorithm of its signature is not accepted'],
    [
      'a public key taken for a shared secret',
      (key) => sharedSecret(key),
      'the algorithm of its signature is not accepted',
    ],
    [
      'an alg of another kind of key',
      (key) => token(key, good(), { alg: 'ES256' }),
      'the key of its signature is unknown',
    ],
    ['an alg of another hash', (key) => token(key, good(), { alg: 'RS512' }), 'its signature is wrong'],
    ['an alg of another padding', (key) => token(key, good(), { alg: 'PS256' }), 'its signature is wrong'],
    ['another curve', () => token(keyOf('ES384'), good(), { alg: 'ES256' }), 'the key of its signature is unknown'],
    ['the name of another key', (key) => token(key, good(), { kid: 'RS512' }), 'its signature is wrong'],
    ['the name of no key', (key) => token(key, good(), { kid: 'other' }), 'the key of its signature is unknown'],
    ['a name that is no text', (key) => token(key, good(), { kid: ['RS256'] }), 'the key of its signature is unknown'],
    [
      'no name where several keys may be meant',
      (key) => token(key, good(), { kid: undefined }),
      'the key of its signature is unknown',
    ],
    [
      'the key in itself',
      (key) => token(signingKey('RS256', 'own'), good(), { jwk: key.jwk }),
      'the key of its signature is unknown',
    ],
    ['a key that is too short', () => token(weak, good()), 'the key of its signature is unknown'],
    ['a key that njs knows not', () => token(edwards, good()), 'the algorithm of its signature is not accepted'],
    ['an extension', (key) => token(key, good(), { crit: ['b64'], b64: false }), 'the token has extensions'],
    [
      'other claims than were signed',
      (key) => forged(token(key, good()), good({ sub: 'eve' })),
      'its signature is wrong',
    ],
    ['a header that is a list', (key) => forged(token(key, good()), good(), ['alg']), 'it is not a signed JWT'],
    ['claims that are a list', (key) => token(key, [good()]), 'it is not a signed JWT'],
    ['another issuer', (key) => token(key, good({ iss: `${issuer}/` })), 'another issuer has signed it'],
    ['another audience', (key) => token(key, good({ aud: 'billing' })), 'it is for another audience'],
    ['other audiences', (key) => token(key, good({ aud: ['billing', ['orders']] })), 'it is for another audience'],
    ['no audience', (key) => token(key, good({ aud: undefined })), 'it is for another audience'],
    ['no end', (key) => token(key, good({ exp: undefined })), 'it does not say when it expires'],
    ['an end in words', (key) => token(key, good({ exp: String(now() + 3600) })), 'it does not say when it expires'],
    ['an end that is past', (key) => token(key, good({ exp: now() - 31 })), 'the token has expired'],
    ['a beginning that is to come', (key) => token(key, good({ nbf: now() + 60 })), 'it is not valid yet'],
    ['a beginning in words', (key) => token(key, good({ nbf: '0' })), 'it is not valid yet'],
  ])('is asked for: %s', async (_what, make, problem) => {
    const before = seen();
    const answer = await get('/orders/7', make(rsa), { 'x-request-id': 'refused' });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      401,
      `Bearer realm="Orders \\"API\\""${problem === '' ? '' : `, error="invalid_token", error_description="${problem}"`}`,
    ]);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.body)).toEqual({ error: 'Unauthorized', requestId: 'refused' });
    expect(seen()).toBe(before);
  });

  test('may be for several audiences, be a little late or early, and be called bearer', async () => {
    for (const more of [
      { aud: ['billing', 'reports'] },
      { exp: now() - 20 },
      { nbf: now() + 20 },
      { nbf: now() - 60 },
    ]) {
      expect((await get('/orders', token(rsa, good(more)))).status).toBe(200);
    }
    expect((await get('/narrow', token(es256, good({ exp: now() - 5 })))).status).toBe(401);
    expect((await get('/narrow', token(es256, good()))).status).toBe(200);
    expect((await get('/narrow', token(rsa, good()))).status).toBe(401);
    const headers = { authorization: `bearer  ${token(rsa, good())}` };
    expect((await system.nginx.get({ path: '/orders', headers })).status).toBe(200);
  });

  test('is refused again once it has expired, though it was verified before', async () => {
    const short = token(es256, good({ exp: now() + 2 }));
    expect((await get('/narrow', short)).status).toBe(200);
    await until(async () => (await get('/narrow', short)).status === 401, 'the end of the token');
    expect((await get('/narrow', short)).headers['www-authenticate']).toContain('the token has expired');
  });

  test('is good for what its rules say, however often others have verified it', async () => {
    const given = token(rsa, good());
    expect((await get('/orders', given)).status).toBe(200);
    expect((await get('/narrow', given)).status).toBe(401);
    expect((await get('/scoped', given)).status).toBe(403);
    expect((await get('/missing', given)).status).toBe(500);
  });
});

/** Signed with what everybody knows (CVE-2015-9235). */
function sharedSecret({ jwk, kid, privateKey }: SigningKey): string {
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const signed = `${part({ alg: 'HS256', kid })}.${part(good())}`;
  return `${signed}.${createHmac('sha256', JSON.stringify(jwk) + String(pem).slice(0, 0))
    .update(signed)
    .digest('base64url')}`;
}

function forged(given: string, claimsOf: unknown, header?: unknown): string {
  const [first = '', , signature = ''] = given.split('.');
  return `${header === undefined ? first : part(header)}.${part(claimsOf)}.${signature}`;
}

describe('Claims', () => {
  test('are headers that no client can send, on any route, and copies have them too', async () => {
    const spoofed = { 'x-user': 'eve', 'X-Groups': 'admins' };
    const given = token(rsa, good({ groups: ['staff', 'ops'] }));
    expect(echoed(await get('/orders', given, spoofed)).headers).toMatchObject({
      'x-user': 'ada',
      'x-groups': 'staff,ops',
    });
    expect(echoed(await get('/orders', token(rsa, good()), spoofed)).headers).not.toHaveProperty('x-groups');
    for (const path of ['/', '/chosen', '/narrow']) {
      const { headers } = echoed(await get(path, token(es256, good()), spoofed));
      expect(headers).not.toHaveProperty('x-user');
      expect(headers).not.toHaveProperty('x-groups');
    }
    const next = system.apis.next?.requests ?? [];
    const before = next.length;
    await get('/copied/refused', undefined, spoofed);
    expect(echoed(await get('/copied/allowed', given, spoofed)).headers).not.toHaveProperty('authorization');
    await until(() => next.length > before, 'the copy');
    expect(next.slice(before).map(({ url, headers }) => [url, headers['x-user'], headers.authorization])).toEqual([
      ['/copied/allowed', 'ada', undefined],
    ]);
  });

  test.each<[string, unknown, string | undefined]>([
    ['a number', 42, '42'],
    ['true', true, 'true'],
    ['null', null, undefined],
    ['letters of any alphabet', 'Ada Lövelace', Buffer.from('Ada Lövelace').toString('latin1')],
    ['a dollar', '$host', '$host'],
    ['nothing', '', undefined],
    ['an empty list', [], undefined],
  ])('are sent as they are: %s', async (_what, sub, header) => {
    expect(echoed(await get('/orders', token(rsa, good({ sub })))).headers['x-user']).toBe(header);
  });

  test.each<[string, unknown]>([
    ['a line break', 'ada\r\nX-Admin: yes'],
    ['a zero', 'a\0b'],
    ['white space around it', ' ada'],
    ['an object', { id: 'ada' }],
    ['a comma in a member', ['staff,admins']],
    ['a list in a list', [['staff']]],
    ['more than a header should have', 'x'.repeat(1025)],
  ])('that a header cannot carry are refused: %s', async (_what, sub) => {
    const before = seen();
    const { status, headers } = await get('/orders', token(rsa, good({ sub })));
    expect([status, headers['www-authenticate']]).toEqual([403, expect.stringContaining('error="insufficient_scope"')]);
    expect(seen()).toBe(before);
  });

  test('and scopes that a route needs are needed, all of them', async () => {
    const allowed = { scope: 'a orders:write orders:read', groups: ['staff'], checked: true };
    const status = async (more: object): Promise<number> =>
      (await get('/scoped', token(rsa, good({ ...allowed, ...more })))).status;
    expect(await status({})).toBe(200);
    expect(await status({ scope: undefined, scp: ['orders:read', 'orders:write'] })).toBe(200);
    expect(await status({ groups: 'staff' })).toBe(200);
    for (const less of [
      { scope: 'orders:read' },
      { scope: 'orders:read orders:writer' },
      { scope: { 'orders:read': 1 } },
      { groups: 'staffs' },
      { groups: undefined },
      { checked: 'true' },
      { checked: false },
    ]) {
      expect([less, await status(less)]).toEqual([less, 403]);
    }
    const refused = await get('/scoped', token(rsa, good()), { 'x-request-id': 'refused' });
    expect(refused.headers['www-authenticate']).toBe(
      'Bearer realm="Restricted", error="insufficient_scope", error_description="a scope is missing", scope="orders:read orders:write"',
    );
    expect(JSON.parse(refused.body)).toEqual({ error: 'Forbidden', requestId: 'refused' });
    expect((await get('/once', token(rsa, good()))).headers['www-authenticate']).toContain('scope="orders:read"');
  });
});

describe('The way of a request', () => {
  test.each(['/orders', '/again', '/copied', '/once', '/file', '/docs/', '/docs'])(
    'needs a token, whichever it is: %s',
    async (path) => {
      const before = seen();
      // Files have no other method than the first, whoever asks.
      for (const method of path.startsWith('/docs') ? ['GET'] : ['GET', 'POST', 'OPTIONS']) {
        const answer = await system.nginx.get({ path, method, body: method === 'POST' ? 'x'.repeat(100_000) : '' });
        expect([answer.status, answer.body.includes('secret')]).toEqual([401, false]);
      }
      expect((await getByHttp2(system.nginx, { ':path': path })).status).toBe(401);
      expect(seen()).toBe(before);
    },
  );

  test('needs it where a condition has chosen, and there alone', async () => {
    const canary = { 'x-canary': 'yes' };
    expect((await get('/chosen', undefined, canary)).status).toBe(401);
    expect(echoed(await get('/chosen', token(rsa, good()), canary)).headers['x-user']).toBe('ada');
    expect((await get('/chosen')).status).toBe(200);
  });

  test('leads to other tries and to the fallback with what was proved at first, and with its body', async () => {
    const { nginx } = system;
    const answer = await nginx.get({
      ...{ path: '/again', method: 'PUT', body: 'x'.repeat(100_000) },
      headers: { ...bearer(token(rsa, good())), 'x-user': 'eve' },
    });
    expect(answer.headers['x-instance']).toBe('fallback');
    expect(echoed(answer)).toMatchObject({ bodyLength: 100_000, headers: { 'x-user': 'ada' } });
    expect((await get('/docs/', token(rsa, good()))).body).toBe('secret');
  });

  test.each(['/.tokens-orders', '/%2etokens-orders', '/orders/../.tokens-orders'])(
    'is not entered where tokens are verified: %s',
    async (path) => {
      expect((await system.nginx.get({ path, headers: bearer(token(rsa, good())) })).status).toBe(404);
    },
  );
});

test('A page of another origin may ask whether it may ask, and is told of what is refused, by pages of the route', async () => {
  const origin = { origin: 'https://app.example.com' };
  const asks = { 'access-control-request-method': 'PUT', ...origin };
  const preflight = await system.nginx.get({ path: '/pages', method: 'OPTIONS', headers: asks });
  expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, origin.origin]);
  const before = seen();
  for (const [given, status, body] of [
    [undefined, 401, '<h1>Who?</h1>'],
    [token(rsa, good()), 403, '<h1>Not you</h1>'],
  ] as const) {
    const answer = await get('/pages', given, origin);
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(answer.headers).toMatchObject({
      ...{ 'content-type': 'text/html; charset=utf-8', 'access-control-allow-origin': origin.origin },
      'www-authenticate': expect.stringContaining('Bearer realm="Restricted"') as string,
    });
  }
  expect(seen()).toBe(before);
  const plain = await system.nginx.get({ path: '/pages', method: 'OPTIONS', headers: origin });
  expect(plain.status).toBe(401);
});

test('An answer that is kept is given to whom it was for, and to nobody who has not asked as such', async () => {
  const [ada, eve] = [token(rsa, good()), token(rsa, good({ sub: 'eve' }))];
  const user = async (given: string): Promise<unknown> => echoed(await get('/kept', given)).headers['x-user'];
  const before = seen();
  expect([await user(ada), await user(eve), await user(ada), await user(eve)]).toEqual(['ada', 'eve', 'ada', 'eve']);
  expect(seen()).toBe(before + 2);
  expect((await get('/kept')).status).toBe(401);
});

describe('Keys of a ConfigMap', () => {
  const path = 'config-maps/keys/jwks.json';
  // The same ones all the time, so that those are asked for again that are known.
  const given = new Map<SigningKey, string>();
  const status = async (key: SigningKey): Promise<number> => {
    given.set(key, given.get(key) ?? token(key, good()));
    return (await get('/file', given.get(key))).status;
  };

  test('are others as soon as it is, and stay as they were while it is broken or gone', async () => {
    const second = signingKey('PS256', 'second');
    expect([await status(fromFile), await status(second)]).toEqual([200, 401]);
    files.write(path, keySet(fromFile, second));
    await until(async () => (await status(second)) === 200, 'the second key');
    expect(await status(fromFile)).toBe(200);
    files.write(path, keySet(second));
    await until(async () => (await status(fromFile)) === 401, 'the first key to be forgotten');
    // One that is like the one before is logged once.
    const big = `{"keys":["${'x'.repeat(300_000)}"]}`;
    for (const broken of ['{', keySet(weak), '{"keys":{}}', keySet(edwards), big, '{"keys":[]}', undefined]) {
      const logged = (): number => system.nginx.errors.split('the last good keys are used').length;
      const before = logged();
      if (broken === undefined) files.remove(path);
      else files.write(path, broken);
      await until(() => logged() > before, `the line of the log for ${String(broken).slice(0, 30)}`);
      expect([await status(second), await status(fromFile)]).toEqual([200, 401]);
    }
    files.write(path, keySet(fromFile));
    await until(async () => (await status(fromFile)) === 200, 'the first key again');
  });

  test('are exchanged for others, however many and large they are', async () => {
    const own = new AuthDirectory();
    const large = (letter: string) =>
      Array.from({ length: 31 }, (_, index) => ({
        ...{ kty: 'RSA', kid: `${letter}-${index}`, use: 'sig', e: 'AQAB' },
        n: Buffer.alloc(1024, `${letter}${index}`).toString('base64url'),
      }));
    const write = (letter: string, key: SigningKey): void => {
      own.write('config-maps/keys/jwks.json', JSON.stringify({ keys: [...large(letter), key.jwk] }));
    };
    const [first, second] = [signingKey('ES256', 'first'), signingKey('ES256', 'second')];
    write('a', first);
    const { nginx, stop } = await startWithBackends(
      { routes: [{ path: '/file', ...jwt({ jwks: Jwks.fromConfigMap('keys') }) }] },
      { authDirectory: own.path },
      echo,
      { change: (conf) => conf.replace(/(js_periodic access_tokens\.check interval=)\d+s/, '$1200ms') },
    );
    onTestFinished(stop);
    const answered = async (key: SigningKey): Promise<number> =>
      (await nginx.get({ path: '/file', headers: bearer(token(key, good())) })).status;
    expect(await answered(first)).toBe(200);
    for (const [letter, key, before] of [
      ['b', second, first],
      ['c', first, second],
    ] as const) {
      write(letter, key);
      await until(async () => (await answered(key)) === 200, `the keys ${letter}`);
      expect(await answered(before)).toBe(401);
    }
  });

  test('that are not there yet shut their own routes, until they come', async () => {
    const refused = await get('/missing', token(rsa, good()));
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([500, { error: 'Internal Server Error' }]);
    expect((await get('/missing')).status).toBe(401);
    expect((await get('/orders', token(rsa, good()))).status).toBe(200);
    expect(system.nginx.errors).toMatch(/key set of missing: .*there are no keys yet, and its routes answer 500/);
    files.write('secrets/missing/jwks.json', keySet(rsa));
    await until(async () => (await get('/missing', token(rsa, good()))).status === 200, 'the keys');
  });
});
