import Fastify from 'fastify';
import { probes } from './probes.js';

const fastify = Fastify({ logger: true });

await fastify.register(probes, { prefix: '/internal' });
await fastify.register(import('./search.js'), { prefix: '/search' });

const port = 8081;
await fastify.listen({ port, host: '0.0.0.0' });
