import { App } from 'cdk8s';
import { exampleBackend, forEnvironment } from '../environments';
import {
  Auth,
  Backend,
  Cors,
  ErrorPages,
  ExternalService,
  Jwks,
  LoadBalancedApi,
  Mirror,
  RateLimit,
  ResponseCache,
  Rewrite,
} from '../index';

/** The public keys of who issues tokens, as a JWK Set. */
const keys = process.env.FAIRLEAD_JWKS ?? '{"keys":[]}';

/** What the scenario `routes` deploys: the API of main.ts, and beside it one service behind routes of every kind. */
const app = new App();
const props = forEnvironment({ image: 'ghcr.io/acme/api:1.0.0' });
const { namespace, backend: api, proxy } = new LoadBalancedApi(app, 'api', props);
const requestTimeout = props.requestTimeout ?? '60s';
const orders = new Backend(namespace, 'orders', { ...exampleBackend, replicas: 2, requestTimeout });
const rewrite = Rewrite.stripPrefix();
const jwt = Auth.jwt({ issuer: 'https://id.example.com', audience: 'orders', jwks: Jwks.fromText(keys) });
proxy.addRoute('/plain', orders, {
  rewrite,
  cors: Cors.allow(['https://app.example.com']),
  errorPages: ErrorPages.json(),
});
proxy.addRoute('/tokens', orders, { rewrite, auth: jwt });
proxy.addRoute('/asked', orders, { rewrite, auth: Auth.external(api, { path: '/status/204' }) });
proxy.addRoute('/limited', orders, { rewrite, rateLimit: RateLimit.perClient('1000/s', { burst: 1000 }) });
proxy.addRoute('/kept', orders, { rewrite, cache: ResponseCache.of({ valid: '1m' }) });
proxy.addRoute('/copied', orders, { rewrite, mirror: Mirror.to(api) });
proxy.addRoute('/elsewhere', ExternalService.fromServiceName('orders-cluster-ip', { port: 3000 }), { rewrite });
app.synth();
