// What the cluster asks of pods: pull secrets, an account, priority, other containers, a database that alone may be reached.
import { ApiObject, App, JsonPatch } from 'cdk8s';
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
const { deployment } = orders;
deployment.addContainer({ name: 'exporter', image: 'registry.example.com/exporter:1.0.0' });

// A native sidecar, which runs before the containers behind it and ends after them: cdk8s-plus-27 has no word for that.
deployment.addInitContainer({ name: 'database-proxy', image: 'registry.example.com/database-proxy:2.3.0' });
ApiObject.of(deployment).addJsonPatch(JsonPatch.add('/spec/template/spec/initContainers/0/restartPolicy', 'Always'));

// An init container, which has ended before the API begins.
deployment.addInitContainer({
  name: 'migrate',
  image: 'registry.example.com/orders:1.4.2',
  command: ['npm', 'run', 'migrate'],
});
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
