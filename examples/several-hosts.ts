// Two products on one proxy by host, a page of nginx's own while one of them moves, and a host with a certificate of its own.
import { App } from 'cdk8s';
import { Backend, Certificate, FixedResponse, NginxProxy, RestrictedNamespace } from '../index';

const app = new App();
const products = new RestrictedNamespace(app, 'products');
const orders = new Backend(products, 'orders', { image: 'ghcr.io/acme/orders:1.4.2' });
const invoices = new Backend(products, 'invoices', { image: 'ghcr.io/acme/invoices:0.9.1', replicas: 2 });

const edge = new NginxProxy(products, 'edge', {
  host: 'orders.example.com',
  certificate: Certificate.fromSecret('example-com-tls'),
});
edge.addRoute('/', orders);

const second = edge.addHost('invoices.example.com', { routeDefaults: { requestTimeout: '20s' } });
second.addRoute('/', invoices);
second.addRoute(
  '/archive',
  FixedResponse.of(503, '{"error":"The archive is being moved"}', { contentType: 'application/json' }),
);

// A host of another team, with a certificate that this team renews.
const admin = new Backend(products, 'admin', { image: 'ghcr.io/acme/admin:2.0.3', replicas: 2 });
edge
  .addHost('admin.example.net', { certificate: Certificate.fromSecret('admin-example-net-tls') })
  .addRoute('/', admin);
app.synth();
