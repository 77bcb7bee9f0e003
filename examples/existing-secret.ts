// A certificate that is in a Secret already (type kubernetes.io/tls, of the same namespace), whoever makes it and renews it there: a renewed one
// is served within a minute, without a restart; one that is broken is not.
import { App } from 'cdk8s';
import { Certificate, LoadBalancedApi } from '../index';

const app = new App();
new LoadBalancedApi(app, 'orders', {
  image: 'ghcr.io/acme/orders:1.4.2',
  host: 'orders.example.com',
  certificate: Certificate.fromSecret('orders-example-com-tls'),
});
app.synth();
