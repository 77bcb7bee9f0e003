import { App } from 'cdk8s';
import { LoadBalancedApi } from './charts/load-balanced-api';
import { forEnvironment } from './environments';

const app = new App();
const api = new LoadBalancedApi(
  app,
  'api',
  forEnvironment({ image: 'ghcr.io/acme/api:1.0.0', host: 'api.example.com', replicas: { min: 3, max: 12 } }),
);
// Event streams and WebSockets may be silent for long.
for (const path of ['/sse', '/ws']) api.proxy.addRoute(path, api.backend, { streaming: '1h' });
app.synth();
