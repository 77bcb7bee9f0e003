// Three versions of an API side by side: by path, and by a header for those who ask for the newest.
import { App } from 'cdk8s';
import { Backend, Match, NginxProxy, Redirect, RestrictedNamespace, Rewrite } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const edge = new NginxProxy(shop, 'edge', { host: 'api.example.com' });

const v1 = new Backend(shop, 'orders', { image: 'ghcr.io/acme/orders:1.9.0', replicas: 2 });
const v2 = v1.addVersion('v2', { image: 'ghcr.io/acme/orders:2.4.1', replicas: { min: 3, max: 12 } });
const v3 = v1.addVersion('v3', { image: 'ghcr.io/acme/orders:3.0.0-beta.2' });

edge.addRoute('/v1', v1, {
  rewrite: Rewrite.stripPrefix(),
  responseHeaders: { Sunset: 'Thu, 31 Dec 2026 23:59:59 GMT' },
});
edge.addRoute('/v2', v2, { rewrite: Rewrite.stripPrefix() });
edge.addRoute('/', v3, { when: Match.header('Accept-Version', '3') });
edge.addRoute('/', v2);
edge.addRoute('/v0', Redirect.to('/v1', { permanent: true }));
app.synth();
