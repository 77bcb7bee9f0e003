// Metrics, alerts and a dashboard, for Prometheus and Grafana as the chart kube-prometheus-stack installs them in the namespace `monitoring`.
import { App } from 'cdk8s';
import { Namespaces } from 'cdk8s-plus-27';
import { Backend, Certificate, NginxProxy, RestrictedNamespace } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop');
const orders = new Backend(shop, 'orders', { image: 'ghcr.io/acme/orders:1.4.2' });

const edge = new NginxProxy(shop, 'edge', {
  host: 'shop.example.com',
  certificate: Certificate.fromCertManager({ clusterIssuer: 'letsencrypt' }),
});
edge.addRoute('/orders', orders);
edge.addMonitoring({
  podMonitor: { labels: { release: 'kube-prometheus-stack' } },
  alerts: { availability: 99.5 },
  dashboard: true,
  grafanaDashboard: true,
  allowFrom: Namespaces.select(shop, 'Monitoring', { names: ['monitoring'] }),
});
app.synth();
