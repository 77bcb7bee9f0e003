// An API that speaks gRPC, beside a web app on the same host. A route is a service, or the package of several: `/shop.Orders` is every method of
// shop.Orders. What clients stream, they stream on a route with `streaming`; all other calls have every try that requests of HTTP have.
import { App } from 'cdk8s';
import { Backend, NginxProxy, RateLimit, RequestKey, RestrictedNamespace } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const orders = new Backend(shop, 'orders', {
  image: 'ghcr.io/acme/orders-grpc:2.1.0',
  protocol: 'grpc',
  port: 50051,
  replicas: { min: 3, max: 12 },
  // What the kubelet asks grpc.health.v1.Health for; by default for the server as a whole.
  healthCheck: { readiness: 'shop.Orders' },
  local: { command: ['node', 'orders/server.js'] },
});
const web = new Backend(shop, 'web', { image: 'ghcr.io/acme/web:5.2.0' });

const edge = new NginxProxy(shop, 'edge', { host: 'shop.example.com' });
edge.addRoute('/shop.Orders', orders, { rateLimit: RateLimit.per(RequestKey.header('x-api-key'), '100/s') });
// Both sides talk for as long as they like, and may be silent for an hour.
edge.addRoute('/shop.Chat', orders, { streaming: '1h' });
edge.addRoute('/', web);
app.synth();
