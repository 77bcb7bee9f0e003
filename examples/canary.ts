// A new version for a twentieth of the sessions, and for whoever asks for it.
import { App } from 'cdk8s';
import { Backend, Match, NginxProxy, RequestKey, RestrictedNamespace, TrafficSplit } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');

const stable = new Backend(shop, 'orders', {
  image: 'ghcr.io/acme/orders:1.4.2',
  replicas: { min: 3, max: 12 },
});
const canary = stable.addVersion('canary', { image: 'ghcr.io/acme/orders:1.5.0', replicas: { min: 2, max: 4 } });

const edge = new NginxProxy(shop, 'edge', { host: 'orders.example.com' });
edge.addRoute('/', canary, { when: Match.header('X-Canary', 'always') });
edge.addRoute(
  '/',
  TrafficSplit.weighted(
    [
      { target: stable, weight: 95 },
      { target: canary, weight: 5 },
    ],
    { stickyBy: RequestKey.cookie('session') },
  ),
);
app.synth();
