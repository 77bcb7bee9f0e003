import { ExternalService } from '../../../charts/routes/external-service';
import { FixedResponse, Redirect } from '../../../charts/routes/route-targets';
import { StaticFiles } from '../../../charts/routes/static-files';
import { Auth } from '../../../model/auth/auth';
import type { BasicAuthOptions } from '../../../model/auth/basic';
import { CertificateAuthority, type ClientCertificateAuthOptions } from '../../../model/auth/client-certificate';
import type { ExternalAuthOptions, IAuthTarget } from '../../../model/auth/external';
import { Jwks } from '../../../model/auth/jwks';
import type { JwtAuthOptions } from '../../../model/auth/jwt';
import { Match, Path } from '../../../model/routes/matching';
import type { RouteOptions } from '../../../model/routes/route-options';
import {
  allowed,
  containerOf,
  egressOf,
  newBackend,
  newProxy,
  newShop,
  nginxConfOf,
  objectsAround,
  podSpecOf,
} from '../manifests';

const admins = Auth.basic({ secret: 'admins' });

function parts(routeDefaults: RouteOptions = {}) {
  const shop = newShop();
  return { shop, edge: newProxy(shop, 'edge', { routeDefaults }), orders: newBackend(shop, 'orders') };
}

describe('Who may use a route', () => {
  test('is said by entries of Secrets, each mounted once, without which the pods start too', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/admin', orders, { auth: Auth.basic({ secret: 'staff', key: 'users' }) });
    edge.addRoute('/', orders, { auth: admins });
    edge.addRoute('/docs', StaticFiles.fromConfigMap('site'), { auth: admins });
    const objects = objectsAround(shop);
    const source = (name: string, key: string) => ({
      secret: { name, optional: true, items: [{ key, path: `secrets/${name}/${key}` }] },
    });
    expect(podSpecOf(objects, 'edge').volumes).toContainEqual({
      name: 'auth',
      projected: { defaultMode: 0o440, sources: [source('admins', 'auth'), source('staff', 'users')] },
    });
    expect(containerOf(objects, 'edge').volumeMounts).toContainEqual({
      name: 'auth',
      mountPath: '/etc/nginx/auth',
      readOnly: true,
    });
    expect(nginxConfOf(objects)).toContain('auth_basic_user_file "/etc/nginx/auth/secrets/staff/users"');
  });

  test('holds for the routes that say nothing of it, and can be taken away', () => {
    const { edge, orders } = parts({ auth: admins });
    const staff = Auth.basic({ secret: 'staff' });
    expect(edge.addRoute('/', orders).model.auth).toBe(admins.model);
    expect(edge.addRoute('/staff', orders, { auth: staff }).model.auth).toBe(staff.model);
    expect(edge.addRoute('/public', orders, { auth: Auth.none() }).model).not.toHaveProperty('auth');
    const host = edge.addHost('www.example.com', { routeDefaults: { auth: Auth.none() } });
    expect(host.addRoute('/', orders).model).not.toHaveProperty('auth');
    expect(host.addRoute('/staff', orders, { auth: staff }).model.auth).toBe(staff.model);
    expect(edge.addRoute('/legacy', ExternalService.fromUrl('https://a.example.com')).model.auth).toBe(admins.model);
  });

  test.each([
    ['a redirect', Redirect.to('https://www.example.com')],
    ['a fixed response', FixedResponse.of(404)],
  ])('is refused for %s, which has nothing of what all have', (_what, target) => {
    const { edge } = parts({ auth: admins });
    expect(edge.addRoute('/a', target).model).not.toHaveProperty('auth');
    expect(edge.addRoute('/b', target, { auth: Auth.none() }).model).not.toHaveProperty('auth');
    expect(() => edge.addRoute('/c', target, { auth: admins })).toThrow(
      new Error(
        'shop/edge, route /c auth: "(object)" does nothing where nginx answers by itself, before it asks who it is: take it out, or give the route a backend',
      ),
    );
  });

  test('is nowhere in a configuration without it', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders);
    const objects = objectsAround(shop);
    // What a status is called stands in each.
    const conf = nginxConfOf(objects).replace(/map \$status \$reason_of_refusal \{[^}]*\}/, '');
    expect(conf).not.toMatch(/auth_|\/auth\b|401|unauthorized/);
    expect(JSON.stringify(podSpecOf(objects, 'edge').volumes)).not.toContain('"auth"');
  });
});

describe('A password', () => {
  test('is not sent to the backend, unless that is to have it or the route sends its own', () => {
    const { edge, orders } = parts();
    const headers = (path: string, options: RouteOptions) => edge.addRoute(path, orders, options).model.requestHeaders;
    expect(headers('/a', { auth: admins })).toEqual([['Authorization', false]]);
    expect(headers('/b', { auth: Auth.basic({ secret: 'admins', passAuthorization: true }) })).toEqual([]);
    const own = { authorization: 'Bearer of-ours' };
    expect(headers('/c', { auth: admins, requestHeaders: own })).toEqual([['authorization', 'Bearer of-ours']]);
  });

  test.each<[string, unknown, string]>([
    ['no Secret', {}, 'Auth.basic secret: undefined is not the name of a Kubernetes object'],
    ['no name of a Secret', { secret: 'A' }, 'Auth.basic secret: "A" is not the name of a Kubernetes object'],
    ['a path as the entry', { secret: 'a', key: '../b' }, 'Auth.basic key: "../b" is not the name of an entry'],
    ['dots as the entry', { secret: 'a', key: '..' }, 'Auth.basic key: ".." is not the name of an entry'],
    ['no realm', { secret: 'a', realm: '' }, 'Auth.basic realm: "" is not a realm'],
    ['a realm of two lines', { secret: 'a', realm: 'a\nb' }, 'Auth.basic realm: "a\\nb" is not a realm'],
    ['a realm that opens', { secret: 'a', realm: 'off' }, 'Auth.basic realm: "off" would switch nginx to no'],
    ['an option of another name', { secret: 'a', secretKey: 'b' }, 'Auth.basic secretKey: "b" is an option that does'],
    ['no file', { secret: 'a', local: { file: '' } }, 'Auth.basic local.file: "" is not the path of a file'],
    ['no options', undefined, 'Auth.basic: undefined is not an object'],
  ])('is refused with %s', (_what, options, message) => {
    expect(() => Auth.basic(options as BasicAuthOptions)).toThrow(message);
  });

  test('is no other thing than what is made by Auth', () => {
    const { edge, orders } = parts();
    expect(() => edge.addRoute('/', orders, { auth: { secret: 'admins' } as unknown as Auth })).toThrow(
      'shop/edge, route / auth: "(object)" is not what stands here: give it as Auth.basic({ secret: "admins" }) does',
    );
  });
});

describe('A token', () => {
  const jwt = { issuer: 'https://id.example.com', audience: 'orders', jwks: Jwks.fromConfigMap('keys') };

  test('is verified by keys of a ConfigMap or Secret, and a script that is mounted beside nginx.conf', () => {
    const { shop, edge, orders } = parts({ auth: Auth.jwt(jwt) });
    edge.addRoute('/', orders);
    edge.addRoute('/same', orders, { auth: Auth.jwt({ ...jwt, jwks: Jwks.fromConfigMap('keys') }) });
    const before = edge.budget;
    edge.addRoute('/other', orders, { auth: Auth.jwt({ ...jwt, jwks: Jwks.fromSecret('more', { key: 'keys' }) }) });
    const objects = objectsAround(shop);
    const sources = [
      {
        configMap: { name: 'keys', optional: true, items: [{ key: 'jwks.json', path: 'config-maps/keys/jwks.json' }] },
      },
      { secret: { name: 'more', optional: true, items: [{ key: 'keys', path: 'secrets/more/keys' }] } },
    ];
    expect(podSpecOf(objects, 'edge').volumes).toContainEqual({
      name: 'auth',
      projected: { defaultMode: 0o440, sources },
    });
    expect(containerOf(objects, 'edge').volumeMounts).toContainEqual({
      ...{ name: 'config', subPath: 'access-tokens.mjs', mountPath: '/etc/nginx/access-tokens.mjs', readOnly: true },
    });
    const configMap = objects.find(({ data }) => data?.['nginx.conf'] !== undefined);
    expect(configMap?.data?.['access-tokens.mjs']).toContain('export default');
    const conf = nginxConfOf(objects);
    expect(conf.match(/js_var \$token_rules_of_\w+/g)).toEqual([
      'js_var $token_rules_of_root',
      'js_var $token_rules_of_other',
    ]);
    const share = (budget: typeof before) => budget.memory.find(({ what }) => what === 'keys and verified tokens');
    expect(share(before)?.each).toBeLessThan(share(edge.budget)?.each ?? 0);
  });

  test('sets headers of requests in the place of those of the target, and under those of the route', () => {
    const { edge, orders } = parts();
    const claims = { 'X-User': 'sub', 'X-Team': 'team' };
    const { requestHeaders } = edge.addRoute('/', orders, {
      auth: Auth.jwt({ ...jwt, claims, passAuthorization: false }),
      requestHeaders: { 'x-team': 'orders' },
    }).model;
    expect(requestHeaders).toEqual([
      ['X-User', { proved: 'claim' }],
      ['Authorization', false],
      ['x-team', 'orders'],
    ]);
  });

  test.each<[string, unknown, string]>([
    ['no issuer', { issuer: '' }, 'Auth.jwt issuer: "" is not what a token is compared with'],
    ['no audience', { audience: [] }, 'Auth.jwt audience: [] is empty, and would refuse everyone'],
    ['an audience of two lines', { audience: ['a\nb'] }, 'Auth.jwt audience: "a\\nb" is not what a token'],
    ['text for keys', { jwks: '{"keys":[]}' }, 'Auth.jwt jwks: "{\\"keys\\":[]}" is not what stands here'],
    ['no algorithm', { algorithms: [] }, 'Auth.jwt algorithms: [] is empty'],
    ['the algorithm none', { algorithms: ['none'] }, 'Auth.jwt algorithms: "none" is unknown: give one of RS256'],
    ['a shared secret', { algorithms: ['HS256'] }, 'Auth.jwt algorithms: "HS256" is unknown'],
    ['clocks that differ for long', { clockSkew: '6m' }, 'Auth.jwt clockSkew: "6m" is too long: give 5m or less'],
    ['two scopes in one', { scopes: ['a b'] }, 'Auth.jwt scopes: "a b" is not a scope'],
    ['a claim of a number', { requiredClaims: { level: 1 } }, 'Auth.jwt requiredClaims["level"]: 1 is not what a'],
    ['a header of nginx', { claims: { Host: 'sub' } }, 'Auth.jwt claims["Host"]: "Host" is set by nginx'],
    ['a header twice', { claims: { 'X-A': 'a', 'x-a': 'b' } }, 'Auth.jwt claims: "x-a" is given twice'],
    ['a realm of two lines', { realm: 'a\nb' }, 'Auth.jwt realm: "a\\nb" is not a realm'],
    ['an option of another name', { secret: 'a' }, 'Auth.jwt secret: "a" is an option that does not exist'],
  ])('is refused with %s', (_what, options, message) => {
    expect(() => Auth.jwt({ ...jwt, ...(options as Partial<JwtAuthOptions>) })).toThrow(message);
  });
});

describe('A service that is asked', () => {
  test('is let in and out by NetworkPolicies, and has an upstream, be it a backend of no route', () => {
    const { shop, edge, orders } = parts();
    const sessions = newBackend(shop, 'sessions', { port: 8080 });
    edge.addRoute('/', orders, { auth: Auth.external(sessions) });
    const objects = objectsAround(shop);
    expect(allowed(objects, 'ingress', 'sessions')).toEqual([
      { from: [{ podSelector: { matchLabels: edge.matchLabels } }], ports: [{ port: 8080, protocol: 'TCP' }] },
    ]);
    expect(nginxConfOf(objects)).toMatch(/upstream sessions \{/);
  });

  test('may be outside, with a private CA, and is part of the budget', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders);
    const before = edge.budget;
    const url = 'https://id.example.com/oauth2';
    const identity = ExternalService.fromUrl(url, { caSecret: 'id-ca', networks: ['192.0.2.0/24'] });
    edge.addRoute('/admin', orders, { auth: Auth.external(identity, { path: '/auth' }) });
    const objects = objectsAround(shop);
    expect(egressOf(objects)).toContainEqual({
      to: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
      ports: [{ port: 443, protocol: 'TCP' }],
    });
    expect(JSON.stringify(podSpecOf(objects, 'edge').volumes)).toContain('"id-ca/ca.crt"');
    const conf = nginxConfOf(objects);
    expect(conf).toContain('proxy_pass "https://https_id.example.com_443_ca_id-ca/oauth2/auth";');
    expect(conf).toContain('proxy_ssl_name id.example.com;');
    expect(conf).toContain('proxy_set_header Host "id.example.com";');
    expect(edge.budget.requests).toBeLessThan(before.requests);
    expect(edge.budget.workerConnections).toBeGreaterThan(edge.budget.connections + 2 * edge.budget.requests);
  });

  test('is asked where routes inherit it, and not for what nginx answers by itself', () => {
    const shop = newShop();
    const [orders, sessions] = [newBackend(shop, 'orders'), newBackend(shop, 'sessions')];
    const edge = newProxy(shop, 'edge', { routeDefaults: { auth: Auth.external(sessions) } });
    expect(edge.addRoute('/', orders).model.auth).toMatchObject({ target: { kind: 'backend', backend: 'sessions' } });
    expect(edge.addRoute('/login', sessions, { auth: Auth.none() }).model).not.toHaveProperty('auth');
    expect(edge.addRoute('/old', Redirect.to('/')).model).not.toHaveProperty('auth');
    expect(() => edge.addRoute('/c', FixedResponse.of(404), { auth: Auth.external(sessions) })).toThrow(
      'shop/edge, route /c auth: "(object)" does nothing where nginx answers by itself',
    );
  });

  test.each<[string, unknown, unknown, string]>([
    ['nothing', undefined, {}, 'Auth.external target: undefined cannot be asked: give a Backend or an ExternalService'],
    ['files', StaticFiles.fromConfigMap('site'), {}, 'Auth.external target: "(object)" cannot be asked'],
    ['no path', null, { path: 'verify' }, 'Auth.external path: "verify" is not a URL path'],
    ['a query', null, { path: '/verify?a' }, 'Auth.external path: "/verify?a" is not a URL path'],
    ['no time', null, { timeout: '0s' }, 'Auth.external timeout: "0s" is too short'],
    ['a header of nginx', null, { forwardHeaders: ['Host'] }, 'Auth.external forwardHeaders: "Host" is set by nginx'],
    ['no header', null, { responseHeaders: ['a b'] }, 'Auth.external responseHeaders: "a b" is not a header name'],
    ['an option of another name', null, { url: '/' }, 'Auth.external url: "/" is an option that does not exist'],
    ['no page', null, { signIn: {} }, 'Auth.external signIn.url: undefined is neither a path nor an https URL'],
    [
      'a page over plain HTTP',
      null,
      { signIn: { url: 'http://a.example.com/' } },
      'is neither a path nor an https URL',
    ],
    ['a page of whoever', null, { signIn: { url: '//a.example.com/' } }, 'is neither a path nor an https URL'],
    ['a fragment', null, { signIn: { url: '/login#a' } }, 'Auth.external signIn.url: "/login#a" is neither a path'],
    ['a page of two lines', null, { signIn: { url: '/a\nb' } }, 'Auth.external signIn.url: "/a\\nb" is neither a path'],
    ['a quote', null, { signIn: { url: '/login"' } }, 'Auth.external signIn.url: "/login\\"" is neither a path'],
    ['two arguments', null, { signIn: { url: '/', returnTo: 'a&b' } }, 'signIn.returnTo: "a&b" is not the name of an'],
  ])('is refused with %s', (_what, target, options, message) => {
    const { orders } = parts();
    const asked = (target === null ? orders : target) as IAuthTarget;
    expect(() => Auth.external(asked, options as ExternalAuthOptions)).toThrow(message);
  });

  test('leads nobody to sign in to a page that leads there itself', () => {
    const { shop, edge, orders } = parts();
    const sessions = newBackend(shop, 'sessions');
    const auth = Auth.external(sessions, { signIn: { url: '/session/login?a=b' } });
    edge.addRoute('/', orders, { auth });
    expect(() => edge.model).toThrow(
      new Error(
        'shop/edge Auth.external signIn.url: "/session/login?a=b" is a page of the route /, which leads browsers there itself, round in circles: give it a route of its own with Auth.none()',
      ),
    );
    // None of these is where the page is, or always.
    edge.addRoute('/sess', sessions, { auth: Auth.none() });
    edge.addRoute(Path.exact('/session'), sessions, { auth: Auth.none() });
    edge.addRoute(Path.exact('/session/login'), sessions, { auth: Auth.none(), when: Match.header('X-Beta', 'yes') });
    expect(() => edge.model).toThrow('is a page of the route /, which leads browsers there itself');
    edge.addRoute('/session', sessions, { auth });
    expect(() => edge.model).toThrow('is a page of the route /session, which leads browsers there itself');
    edge.addRoute(Path.exact('/session/login'), sessions, { auth: Auth.none() });
    expect(edge.model.hosts[0].routes).toHaveLength(6);
    const elsewhere = Auth.external(sessions, { signIn: { url: 'https://id.example.com/login' } });
    edge.addHost('www.example.com').addRoute('/', orders, { auth: elsewhere });
    expect(edge.model.hosts).toHaveLength(2);
  });

  test('leads to a page that is a route of its own', () => {
    const { shop, edge, orders } = parts();
    const sessions = newBackend(shop, 'sessions');
    edge.addRoute('/', orders, { auth: Auth.external(sessions, { signIn: { url: '/session/login' } }) });
    edge.addRoute('/session/login', sessions, { auth: Auth.none() });
    expect(edge.model.hosts[0].routes).toHaveLength(2);
  });

  test('is of the namespace of the proxy', () => {
    const { edge, orders } = parts();
    const elsewhere = newBackend(newShop(), 'sessions');
    expect(() => edge.addRoute('/', orders, { auth: Auth.external(elsewhere) })).toThrow(
      'shop/edge, route / auth: "shop/sessions" is in the namespace shop',
    );
  });
});

describe('A certificate of a client', () => {
  const partners = CertificateAuthority.fromSecret('partners-ca');

  test('is verified by a CA for which a new pod waits, of which nothing but its certificate is mounted', () => {
    const { shop, edge, orders } = parts();
    edge.addRoute('/', orders);
    const before = edge.budget;
    edge.addRoute('/partners', orders, { auth: Auth.clientCertificate(partners) });
    edge.addRoute('/admin', orders, { auth: admins });
    const host = edge.addHost('partners.example.com', {
      routeDefaults: {
        auth: Auth.clientCertificate(CertificateAuthority.fromConfigMap('other-ca', { key: 'root.pem' })),
      },
    });
    host.addRoute('/', orders);
    const objects = objectsAround(shop);
    const source = (name: string, key: string, path: string) => ({
      name,
      items: [{ key, path: `${path}/${name}/${key}` }],
    });
    expect(podSpecOf(objects, 'edge').volumes).toContainEqual({
      name: 'auth',
      projected: {
        defaultMode: 0o440,
        sources: [
          { configMap: source('other-ca', 'root.pem', 'config-maps') },
          { secret: { ...source('admins', 'auth', 'secrets'), optional: true } },
          { secret: source('partners-ca', 'ca.crt', 'secrets') },
        ],
      },
    });
    const name = 'auth-variables.mjs';
    expect(containerOf(objects, 'edge').volumeMounts).toContainEqual({
      ...{ name: 'config', subPath: name, mountPath: `/etc/nginx/${name}`, readOnly: true },
    });
    expect(objects.find(({ data }) => data?.['nginx.conf'] !== undefined)?.data?.[name]).toContain('export default');
    const conf = nginxConfOf(objects);
    expect(conf.match(/ssl_client_certificate .*;/g)).toEqual([
      'ssl_client_certificate "/etc/nginx/auth/secrets/partners-ca/ca.crt";',
      'ssl_client_certificate "/etc/nginx/auth/config-maps/other-ca/root.pem";',
    ]);
    expect(edge.budget.requests).toBeLessThan(before.requests);
    expect(edge.budget.connections).toBeLessThan(before.connections);
  });

  test('is asked for where routes inherit it, and by what nginx answers itself', () => {
    const auth = Auth.clientCertificate(partners);
    const { edge, orders } = parts({ auth });
    for (const target of [orders, Redirect.to('/a'), FixedResponse.of(404), StaticFiles.fromConfigMap('site')]) {
      const path = `/${edge.routes.length}`;
      expect(edge.addRoute(path, target).model.auth).toBe(auth.model);
      expect(edge.addRoute(`${path}/open`, target, { auth: Auth.none() }).model).not.toHaveProperty('auth');
    }
  });

  test('tells the backend who it is, under the headers of the route', () => {
    const { edge, orders } = parts();
    const { requestHeaders } = edge.addRoute('/', orders, {
      auth: Auth.clientCertificate(partners, { headers: { 'X-Client': 'subject', 'X-Serial': 'serial' } }),
      requestHeaders: { 'x-serial': '0' },
    }).model;
    expect(requestHeaders).toEqual([
      ['X-Client', { proved: 'certificate', part: 'subject' }],
      ['x-serial', '0'],
    ]);
  });

  test('is of one CA on each host, as nginx verifies it before it knows the path', () => {
    const { edge, orders } = parts();
    edge.addRoute('/partners', orders, { auth: Auth.clientCertificate(partners) });
    const same = CertificateAuthority.fromSecret('partners-ca');
    edge.addRoute('/billing', orders, { auth: Auth.clientCertificate(same, { subjects: ['CN=billing'] }) });
    const other = Auth.clientCertificate(CertificateAuthority.fromSecret('staff-ca'));
    expect(() => edge.addRoute('/staff', orders, { auth: other })).toThrow(
      new Error(
        'shop/edge, route /staff auth: "staff-ca ca.crt" is another CA than partners-ca ca.crt of the route /partners, and nginx verifies a certificate before it knows the path, so that a client of the one would be let in where the other is asked for: give the route a host of its own by addHost',
      ),
    );
    edge.addHost('staff.example.com').addRoute('/', orders, { auth: other });
  });

  test.each<[string, unknown, unknown, string]>([
    ['text for a CA', 'partners-ca', {}, 'Auth.clientCertificate authority: "partners-ca" is not what stands here'],
    ['a name alone', null, { subjects: ['billing'] }, 'subjects: "billing" is not a subject as RFC 2253 writes it'],
    ['spaces', null, { subjects: ['CN = billing, O = Acme'] }, 'subjects: "CN = billing, O = Acme" is not a subject'],
    ['the old way', null, { subjects: ['/O=Acme/CN=billing'] }, 'subjects: "/O=Acme/CN=billing" is not a subject'],
    ['a space before a value', null, { subjects: ['CN= a'] }, 'subjects: "CN= a" is not a subject'],
    ['letters that are not escaped', null, { subjects: ['CN=Bü'] }, 'subjects: "CN=Bü" is not a subject'],
    ['a subject of two lines', null, { subjects: ['CN=a\nb'] }, 'subjects: "CN=a\\nb" is not a subject'],
    [
      'no part of a certificate',
      null,
      { headers: { 'X-A': 'name' } },
      'headers["X-A"]: "name" is unknown: give one of',
    ],
    ['a header of nginx', null, { headers: { Host: 'subject' } }, 'headers["Host"]: "Host" is set by nginx'],
    ['a header twice', null, { headers: { 'X-A': 'serial', 'x-a': 'serial' } }, 'headers: "x-a" is given twice'],
    ['an option of another name', null, { depth: 1 }, 'Auth.clientCertificate depth: 1 is an option that does not'],
  ])('is refused with %s', (_what, authority, options, message) => {
    const given = (authority ?? partners) as CertificateAuthority;
    expect(() => Auth.clientCertificate(given, options as ClientCertificateAuthOptions)).toThrow(message);
  });

  test.each<[string, () => unknown, string]>([
    ['no name', () => CertificateAuthority.fromSecret('A'), 'CertificateAuthority.fromSecret: "A" is not the name'],
    [
      'a path',
      () => CertificateAuthority.fromConfigMap('a', { key: '../b' }),
      'fromConfigMap key: "../b" is not the name',
    ],
  ])('is refused with a CA of %s', (_what, make, message) => {
    expect(make).toThrow(message);
  });
});
