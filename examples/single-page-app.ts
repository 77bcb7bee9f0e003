// A single-page app and its API on one host: nginx serves the files of an image, and every path that is the app's own.
import { App } from 'cdk8s';
import { Backend, NginxProxy, RestrictedNamespace, StaticFiles } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const orders = new Backend(shop, 'orders', { image: 'ghcr.io/acme/orders:1.4.2', replicas: { min: 3, max: 12 } });

const edge = new NginxProxy(shop, 'edge', { host: 'shop.example.com' });
edge.addRoute('/api', orders);
edge.addRoute(
  '/',
  StaticFiles.fromImage('ghcr.io/acme/web:1.4.2', '/usr/share/web', {
    singlePage: true,
    local: { directory: 'examples/web' },
  }),
  // What the app may load from elsewhere is its own to say.
  {
    responseHeaders: {
      'Content-Security-Policy':
        "default-src 'self'; img-src 'self' https://images.example.com; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    },
  },
);
app.synth();
