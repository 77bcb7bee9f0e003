// A catalog that everybody reads: nginx keeps its answers, and gives them for an hour when no pod can. Prices go by a currency that a
// cookie says; browsers send other cookies too, which the API does not see for products, so that they are no reason to ask it.
import { App } from 'cdk8s';
import { Backend, NginxProxy, RequestKey, ResponseCache, RestrictedNamespace } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const catalog = new Backend(shop, 'catalog', { image: 'ghcr.io/acme/catalog:3.1.0', replicas: { min: 3, max: 12 } });

const edge = new NginxProxy(shop, 'edge', { host: 'shop.example.com' });
edge.addRoute('/', catalog);
edge.addRoute('/products', catalog, {
  cache: ResponseCache.of({ size: '1g', valid: '1m', staleFor: '1h' }),
  requestHeaders: { Cookie: false },
});
edge.addRoute('/prices', catalog, {
  cache: ResponseCache.of({ valid: '10s', key: [RequestKey.cookie('currency')] }),
});
app.synth();
