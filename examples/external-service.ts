// What is not deployed here: an old system outside of the cluster, an API of someone else, and a Service of another team.
import { App } from 'cdk8s';
import { Backend, ExternalService, NginxProxy, RestrictedNamespace, Rewrite } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const orders = new Backend(shop, 'orders', { image: 'ghcr.io/acme/orders:1.4.2' });

const edge = new NginxProxy(shop, 'edge', { host: 'shop.example.com' });
edge.addRoute('/orders', orders);

// Whatever has not moved yet, by a certificate of the company's own CA.
edge.addRoute(
  '/',
  ExternalService.fromUrl('https://legacy.example.com/shop', {
    caSecret: 'company-ca',
    networks: ['203.0.113.0/24'],
    local: { url: 'http://localhost:3001' },
  }),
  { requestTimeout: '2m' },
);

// Clients are nobody's business but ours.
edge.addRoute('/weather', ExternalService.fromUrl('https://api.weather.example/v1', { identifiesClients: false }), {
  rewrite: Rewrite.stripPrefix(),
  requestTimeout: '5s',
});

edge.addRoute('/payments', ExternalService.fromServiceName('payments', { namespace: 'billing', podPort: 8080 }));
app.synth();
