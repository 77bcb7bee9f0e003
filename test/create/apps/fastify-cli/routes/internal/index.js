'use strict'

module.exports = async function (fastify, opts) {
  fastify.get('/health', async () => ({ status: 'ok' }))
}
