// Event streams and WebSockets, which may be silent for an hour.
import { App } from 'cdk8s';
import { LoadBalancedApi } from '../index';

const app = new App();
const chat = new LoadBalancedApi(app, 'chat', {
  image: 'ghcr.io/acme/chat:2.0.3',
  host: 'chat.example.com',
  proxy: { clients: { maxStreams: 2000 }, resources: { memory: { limit: '2Gi' } } },
});
for (const path of ['/sse', '/ws']) chat.proxy.addRoute(path, chat.backend, { streaming: '1h' });
app.synth();
