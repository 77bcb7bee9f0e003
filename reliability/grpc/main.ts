import { App } from 'cdk8s';
import { ConfigMap, Volume } from 'cdk8s-plus-27';
import { exampleBackend, forEnvironment } from '../../environments';
import { Backend, LoadBalancedApi } from '../../index';

/** What the scenario `grpc-rollout` deploys: the API of main.ts, and beside it a service that speaks gRPC, whose program is in a ConfigMap of the scenario. */
const app = new App();
const props = forEnvironment({ image: 'ghcr.io/acme/api:1.0.0' });
const { namespace, proxy } = new LoadBalancedApi(app, 'api', props);
const program = ConfigMap.fromConfigMapName(namespace, 'Program', 'grpc-orders');
const orders = new Backend(namespace, 'grpc-orders', {
  // Every worker has it already, and there is Node.js in it.
  image: exampleBackend.image,
  command: ['node', '/program/server.cjs'],
  protocol: 'grpc',
  port: 50_051,
  replicas: 3,
  requestTimeout: props.requestTimeout ?? '60s',
  resources: { cpu: { request: '100m' } },
  volumes: [{ path: '/program', volume: Volume.fromConfigMap(namespace, 'ProgramVolume', program), readOnly: true }],
});
proxy.addRoute('/shop.Orders', orders);
app.synth();
