import { ConfigMap, Namespaces, Secret } from 'cdk8s-plus-27';
import { exampleBackend, forEnvironment } from '../../../environments';
import {
  Auth,
  Backend,
  Certificate,
  Cors,
  ExternalService,
  Jwks,
  LoadBalancedApi,
  Match,
  Mirror,
  RateLimit,
  RequestKey,
  Rewrite,
  ScalingMetric,
  StaticFiles,
  TrafficSplit,
} from '../../../index';
import { basic, passwordLine } from '../../nginx/support/auth-files';
import { bearer, keySet, signingKey, token } from '../../nginx/support/issuer';
import { customMetricsStub, requestsPerSecond } from './custom-metrics-stub';
import { suite } from './suite';
import { kindEnvironment, synthesize } from './variant';

export const ownHost = 'own.example.com';
export const services = ['catalog', 'orders', 'orders-canary'];
export const page = '<!doctype html><title>shop</title>';

const issuer = 'https://id.example.com';
const key = signingKey('ES256');
const inAnHour = Math.floor(Date.now() / 1000) + 3600;

/** Headers of those who may use the routes that ask who it is. */
export const known = {
  password: basic('ada', 'countess'),
  token: bearer(token(key, { iss: issuer, aud: 'orders', sub: 'ada', exp: inAnHour })),
} as const;

/** A token of the same issuer for somebody else. */
export const tokenForOthers = bearer(token(key, { iss: issuer, aud: 'billing', sub: 'ada', exp: inAnHour }));

/** A page that may ask from a browser. */
export const knownOrigin = 'https://app.example.com';

/** The API of main.ts, and beside it whatever else a route may lead to. */
export function frontDoor(): string {
  kindEnvironment();
  const main = forEnvironment({ image: 'fairlead-api:dev' });
  return synthesize((app) => {
    const { namespace, backend, proxy } = new LoadBalancedApi(app, suite().namespace, {
      ...main,
      // Every client has an address of the cluster's own here.
      proxy: { ...main.proxy, clients: { ...main.proxy?.clients, unlimited: [] } },
    });
    const small = { ...exampleBackend, replicas: 2, requestTimeout: main.requestTimeout ?? '60s' } as const;
    const catalog = new Backend(namespace, 'catalog', {
      ...small,
      // One pod, until somebody serves the metric.
      replicas: { min: 1, max: 3, metrics: [ScalingMetric.pods(requestsPerSecond, 20)], scaleDownAfter: '1s' },
    });
    const orders = new Backend(namespace, 'orders', small);
    const canary = orders.addVersion('canary', { replicas: 1 });
    const rewrite = Rewrite.stripPrefix();
    proxy.addRoute('/catalog', catalog, { rewrite });
    proxy.addRoute('/orders', canary, { rewrite, when: Match.header('X-Canary', 'always') });
    proxy.addRoute(
      '/orders',
      TrafficSplit.weighted(
        [
          { target: orders, weight: 80 },
          { target: canary, weight: 20 },
        ],
        { stickyBy: RequestKey.header('X-Client') },
      ),
      { rewrite },
    );
    proxy.addRoute('/copied', backend, { rewrite, mirror: Mirror.to(catalog) });
    proxy.addRoute('/limited', backend, { rewrite, rateLimit: RateLimit.perClient('1/m', { burst: 2 }) });
    const members = new Secret(namespace, 'Members', { metadata: { name: 'members' } });
    members.addStringData('auth', passwordLine('ada', 'countess'));
    proxy.addRoute('/members', backend, { rewrite, auth: Auth.basic({ secret: members.name }) });
    const keys = new ConfigMap(namespace, 'Keys', {
      metadata: { name: 'issuer-keys' },
      data: { 'jwks.json': keySet(key) },
    });
    const jwt = Auth.jwt({ issuer, audience: 'orders', jwks: Jwks.fromConfigMap(keys.name) });
    proxy.addRoute('/tokens', backend, { rewrite, auth: jwt });
    proxy.addRoute('/asked', backend, { rewrite, auth: Auth.external(catalog, { path: '/status/204' }) });
    proxy.addRoute('/refused', backend, { rewrite, auth: Auth.external(catalog, { path: '/status/403' }) });
    // Reserved for documentation: nobody has it.
    proxy.addRoute('/strangers', backend, { rewrite, allowFrom: ['203.0.113.0/24'] });
    proxy.addRoute('/pages', backend, { rewrite, cors: Cors.allow([knownOrigin]) });
    const stub = Namespaces.select(namespace, 'CustomMetricsStub', { names: [customMetricsStub] });
    proxy.addMonitoring({ allowFrom: [catalog.deployment, stub], dashboard: { image: 'fairlead-api:dev' } });
    proxy.addRoute('/elsewhere', ExternalService.fromServiceName('catalog-cluster-ip', { port: 3000 }), { rewrite });
    proxy.addRoute('/program', StaticFiles.fromImage('fairlead-api:dev', '/app/lib', { sizeLimit: '16Mi' }));
    const site = new ConfigMap(namespace, 'Site', { metadata: { name: 'site' }, data: { 'index.html': page } });
    proxy.addRoute('/app', StaticFiles.fromConfigMap(site, { singlePage: true }));
    proxy.addHost(ownHost, { certificate: Certificate.selfSigned() }).addRoute('/', catalog);
  });
}
