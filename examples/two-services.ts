// Two services of one shop by path, each with its own times; uploads on one route alone, and a limit on another.
import { App } from 'cdk8s';
import { Backend, Certificate, NginxProxy, Path, RateLimit, RestrictedNamespace } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');

const orders = new Backend(shop, 'orders', {
  image: 'ghcr.io/acme/orders:1.4.2',
  replicas: { min: 3, max: 12 },
});
const catalog = new Backend(shop, 'catalog', {
  image: 'ghcr.io/acme/catalog:3.1.0',
  port: 8080,
  healthCheck: '/health',
  requestTimeout: '10s',
});

const edge = new NginxProxy(shop, 'edge', {
  host: 'shop.example.com',
  certificate: Certificate.fromCertManager({ clusterIssuer: 'letsencrypt' }),
});
edge.addRoute('/catalog', catalog);
edge.addRoute('/orders', orders);
edge.addRoute(Path.exact('/orders/checkout'), orders, { rateLimit: RateLimit.perClient('5/s', { burst: 10 }) });
edge.addRoute(Path.exact('/orders/import'), orders, { maxBodySize: '20m' });
app.synth();
