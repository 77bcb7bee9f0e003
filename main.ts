import { App } from 'cdk8s';
import { LoadBalancedApi } from './charts/load-balanced-api';
import { forEnvironment } from './environments';

const app = new App();
new LoadBalancedApi(
  app,
  'api',
  forEnvironment({
    container: { image: 'ghcr.io/acme/api:1.0.0', port: 3000 },
    host: 'api.example.com',
    minReplicas: 3,
    maxReplicas: 12,
  }),
);
app.synth();
