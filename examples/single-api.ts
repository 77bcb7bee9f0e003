// One API behind nginx: ten lines.
import { App } from 'cdk8s';
import { LoadBalancedApi } from '../index';

const app = new App();
new LoadBalancedApi(app, 'orders', {
  image: 'ghcr.io/acme/orders:1.4.2',
  host: 'orders.example.com',
  replicas: { min: 3, max: 12 },
});
app.synth();
