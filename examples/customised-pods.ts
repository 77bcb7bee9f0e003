// What the cluster asks of pods: pull secrets, an account, priority, a sidecar, a database that alone may be reached.
import { App } from 'cdk8s';
import { EnvValue, NetworkPolicyIpBlock, Secret, ServiceAccount } from 'cdk8s-plus-27';
import { Backend, Exposure, LoadBalancing, NginxProxy, RequestKey, RestrictedNamespace } from '../index';

const app = new App();
const shop = new RestrictedNamespace(app, 'shop', { labels: { team: 'orders' }, dnsCacheTtl: '0s' });
const database = Secret.fromSecretName(shop, 'Database', 'orders-database');

const orders = new Backend(shop, 'orders', {
  image: 'registry.example.com/orders:1.4.2',
  environment: { DATABASE_URL: EnvValue.fromSecretValue({ secret: database, key: 'url' }) },
  resources: { cpu: { request: '750m' }, memory: { limit: '1Gi' } },
  loadBalancing: LoadBalancing.hash(RequestKey.header('X-Tenant')),
  pods: {
    imagePullSecrets: ['registry'],
    serviceAccount: new ServiceAccount(shop, 'Account', { metadata: { name: 'orders' } }),
    priorityClass: 'business-critical',
    annotations: { 'example.com/cost-centre': 'orders' },
    spread: { zones: 'required' },
  },
});
orders.deployment.addContainer({ name: 'exporter', image: 'registry.example.com/exporter:1.0.0' });
orders.allowTo(NetworkPolicyIpBlock.ipv4(shop, 'DatabaseNetwork', '192.0.2.0/24'), 5432);

const edge = new NginxProxy(shop, 'edge', {
  host: 'orders.example.com',
  exposure: Exposure.loadBalancer({
    annotations: { 'example.com/internal': 'true' },
    sourceRanges: ['198.51.100.0/24'],
  }),
  resources: { cpu: { limit: '1' } },
});
edge.addRoute('/', orders);
app.synth();
