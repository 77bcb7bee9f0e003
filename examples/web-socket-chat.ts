// A chat over WebSockets. What its app does: it pings each client every 20 s, so that none is silent for longer and one that is gone is
// found; it tells the other pods of a message by something that all of them reach (Redis, NATS, PostgreSQL), as the people of one room are on
// several pods; and its clients come back by themselves after a random second or two, as each rollout ends connections (1001 with serve()).
import { App } from 'cdk8s';
import { EnvValue, Secret } from 'cdk8s-plus-27';
import { Backend, NginxProxy, RestrictedNamespace } from '../index';

const app = new App();
const talk = new RestrictedNamespace(app, 'talk');

const chat = new Backend(talk, 'chat', {
  image: 'ghcr.io/acme/chat:2.0.3',
  environment: {
    REDIS_URL: EnvValue.fromSecretValue({ secret: Secret.fromSecretName(talk, 'Redis', 'chat-redis'), key: 'url' }),
  },
  // A connection stays with its pod: few pods are taken away at a time, and late.
  replicas: { min: 3, max: 12, scaleDownAfter: '15m' },
  local: { command: ['node', 'server.js'], environment: { REDIS_URL: 'redis://localhost:6379' } },
});

const edge = new NginxProxy(talk, 'edge', {
  host: 'chat.example.com',
  // So many people at once on one proxy; an office has one address for all of its own.
  clients: { maxStreams: 4000, maxConnectionsPerClient: 1000, maxRequestsPerClient: 1000 },
  resources: { memory: { limit: '3Gi' } },
});
edge.addRoute('/', chat);
edge.addRoute('/ws', chat, { streaming: '1m' });
app.synth();
