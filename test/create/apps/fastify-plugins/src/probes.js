/** @param {import('fastify').FastifyInstance} fastify */
export async function probes(fastify) {
  fastify.route({
    method: 'GET',
    url: '/live',
    handler: async () => 'ok',
  });
  fastify.get('/ready', async () => 'ok');
}
